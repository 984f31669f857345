"""Detections kept on disk while a video is being tracked, so that an interrupted run can go on."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ptfast.skeletons import SKELETONS
from ptfast.structures import Poses

COLUMNS = (
    "keypoints",
    "joint_scores",
    "joint_visibility",
    "boxes",
    "scores",
    "frame_offsets",
    "frame_ids",
    "frame_size",
)


class Spool:
    """Frames of detections in a folder: parts of a few hundred frames and what they were made with.

    Args:
        folder: Where; made with the first part.
        settings: What the detections depend on, in JSON's types.
        frames: Frames of a part.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], frames: int = 250) -> None:
        self.folder, self.settings, self.frames = folder, settings, frames
        self.pending: list[Poses] = []

    def stored(self) -> Iterator[Poses]:
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
            part = read_part(path)
            if part.frame_ids is None or part.frame_ids.tolist() != [*range(done, done + len(part))]:
                raise ValueError(
                    f"{path}: expected frames from {done} on, found others; remove the folder to start anew"
                )
            yield part
            done += len(part)

    def add(self, detections: Poses) -> None:
        """Keeps one frame's detections; a full part goes to disk."""
        self.pending.append(detections)
        if len(self.pending) >= self.frames:
            self.flush()

    def flush(self) -> None:
        """Writes what is pending, whole or not at all."""
        if not self.pending:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        about = self.folder / "settings.json"
        if not about.exists():
            write_whole(about, json.dumps(self.settings).encode())
        part = Poses.concatenate(self.pending)
        first = 0 if part.frame_ids is None else int(part.frame_ids[0])
        path = self.folder / f"{first:09d}.npz"
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            np.savez(
                file,
                skeleton=part.skeleton.name,
                frame_names=np.array(part.frame_names),
                **{name: getattr(part, name) for name in COLUMNS},
            )
        os.replace(unfinished, path)
        self.pending = []

    def remove(self) -> None:
        """Deletes the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def read_settings(path: Path) -> dict[str, Any]:
    """What the parts beside it were made with."""
    try:
        settings = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: expected the settings of an interrupted run, found {error}") from None
    if not isinstance(settings, dict):
        raise ValueError(f"{path}: expected the settings of an interrupted run, found {settings!r}")
    return settings


def read_part(path: Path) -> Poses:
    """The frames of one part."""
    try:
        with np.load(path, allow_pickle=False) as file:
            columns = {name: file[name] for name in COLUMNS}
            return Poses(
                skeleton=SKELETONS[str(file["skeleton"])], frame_names=tuple(file["frame_names"].tolist()), **columns
            )
    except (KeyError, OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path}: expected a part of an interrupted run, found {error}") from None


def write_whole(path: Path, content: bytes) -> None:
    """Writes a small file whole or not at all."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_bytes(content)
    os.replace(unfinished, path)
