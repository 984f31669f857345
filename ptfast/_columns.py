"""Shared parts of the columnar structures: casts that lose nothing, joined columns, the joints' extents."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ptfast._check import Array, core_array, format_shape, is_tensor, shape_of

DILATION = 0.2  # of a box about joints


def is_sentinel(keypoints: Array, joint_scores: Array) -> Array:
    """(...,) bool of joints by which tools mean none: a score of 0 at (0, 0), (-1, -1) or elsewhere off that corner.

    Args:
        keypoints: (..., 2).
        joint_scores: (...,).
    """
    return (joint_scores == 0) & (keypoints[..., 0] <= 0) & (keypoints[..., 1] <= 0)


def joint_boxes(keypoints: np.ndarray, joint_visibility: np.ndarray) -> np.ndarray:
    """(N, 4) float32 extents of the joints that are not absent; zeros for a pose without joints."""
    low = np.full((len(keypoints), 2), np.inf, np.float32)
    high = -low
    # Joint by joint: NumPy reduces long columns several times as fast as short rows.
    for k in range(keypoints.shape[1]):
        present = joint_visibility[:, k, None] > 0
        np.minimum(low, keypoints[:, k], out=low, where=present)
        np.maximum(high, keypoints[:, k], out=high, where=present)
    return np.where(np.tile(low <= high, (1, 2)), np.concatenate([low, high], 1), np.float32(0))


def dilate(boxes: np.ndarray) -> np.ndarray:
    """(..., 4) boxes, each side a tenth of the box's extent farther out and at least a pixel from the middle."""
    centre, half = (boxes[..., :2] + boxes[..., 2:]) / 2, (boxes[..., 2:] - boxes[..., :2]) / 2
    half = np.maximum(half * np.float32(1 + DILATION), np.float32(1))
    return np.concatenate([centre - half, centre + half], -1)


def on_host(array: Array) -> np.ndarray:
    """A NumPy array of an array or tensor."""
    return array.detach().cpu().numpy() if is_tensor(array) else np.asarray(array)


def like(other: Array, array: np.ndarray) -> Array:
    """`array` as a tensor on the device of `other` where that is a tensor, else as it is."""
    if not is_tensor(other):
        return array
    import torch

    return torch.as_tensor(array, device=other.device)


def namespace_of(array: Array) -> Any:
    """Module whose functions take the array: torch for a tensor, else NumPy."""
    return sys.modules["torch"] if is_tensor(array) else np


def contiguous(array: Array, dtype: str) -> Array:
    """`array` in `dtype` as the native core reads it and, as a tensor, detached; itself where it is so already."""
    if is_tensor(array):
        return array.detach().to(getattr(namespace_of(array), dtype)).contiguous()
    return core_array(array, dtype)


def cast_column(name: str, array: Array, dtype: str, keypoints: Array) -> Array:
    """`array` in `dtype`, of the keypoints' kind and on their device."""
    if not is_tensor(keypoints):
        return cast_array(name, np.asarray(on_host(array)), dtype)
    import torch

    if not is_tensor(array):
        array = torch.as_tensor(cast_array(name, np.asarray(array), dtype))
    return array.to(keypoints.device, getattr(torch, dtype))


def cast_array(name: str, array: np.ndarray, dtype: str) -> np.ndarray:
    """A NumPy array in another dtype; from floats or wider integers to an integer dtype only where nothing is lost."""
    if array.dtype == dtype or np.dtype(dtype).kind == "f":
        return np.asarray(array, dtype)
    with np.errstate(invalid="ignore"):
        cast = np.asarray(array, dtype)
    lost = cast != array
    if lost.any():
        raise ValueError(f"{name} must hold numbers that {dtype} can hold, got {array[lost].flat[0]}")
    return cast


def join_columns(name: str, columns: list[Any]) -> Any:
    """One column of several parts' columns; None where all are. ValueError where only some are."""
    if all(column is None for column in columns):
        return None
    if any(column is None for column in columns):
        raise ValueError(f"{name} must be there in all parts or in none")
    if isinstance(columns[0], tuple):
        return tuple(entry for column in columns for entry in column)
    if is_tensor(columns[0]):
        import torch

        return torch.cat(columns)
    return np.concatenate(columns)


def checked_features(features: Mapping[str, Array], keypoints: Array) -> dict[str, Array]:
    """A copy of named (N, ...) columns, each of the keypoints' kind and on their device, in its own dtype.

    Raises:
        TypeError: `features` is no mapping, or a name is no text.
        ValueError: A column has another number of rows than the keypoints.
    """
    if not isinstance(features, Mapping) or not all(isinstance(name, str) for name in features):
        raise TypeError(f"features must be a mapping from names to columns, got {features!r}")
    checked = {}
    for name, given in features.items():
        column = given if is_tensor(given) else np.asarray(given)
        shape = shape_of(f"features[{name!r}]", column)
        if shape[:1] != keypoints.shape[:1]:
            expected = f"(N, ...) with N = {keypoints.shape[0]}"
            raise ValueError(f"features[{name!r}] must have shape {expected}, got {format_shape(tuple(shape))}")
        same_kind = is_tensor(column) == is_tensor(keypoints)
        if same_kind and (not is_tensor(column) or column.device == keypoints.device):
            checked[name] = column
        else:
            checked[name] = like(keypoints, on_host(column))
    return checked


def join_features(parts: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """The named columns of several parts, joined name by name.

    Raises:
        ValueError: A name is there in some parts only.
    """
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: join_columns(f"features[{name!r}]", [part.get(name) for part in parts]) for name in names}


def frame_of_rows(frame_offsets: np.ndarray) -> np.ndarray:
    """(N,) int64 frame of each row, from frame offsets (F + 1,)."""
    return np.repeat(np.arange(len(frame_offsets) - 1), np.diff(frame_offsets))


def offsets_of(counts: np.ndarray) -> np.ndarray:
    """(F + 1,) int64 offsets of runs of rows with these lengths (F,)."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def join_offsets(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Offsets of the runs of several columns laid end to end, from the offsets of each."""
    return offsets_of(np.concatenate([np.zeros(0, np.int64), *(np.diff(part) for part in parts)]))


def kept_rows(mask: Array, frame_offsets: np.ndarray) -> tuple[Array, np.ndarray]:
    """Rows that a mask keeps.

    Args:
        mask: (N,) bool.
        frame_offsets: (F + 1,) int64 on the host, where each frame begins before.

    Returns:
        The rows where the mask is True, int64, of its kind and on its device; and (F + 1,) int64 on the host, where
        each frame begins among them.
    """
    if is_tensor(mask):
        rows = mask.nonzero().squeeze(1)
        offsets = namespace_of(mask).searchsorted(rows, rows.new_tensor(frame_offsets))
        return rows, offsets.cpu().numpy()
    kept = np.flatnonzero(mask)
    return kept, np.searchsorted(kept, frame_offsets)


def frame_pairs(a_offsets: np.ndarray, b_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of rows that share a frame; offsets (F + 1,) each.

    Returns:
        Rows of a and rows of b, (P,) int64 each: frame after frame, a's rows in order and b's within each of them.
    """
    a_counts, b_counts = np.diff(a_offsets), np.diff(b_offsets)
    width = np.repeat(b_counts, a_counts)  # partners of each row of a
    a_rows = np.repeat(np.arange(len(width)), width)
    start = np.repeat(np.repeat(b_offsets[:-1], a_counts) - (np.cumsum(width) - width), width)
    return a_rows, start + np.arange(len(a_rows))
