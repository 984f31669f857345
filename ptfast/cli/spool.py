"""Records kept on disk while a video is being tracked, so that an interrupted run can go on."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from ptfast._files import write_atomic
from ptfast._json import shortened
from ptfast.pipeline.records import Record, load_records, save_records
from ptfast.skeletons import Skeleton

R = TypeVar("R", bound=Record)


class Spool(Generic[R]):
    """Records of a video's frames in a folder: parts of a few hundred frames and the settings they were made with.

    They belong to one run: whoever makes a spool holds the lock of its output (`ptfast.cli.lock`).

    Args:
        folder: Where; made with the first part.
        settings: What the records depend on, in JSON's types.
        skeleton: The records' joints.
        frames: Frames of a part.
        gaps: Numbers of frames may be missing, as of a live source's that were dropped.
    """

    def __init__(
        self, folder: Path, settings: dict[str, Any], skeleton: Skeleton, frames: int = 250, gaps: bool = False
    ) -> None:
        self.folder, self.settings, self.skeleton, self.frames = folder, settings, skeleton, frames
        self.gaps = gaps
        self.pending: list[R] = []

    def stored(self) -> Iterator[R]:
        """The parts that are on disk, one at a time; those of an earlier run too.

        Raises:
            ValueError: It had other settings, or a part is damaged or missing.
        """
        paths = sorted(self.folder.glob("*.npz"))
        about = self.folder / "settings.json"
        if not paths and not about.is_file():
            return
        found = read_settings(about)
        for name in (*self.settings, *found):
            if self.settings.get(name) != found.get(name):
                raise ValueError(
                    f"{self.folder}: {name}: expected this run's {self.settings.get(name)!r}, found "
                    f"{found.get(name)!r}; remove the folder to start anew"
                )
        done = 0
        for path in paths:
            part: R = load_records(path, self.skeleton)  # type: ignore[assignment]
            numbers = [] if part.frame_ids is None else part.frame_ids.tolist()
            if not self.gaps and numbers != [*range(done, done + len(part))]:
                raise ValueError(
                    f"{path}: expected frames from {done} on, found others; remove the folder to start anew"
                )
            yield part
            done += len(part)

    def sizes(self) -> np.ndarray:
        """(F, 2) width and height of all frames that are on disk; (0, 0) of those that could not be decoded."""
        return np.concatenate([np.zeros((0, 2), np.int64), *(np.asarray(part.frame_size) for part in self.stored())])

    def last(self, count: int) -> list[R]:
        """The records of the last `count` frames that are on disk, one frame each."""
        kept: list[R] = []
        for part in self.stored():
            kept = [*kept, *(part.frame(f) for f in range(max(0, len(part) - count), len(part)))]  # type: ignore[list-item]
            kept = kept[len(kept) - count :] if len(kept) > count else kept
        return kept

    def add(self, record: R) -> None:
        """Keeps one frame's record; a full part goes to disk."""
        self.pending.append(record)
        if len(self.pending) >= self.frames:
            self.flush()

    def flush(self) -> None:
        """Writes what is pending, whole or not at all."""
        if not self.pending:
            return
        about = self.folder / "settings.json"
        if not about.exists():
            with write_atomic(about) as draft:
                draft.write_text(json.dumps(self.settings))
        part = type(self.pending[0]).concatenate(self.pending)  # type: ignore[arg-type]
        first = 0 if part.frame_ids is None else int(part.frame_ids[0])
        with write_atomic(self.folder / f"{first:09d}.npz") as draft:
            save_records(draft, part)
        self.pending = []

    def start_anew(self) -> None:
        """Deletes the folder of an earlier run.

        Raises:
            ValueError: Some of it stays; its parts would be taken for this run's.
        """
        self.remove()
        if os.path.lexists(self.folder):
            raise ValueError(f"{self.folder}: expected to remove what an earlier run left, which failed")

    def remove(self) -> None:
        """Deletes the folder, as far as that is possible."""
        shutil.rmtree(self.folder, ignore_errors=True)


def read_settings(path: Path) -> dict[str, Any]:
    """The settings that the parts beside it were made with."""
    try:
        settings = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: expected the settings of an interrupted run, found {error}") from None
    if not isinstance(settings, dict):
        raise ValueError(f"{path}: expected the settings of an interrupted run, found {shortened(repr(settings))}")
    return settings
