"""Poses of other packages' objects, one a frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ptfast.skeletons import Skeleton
from ptfast.structures import Poses

PERSON = 0  # the class id of what ptfast finds; COCO's, counted from 0


def each_frame(frames: Iterable[Any], kind: str, attribute: str) -> Iterator[tuple[str, Any]]:
    """The objects of supervision's class `kind`, one a frame, each with its name for messages.

    Raises:
        TypeError: `frames` is one such object, or holds another one. Those of the class are known by `attribute`.
    """
    if hasattr(frames, attribute) or not hasattr(frames, "__iter__"):
        raise TypeError(f"frames must be a list of sv.{kind}, one a frame, got {type(frames).__name__}")
    for index, frame in enumerate(frames):
        if not hasattr(frame, attribute):
            raise TypeError(f"frames[{index}] must be sv.{kind}, got {type(frame).__name__}")
        yield f"frames[{index}]", frame


def one_frame(skeleton: Skeleton, keypoints: np.ndarray, **columns: Any) -> Poses:
    """Poses of one frame. A column that is None takes its default, and of an empty frame all do."""
    given: dict[str, Any] = {name: np.asarray(column) for name, column in columns.items() if column is not None}
    if len(keypoints) == 0:
        given = {}
    return Poses(keypoints=keypoints, frame_offsets=np.array([0, len(keypoints)]), skeleton=skeleton, **given)


def joined(parts: list[Poses], skeleton: Skeleton) -> Poses:
    """The frames as one video, perhaps of none."""
    nothing = np.zeros((0, len(skeleton), 2), np.float32)
    return Poses.concatenate(parts) if parts else Poses(nothing, np.zeros(1, np.int64), skeleton)
