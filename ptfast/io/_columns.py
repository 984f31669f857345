"""From columns in a file's order to Poses: what a file leaves out is filled, rows are sorted by frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ptfast._columns import is_sentinel, offsets_of
from ptfast._json import Content, decode
from ptfast.io._gather import Objects, Rows, may_hold_nan
from ptfast.skeletons import Skeleton
from ptfast.structures import IgnoreRegions, Poses, joint_boxes


def sequence_name(parts: dict[str, Content], file: str, default: str) -> str:
    """The name that a JSON file gives its sequence, else the default."""
    return decode(parts["sequence"], str, file, "sequence") if "sequence" in parts else default


def repeated_id(frames: np.ndarray, ids: np.ndarray) -> int | None:
    """The first row whose id (none if negative) an earlier row of the same frame has too; frames and ids (N,)."""
    order = np.lexsort((ids, frames))
    same = (np.diff(ids[order]) == 0) & (np.diff(frames[order]) == 0) & (ids[order][1:] >= 0)
    return int(order[1:][same].min()) if same.any() else None


def check_distinct_ids(frames: np.ndarray, ids: np.ndarray, rows: Rows, frame_of: Callable[[int], str]) -> None:
    """Raises ValueError where an id stands twice in a frame.

    Args:
        frames: (N,) int64 frame of each row.
        ids: (N,) int64, negative for none.
        rows: Where the rows stand.
        frame_of: A row's frame in a message, e.g. image 5.
    """
    row = repeated_id(frames, ids)
    if row is not None:
        rows.fail(row, "track_id", f"each track id once in {frame_of(row)}", f"{ids[row]} twice")


def known_scores(given: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Who has a score, (N, 1) or (N, K) bool, and (N, K) joint scores: a NaN is none, and becomes 0.

    Args:
        given: (N,) bool, who has scores in the file.
        values: (N, K).
    """
    if not may_hold_nan(values):
        return given[:, None], values
    missing = np.isnan(values)
    return given[:, None] & ~missing, np.where(missing, 0, values)


def joint_scores(given: np.ndarray, values: np.ndarray, visibility: np.ndarray) -> np.ndarray:
    """(N, K) joint scores: the file's where `given` (N, 1) or (N, K), else 1 if the file has none at all, else 0."""
    if given.all():
        return values
    return np.where(given, values, (visibility > 0) * (0.0 if given.any() else 1.0))


def scored_feature(given: np.ndarray, visibility: np.ndarray) -> dict[str, np.ndarray] | None:
    """The feature joint_scored (N, K): False for joints that are there without a score; None where there are none.

    Args:
        given: (N, 1) or (N, K) bool, who has a score in the file.
        visibility: (N, K).
    """
    if given.all():
        return None
    scored = given | (visibility == 0)
    return None if scored.all() else {"joint_scored": scored}


def pose_scores(given: np.ndarray, values: np.ndarray, scores: np.ndarray, visibility: np.ndarray) -> np.ndarray:
    """(N,) pose scores: the file's where `given`, else the mean over the joints that are there; 1 if there are none."""
    if given.all():
        return values
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


def areas_or_none(entries: Objects, boxes: np.ndarray) -> np.ndarray | None:
    """(N,) areas: the file's where it has them, else the box's; None where it has none."""
    given, values = entries.optional_number("area", 0)
    of_boxes = np.prod(boxes[:, 2:] - boxes[:, :2], 1)
    return np.where(given, values, of_boxes) if given.any() else None


def scored_columns(entries: Objects, joints: int, with_box: np.ndarray, boxes: np.ndarray) -> dict[str, Any]:
    """Pose columns of Poses, in file order, where keypoints are x, y, score of each joint.

    A joint whose x or y is NaN is absent, as `is_sentinel` is; a score that is NaN alone is missing.

    Args:
        entries: N poses.
        joints: K.
        with_box: (N,) bool, who has a box in the file.
        boxes: (N, 4) xyxy of those.
    """
    triples, _ = entries.joints("keypoints", joints)
    scored, given_scores = known_scores(np.ones(len(entries), bool), np.ascontiguousarray(triples[..., 2]))
    absent = is_sentinel(triples[..., :2], given_scores) & scored
    visibility = np.where(absent, 0, 2).astype(np.uint8)
    scores = joint_scores(scored, given_scores, visibility)
    keypoints = np.where(absent[..., None], 0, triples[..., :2])
    boxes = boxes_or_extents(with_box, boxes, keypoints, visibility)
    return {
        "keypoints": keypoints,
        "joint_scores": scores,
        "joint_visibility": visibility,
        "boxes": boxes,
        "scores": pose_scores(*entries.optional_number("score", 0), scores, visibility),
        "track_ids": entries.track_ids(),
        "areas": areas_or_none(entries, boxes),
        "features": scored_feature(scored, visibility),
    }


def center_columns(boxes: np.ndarray, scores: np.ndarray) -> dict[str, np.ndarray]:
    """Pose columns of boxes (N, 4) xyxy with scores (N,) alone: the one joint is the box's centre."""
    boxes = boxes.astype(np.float32)
    return {
        "keypoints": (boxes[:, None, :2] + boxes[:, None, 2:]) / 2,
        "joint_scores": scores[:, None],
        "boxes": boxes,
        "scores": scores,
    }


def take_rows(columns: dict[str, Any], rows: np.ndarray) -> dict[str, Any]:
    """Rows of pose columns, and of features among them."""
    return {
        name: take_rows(column, rows) if isinstance(column, dict) else None if column is None else column[rows]
        for name, column in columns.items()
    }


def build(skeleton: Skeleton, frames: np.ndarray, count: int, columns: dict[str, Any], **of_sequence: Any) -> Poses:
    """Poses from columns in file order.

    Args:
        skeleton: K joints.
        frames: (N,) int64 frame of each row; rows of one frame keep their order.
        count: Number of frames.
        columns: Pose columns of Poses by name, each with N rows, or None; "features" is a dict of them.
        **of_sequence: Frame columns and the sequence's name.
    """
    if (np.diff(frames) < 0).any():
        columns = take_rows(columns, np.argsort(frames, kind="stable"))
    offsets = offsets_of(np.bincount(frames, minlength=count))
    columns = columns | {"features": columns.get("features") or {}}
    return Poses(frame_offsets=offsets, skeleton=skeleton, **columns, **of_sequence)


def polygons(regions: list[list[np.ndarray]]) -> IgnoreRegions | None:
    """Ignore regions of each frame, None where no frame has any."""
    return tuple(tuple(region) for region in regions) if any(regions) else None
