"""Records: what a method's first stage learns of each frame, kept so that an interrupted run can go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ptfast._check import Array, check_offsets, check_shape
from ptfast._columns import offsets_of, on_host
from ptfast.io import Frame
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses, Tracklets

FEATURE = "features."  # before the name of a feature in a file
_POSE_COLUMNS = (
    "keypoints", "joint_scores", "joint_visibility", "boxes", "scores", "track_ids", "head_boxes", "areas",
)  # fmt: skip
_FINITE = ("keypoints", "joint_scores", "boxes", "scores")
_TRACKLET_COLUMNS = ("keypoints", "joint_scores", "first_frame", "boxes", "scores")
_COUNTS = ("low_boxes", "empty_boxes")
_PER_FRAME = ("frame_ids", "frame_size", *_COUNTS)  # of FrameTracklets, besides their names


@dataclass(frozen=True, eq=False)
class FrameTracklets:
    """Tracklets of consecutive frames, each with the key frame that it was cut out around.

    Attributes:
        tracklets: M tracklets, frame after frame.
        frame_offsets: (F + 1,) int64: frame f is the key frame of rows frame_offsets[f] to frame_offsets[f + 1].
        frame_names: F names.
        frame_ids: (F,) int64 numbers in the video.
        frame_size: (F, 2) int64 width and height; (0, 0) where a frame could not be decoded.
        sequence: The video's name.
        low_boxes: (F,) int64 numbers of boxes whose scores were too low for a tracklet; default 0.
        empty_boxes: (F,) int64 numbers of boxes without an area, of which there are no tracklets either; default 0.

    Raises:
        ValueError: The offsets do not rise from 0 to M, a column has another number of frames, or a number of boxes is
            negative.
        TypeError: The offsets or numbers of boxes are no integers.
    """

    tracklets: Tracklets
    frame_offsets: np.ndarray
    frame_names: tuple[str, ...]
    frame_ids: np.ndarray
    frame_size: np.ndarray
    sequence: str = ""
    low_boxes: Array = None
    empty_boxes: Array = None

    def __post_init__(self) -> None:
        count = len(self.tracklets)
        offsets = check_offsets("frame_offsets", self.frame_offsets, count, "tracklets", length="F + 1")
        object.__setattr__(self, "frame_offsets", offsets)
        for name in ("frame_names", "frame_ids", "frame_size"):
            if len(getattr(self, name)) != len(offsets) - 1:
                got = len(getattr(self, name))
                raise ValueError(f"{name} must have one entry for each of {len(offsets) - 1} frames, got {got}")
        for name in _COUNTS:
            object.__setattr__(self, name, _checked_counts(name, getattr(self, name), len(offsets) - 1))

    @staticmethod
    def of_frame(frame: Frame, tracklets: Tracklets, low_boxes: int = 0, empty_boxes: int = 0) -> FrameTracklets:
        """The record of one frame."""
        offsets, ids, size = np.array([0, len(tracklets)]), np.array([frame.index]), np.array([frame.size])
        low, empty = np.array([low_boxes]), np.array([empty_boxes])
        return FrameTracklets(tracklets, offsets, (frame.name,), ids, size, low_boxes=low, empty_boxes=empty)

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.frame_ids)

    def frame(self, f: int) -> FrameTracklets:
        """The record of frame `f` alone."""
        return self[f : f + 1]

    def __getitem__(self, frames: slice) -> FrameTracklets:
        """The records of a slice of frames, without a step."""
        first, last, _ = frames.indices(len(self))
        last = max(first, last)
        offsets = self.frame_offsets[first : last + 1]
        rows = np.arange(offsets[0], offsets[-1])
        per_frame = {name: getattr(self, name)[first:last] for name in ("frame_names", *_PER_FRAME)}
        return replace(self, tracklets=self.tracklets.select(rows), frame_offsets=offsets - offsets[0], **per_frame)

    def select(self, mask: np.ndarray) -> FrameTracklets:
        """The tracklets where `mask` (M,) is True; the frames stay, some of them perhaps without any."""
        kept = offsets_of(np.asarray(mask, np.int64))
        return replace(self, tracklets=self.tracklets.select(mask), frame_offsets=kept[self.frame_offsets])

    @staticmethod
    def concatenate(parts: Sequence[FrameTracklets]) -> FrameTracklets:
        """Joins the records of consecutive frames; the first names the sequence.

        Raises:
            ValueError: There are no parts, or skeletons or clip lengths differ.
        """
        return FrameTracklets(
            Tracklets.concatenate([part.tracklets for part in parts]),
            offsets_of(np.concatenate([np.diff(part.frame_offsets) for part in parts])),
            tuple(name for part in parts for name in part.frame_names),
            sequence=parts[0].sequence,
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in _PER_FRAME},
        )

    def without_people(self) -> Poses:
        """The frames with their names, numbers and sizes, and nobody in them."""
        joints = len(self.tracklets.skeleton)
        return Poses(
            keypoints=np.zeros((0, joints, 2), np.float32),
            frame_offsets=np.zeros(len(self) + 1, np.int64),
            skeleton=self.tracklets.skeleton,
            frame_names=self.frame_names,
            frame_ids=self.frame_ids,
            frame_size=self.frame_size,
            sequence=self.sequence,
        )


def _checked_counts(name: str, counts: Array, frames: int) -> np.ndarray:
    """(F,) int64 numbers of something in each frame; None is 0."""
    counts = np.zeros(frames, np.int64) if counts is None else np.asarray(counts)
    check_shape(name, counts, ("F",), F=frames)
    if counts.size and counts.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold integers, got {counts.dtype}")
    counts = counts.astype(np.int64, copy=False)
    if (counts < 0).any():
        raise ValueError(f"{name} must be at least 0, got {counts.min()}")
    return counts


Record = Poses | FrameTracklets
"""Poses or tracklets of one frame or of several consecutive ones, with frame_names, frame_ids and frame_size."""


def save_records(path: Path, records: Record) -> None:
    """Writes records to an .npz file. Sequence, labels and ignore regions of Poses are left out, which no video has."""
    part = records.numpy() if isinstance(records, Poses) else records.tracklets.numpy()
    names = _POSE_COLUMNS if isinstance(part, Poses) else _TRACKLET_COLUMNS
    columns: dict[str, Any] = {name: value for name in names if (value := getattr(part, name)) is not None}
    columns |= {f"{FEATURE}{name}": on_host(column) for name, column in part.features.items()}
    per_frame = ("frame_ids", "frame_size") if isinstance(records, Poses) else _PER_FRAME
    columns |= {name: np.asarray(getattr(records, name)) for name in ("frame_offsets", *per_frame)}
    np.savez(path, skeleton=part.skeleton.name, frame_names=np.array(records.frame_names), **columns)


def load_records(path: Path, skeleton: Skeleton) -> Record:
    """Reads what `save_records` wrote.

    Args:
        path: The file.
        skeleton: The joints that it must hold.

    Raises:
        ValueError: The file is damaged or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return _records({name: _array(name, file[name]) for name in file.files}, skeleton)
    except Exception as error:  # NumPy's and zipfile's readers raise errors of any kind on damaged files
        found = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(f"{path}: expected a part of an interrupted run, found {found}") from None


