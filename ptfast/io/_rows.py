"""Steps that all readers share: from columns in file order to Poses."""

from __future__ import annotations

from typing import Any

import numpy as np

from ptfast.io._bulk import require
from ptfast.skeletons import Skeleton
from ptfast.structures import IgnoreRegions, Poses, joint_boxes


def repeated_id(frames: np.ndarray, ids: np.ndarray) -> int | None:
    """The first row whose id (none if negative) an earlier row of the same frame has too; frames and ids (N,)."""
    order = np.lexsort((ids, frames))
    same = (np.diff(ids[order]) == 0) & (np.diff(frames[order]) == 0) & (ids[order][1:] >= 0)
    return int(order[1:][same].min()) if same.any() else None


def check_ids(frames: np.ndarray, ids: np.ndarray) -> None:
    """Raises IrregularError where an id is below -1, none, or stands twice in a frame; frames and ids (N,)."""
    require((ids >= -1).all() and repeated_id(frames, ids) is None)


def joint_scores(given: np.ndarray, values: np.ndarray, visibility: np.ndarray) -> np.ndarray:
    """(N, K) joint scores: the file's where `given` (N,) or (N, K), else 1 if the file has none at all, else 0."""
    rest = (visibility > 0) * (0.0 if given.any() else 1.0)
    return np.where(given if given.ndim == 2 else given[:, None], values, rest)


def pose_scores(given: np.ndarray, values: np.ndarray, scores: np.ndarray, visibility: np.ndarray) -> np.ndarray:
    """(N,) pose scores: the file's where `given`, else the mean over the joints that are there; 1 if there are none."""
    present = visibility > 0
    count = present.sum(1)
    mean = np.where(present, scores, 0).sum(1) / np.maximum(count, 1)
    return np.where(given, values, np.where(count > 0, mean, 1))


def boxes_or_extents(
    given: np.ndarray, values: np.ndarray, keypoints: np.ndarray, visibility: np.ndarray
) -> np.ndarray:
    """(N, 4) xyxy: the file's boxes where `given`, else the extent of the joints that are there."""
    if given.all():
        return values
    extents = joint_boxes(keypoints.astype(np.float32), visibility)
    return np.where(given[:, None], values, extents)


def areas_or_none(given: np.ndarray, values: np.ndarray, boxes: np.ndarray) -> np.ndarray | None:
    """(N,) areas: the file's at the indices `given`, the box's elsewhere; None where the file has none."""
    of_boxes = np.prod(boxes[:, 2:] - boxes[:, :2], 1)
    return np.where(mask_of(given, len(boxes)), values, of_boxes) if given.size else None


def mask_of(index: np.ndarray, count: int) -> np.ndarray:
    """(count,) bool, True at `index`."""
    mask = np.zeros(count, bool)
    mask[index] = True
    return mask


def build(skeleton: Skeleton, frames: np.ndarray, count: int, columns: dict[str, Any], **of_sequence: Any) -> Poses:
    """Poses from columns in file order.

    Args:
        skeleton: K joints.
        frames: (N,) int64 frame of each row; rows of one frame keep their order.
        count: Number of frames.
        columns: Pose columns of Poses by name, each with N rows, or None.
        **of_sequence: Frame columns and the sequence's name.
    """
    if (np.diff(frames) < 0).any():
        order = np.argsort(frames, kind="stable")
        columns = {name: None if column is None else column[order] for name, column in columns.items()}
    offsets = np.concatenate([[0], np.cumsum(np.bincount(frames, minlength=count))])
    return Poses(frame_offsets=offsets, skeleton=skeleton, **columns, **of_sequence)


def polygons(regions: list[list[np.ndarray]]) -> IgnoreRegions | None:
    """Ignore regions of each frame, None where no frame has any."""
    return tuple(tuple(region) for region in regions) if any(regions) else None
