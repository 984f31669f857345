"""Detections kept on disk while a video is being tracked, so that an interrupted run can go on."""

from __future__ import annotations

import json
import os
import shutil
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

    def stored(self) -> list[Poses]:
        """The parts of an earlier run.

        Raises:
            ValueError: It had other settings, or a part is damaged.
        """
        about = self.folder / "settings.json"
        if not about.is_file():
            return []
        for name, found in json.loads(about.read_text()).items():
            if self.settings.get(name) != found:
                raise ValueError(
                    f"{self.folder}: {name}: expected this run's {self.settings.get(name)!r}, found {found!r}; remove "
                    "the folder to start anew"
                )
        return [read_part(path) for path in sorted(self.folder.glob("*.npz"))]

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


def read_part(path: Path) -> Poses:
    """The frames of one part."""
    try:
        with np.load(path, allow_pickle=False) as file:
            columns = {name: file[name] for name in COLUMNS}
            return Poses(
                skeleton=SKELETONS[str(file["skeleton"])], frame_names=tuple(file["frame_names"].tolist()), **columns
            )
    except (KeyError, OSError, ValueError, EOFError) as error:
        raise ValueError(f"{path}: expected a part of an interrupted run, found {error}") from None


def write_whole(path: Path, content: bytes) -> None:
    """Writes a small file whole or not at all."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_bytes(content)
    os.replace(unfinished, path)