def _array(name: str, column: Any) -> np.ndarray:
    """A column of a file, if it is one."""
    if not isinstance(column, np.ndarray):
        raise ValueError(f"{name}, which is no array")
    if name in _FINITE and not np.isfinite(column).all():
        raise ValueError(f"a number in {name} that is not finite")
    if name == "track_ids" and (column < -1).any():
        raise ValueError("a track id below -1")
    return column


def _records(arrays: Mapping[str, np.ndarray], skeleton: Skeleton) -> Record:
    if str(arrays["skeleton"]) != skeleton.name:
        raise ValueError(f"poses of {arrays['skeleton']}, not of {skeleton.name}")
    features = {name.removeprefix(FEATURE): column for name, column in arrays.items() if name.startswith(FEATURE)}
    about: dict[str, Any] = {name: arrays[name] for name in ("frame_offsets", "frame_ids", "frame_size")}
    about["frame_names"] = tuple(arrays["frame_names"].tolist())
    if "first_frame" in arrays:
        if missing := [name for name in _COUNTS if name not in arrays]:
            raise ValueError(f"no {missing[0]}")  # as of an earlier version
        tracklets: dict[str, Any] = {name: arrays[name] for name in _TRACKLET_COLUMNS}
        about |= {name: arrays[name] for name in _COUNTS}
        return FrameTracklets(Tracklets(skeleton=skeleton, features=features, **tracklets), **about)
    columns: dict[str, Any] = {name: arrays[name] for name in _POSE_COLUMNS if name in arrays}
    return Poses(skeleton=skeleton, features=features, **about, **columns)
