"""Frames' numbers in their video: told by names, kept by writers, and of the frames without anybody in between.

`Poses.frame_ids` are the numbers as a file gives them. Every one of these is a number in the video, but that
PoseTrack's ids begin with the video's: 10002340007 is frame 7 of video 000234.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from ptfast.structures import Poses

# A damaged number must not make billions of frames without anybody, but an hour of video may show nobody.
MAX_GAP = 100_000
MAX_EMPTY = 1_000_000
_NUMBERED = re.compile(r"(.*?)(?<!\d)(\d{1,18})(\D*)", re.DOTALL).fullmatch
_POSETRACK_VIDEO = 10**4  # ids of one video share all but their last four digits,
_POSETRACK_LEAST = 10**10  # and no video has as many frames


def numbers_of_names(names: Sequence[str] | None) -> np.ndarray | None:
    """(F,) int64, the last number in each name's stem; None where names do not tell frames apart by it alone.

    Names such as img_9.jpg and img_10.jpg do, whose text is the same but for the number.
    """
    found = [_NUMBERED(os.path.splitext(name)[0]) for name in names or ()]
    parts = [match.groups() for match in found if match]
    if not parts or len(parts) < len(found) or len({(before, after) for before, _, after in parts}) > 1:
        return None
    numbers = np.array([int(digits) for _, digits, _ in parts], np.int64)
    return numbers if len(np.unique(numbers)) == len(numbers) else None


def in_order(frames: np.ndarray, about: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Puts frames in rising order of their numbers, which names tell where the file gives no ids.

    Args:
        frames: (N,) int64 frame of each pose, in the file's order of frames.
        about: Frame columns of Poses by name, None for those that the file lacks.

    Returns:
        The same, of the frames in their order.
    """
    if about["frame_ids"] is None:
        about = about | {"frame_ids": numbers_of_names(about["frame_names"])}
    numbers = about["frame_ids"]
    if numbers is None or (np.asarray(numbers)[1:] > np.asarray(numbers)[:-1]).all():
        return frames, about
    order = np.argsort(numbers, kind="stable")
    return np.argsort(order)[frames], {name: _taken(column, order) for name, column in about.items()}


def _taken(column: Any, order: np.ndarray) -> Any:
    if column is None or isinstance(column, np.ndarray):
        return column if column is None else column[order]
    return tuple(column[frame] for frame in order)


def without_gaps(numbers: np.ndarray, refuse: Callable[[int, str], NoReturn]) -> np.ndarray:
    """Rising numbers of frames with those in between, in which there is nobody.

    Three numbers or more that share a step, as of every fifth frame, keep it.

    Args:
        numbers: (F,) int64, rising.
        refuse: Raises the error for the frame of an index, which says what was expected.
    """
    if len(numbers) < 2:
        return numbers
    step = _step(numbers)
    empty = np.diff(numbers) // step - 1
    for wrong, expected in (
        (empty > MAX_GAP, f"a frame at most {MAX_GAP:,} frames without anybody after the one before"),
        (np.cumsum(empty) > MAX_EMPTY, f"at most {MAX_EMPTY:,} frames without anybody"),
    ):
        if wrong.any():
            refuse(int(wrong.argmax()) + 1, expected)
    return np.arange(numbers[0], numbers[-1] + 1, step)


def mostly_there(numbers: np.ndarray) -> bool:
    """Tells numbers of a video's frames from those of images here and there: at least half of them are there."""
    return len(numbers) < 2 or (int(numbers[-1]) - int(numbers[0])) < 2 * len(numbers) * int(_step(numbers))


def _step(numbers: np.ndarray) -> np.int64:
    return np.gcd.reduce(np.diff(numbers)) if len(numbers) > 2 else np.int64(1)


def numbers_in_video(poses: Poses) -> np.ndarray | None:
    """(F,) int64 numbers of frames in their video; None where neither ids nor names tell them."""
    ids = poses.frame_ids
    if ids is None:
        return numbers_of_names(poses.frame_names)
    if len(ids) and ids.min() >= _POSETRACK_LEAST and len(np.unique(ids // _POSETRACK_VIDEO)) == 1:
        return ids % _POSETRACK_VIDEO
    return ids


def ids_to_write(poses: Poses, first: int) -> np.ndarray:
    """(F,) int64 ids of the frames for a file: their own, else what names tell, else counted from `first`.

    Args:
        poses: The frames.
        first: 1, or PoseTrack's id of frame 0, which names' numbers are added to.
    """
    if poses.frame_ids is not None:
        return poses.frame_ids
    numbers = numbers_of_names(poses.frame_names)
    if numbers is None or (first > 1 and numbers.max() >= _POSETRACK_VIDEO):
        return np.arange(first, first + len(poses))
    return first + numbers if first > 1 else from_one(numbers)


def from_one(numbers: np.ndarray) -> np.ndarray:
    """(F,) numbers that count from 1: one more where they count from 0, as one of them shows."""
    return numbers + 1 if numbers.min() == 0 else numbers
