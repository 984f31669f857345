"""The columns of Poses: their shapes and dtypes, defaults, and parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ptfast._check import Array, check_offsets, check_shape, is_tensor
from ptfast._columns import (
    cast_array,
    cast_column,
    is_sentinel,
    joint_boxes,
    like,
    namespace_of,
    offsets_of,
    on_host,
)

# Columns with one row a pose: pattern and dtype. The first group is always there, the second may be None.
POSE_COLUMNS: dict[str, tuple[tuple[int | str, ...], str]] = {
    "keypoints": (("N", "K", 2), "float32"),
    "joint_scores": (("N", "K"), "float32"),
    "joint_visibility": (("N", "K"), "uint8"),
    "boxes": (("N", 4), "float32"),
    "scores": (("N",), "float32"),
    "track_ids": (("N",), "int64"),
    "head_boxes": (("N", 4), "float32"),
    "areas": (("N",), "float32"),
}
JOINT_COLUMNS = ("keypoints", "joint_scores", "joint_visibility")
JOINT_SCORED = "joint_scored"  # the feature that tells joints with a score from those without
FRAME_COLUMNS = ("frame_names", "frame_ids", "is_labeled", "frame_size", "ignore_regions")

_FRAME_DTYPES = {"frame_ids": np.int64, "is_labeled": np.bool_, "frame_size": np.int64}

IgnoreRegions = tuple[tuple[np.ndarray, ...], ...]


def pose_columns(given: Mapping[str, Array | None]) -> dict[str, Array | None]:
    """The columns with one row a pose, checked, cast and with defaults; of the keypoints' kind and on their device.

    Args:
        given: The columns of POSE_COLUMNS, None where there is none. The keypoints are checked already.
    """
    keypoints: Array = given["keypoints"]
    checked = {name: checked_column(name, column, keypoints) for name, column in given.items()}
    joints = _present_joints(checked["keypoints"], checked["joint_scores"], checked["joint_visibility"])
    columns = checked | dict(zip(JOINT_COLUMNS, joints, strict=True))
    return columns | _defaults(columns)


def checked_column(name: str, column: Array | None, keypoints: Array) -> Array | None:
    """A column of POSE_COLUMNS, cast; of the keypoints' kind and on their device."""
    if column is None:
        return None
    pattern, dtype = POSE_COLUMNS[name]
    sizes = {"N": keypoints.shape[0], "K": keypoints.shape[1]}
    column = column if is_tensor(column) else np.asarray(column)
    check_shape(name, column, pattern, **{key: sizes[key] for key in pattern if isinstance(key, str)})
    return cast_column(name, column, dtype, keypoints)


def _present_joints(keypoints: Array, scores: Array | None, visibility: Array | None) -> tuple[Array, Array, Array]:
    """The joint columns with their defaults, NaN joints absent: at (0, 0), and with a score of 0 where that is NaN.

    Where no visibility is given, a tool's sentinel is absent, too.
    """
    xp = namespace_of(keypoints)
    if visibility is None:
        known = np.full(keypoints.shape[:2], True) if scores is None else ~on_host(is_sentinel(keypoints, scores))
        visibility = like(keypoints, known * np.uint8(2))
    if scores is None:
        scores = like(keypoints, np.ones(keypoints.shape[:2], np.float32))
    if not _may_hold_nan(keypoints):
        return keypoints, scores, visibility
    absent = xp.isnan(keypoints[..., 0]) | xp.isnan(keypoints[..., 1])
    nothing = xp.zeros_like(keypoints[..., 0])
    scores = xp.where(absent & xp.isnan(scores), nothing, scores)
    visibility = xp.where(absent, xp.zeros_like(visibility), visibility)
    return xp.where(absent[..., None], nothing[..., None], keypoints), scores, visibility


def _may_hold_nan(keypoints: Array) -> bool:
    """False where there is no NaN. On a GPU, asking would wait for it."""
    if is_tensor(keypoints):
        return keypoints.is_cuda or bool(keypoints.isnan().any())
    return bool(keypoints.size) and bool(np.isnan(keypoints.min()))  # in a fifth of the time of a test of each number


def _defaults(columns: Mapping[str, Array | None]) -> dict[str, Array]:
    """Values for the columns that must be there and are None, of the keypoints' kind and on their device."""
    keypoints: Array = columns["keypoints"]
    n = len(keypoints)
    made: dict[str, Array] = {}
    if columns["boxes"] is None:
        made["boxes"] = joint_boxes(on_host(keypoints), on_host(columns["joint_visibility"]))
    if columns["scores"] is None:
        made["scores"] = np.ones(n, np.float32)
    if columns["track_ids"] is None:
        made["track_ids"] = np.full(n, -1, np.int64)
    return {name: like(keypoints, value) for name, value in made.items()}


def frame_columns(given: Mapping[str, Any], frames: int) -> dict[str, Any]:
    """The columns with one entry a frame, checked and cast."""
    checked: dict[str, Any] = {
        name: np.asarray(column, _FRAME_DTYPES[name]) if name in _FRAME_DTYPES and column is not None else column
        for name, column in given.items()
    }
    for name, column in checked.items():
        if column is not None and (isinstance(column, str) or len(column) != frames):
            raise ValueError(f"{name} must have one entry for each of {frames} frames, got {len(column)}")
    if checked["frame_size"] is not None:
        check_shape("frame_size", checked["frame_size"], ("F", 2))
    return checked


def checked_offsets(frame_offsets: Array, count: int) -> np.ndarray:
    """A copy, contiguous: native calls read it, and a change of the caller's array would send them astray."""
    offsets = np.array(cast_array("frame_offsets", on_host(frame_offsets), "int64"), order="C")
    check_offsets("frame_offsets", offsets, count, "poses", length="F + 1")
    return offsets


def rows_of_frames(frame_offsets: np.ndarray, index: range) -> tuple[Any, np.ndarray]:
    """The rows of frames `index`, as a slice where they can be one, and the offsets of these frames."""
    if index.step == 1:
        first, last = index.start, max(index.start, index.stop)
        rows = slice(int(frame_offsets[first]), int(frame_offsets[last]))
        return rows, frame_offsets[first : last + 1] - frame_offsets[first]
    chosen = [np.arange(frame_offsets[f], frame_offsets[f + 1]) for f in index]
    return np.concatenate([np.zeros(0, np.int64), *chosen]), offsets_of(np.array([len(rows) for rows in chosen]))


def take_joint_columns(columns: Mapping[str, Array], index: np.ndarray) -> dict[str, Array]:
    """Joints `index` of columns of joints, absent where that is -1; those lack no score."""
    taken = {name: take_joints(column, index) for name, column in columns.items()}
    if JOINT_SCORED in taken:
        taken[JOINT_SCORED][:, index < 0] = True
    return taken


def with_scored(features: Mapping[str, Array], joint_scores: Array) -> Mapping[str, Array]:
    """Features with who is scored: everybody, where that is not there."""
    return {JOINT_SCORED: joint_scores == joint_scores, **features}


def take_frames(column: Any, index: range) -> Any:
    """Entries `index` of a column with one entry a frame."""
    if column is None:
        return None
    if isinstance(column, np.ndarray):
        return column[list(index)]
    return tuple(column[f] for f in index)


def take_joints(column: Array, index: np.ndarray) -> Array:
    """Joints `index` of a (N, K, ...) column, zero where the index is -1."""
    shape = (column.shape[0], len(index), *column.shape[2:])
    taken = column.new_zeros(shape) if is_tensor(column) else np.zeros(shape, column.dtype)
    known = index >= 0
    taken[:, known] = column[:, index[known]]
    return taken
