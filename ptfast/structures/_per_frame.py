"""Columns of Poses from one array a frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ptfast._check import Array, check_shape, is_tensor
from ptfast._columns import is_sentinel, join_columns, like, offsets_of, on_host

_ROWS: dict[str, tuple[int | str, ...]] = {"scores": ("n",), "boxes": ("n", 4), "track_ids": ("n",)}


def columns_of_frames(
    keypoints: Iterable[Array], joints: int, columns: Mapping[str, Iterable[Array] | None]
) -> dict[str, Any]:
    """Columns of Poses by name, of the frames' arrays one after the other, and `frame_offsets`.

    Args:
        keypoints: F arrays (n, K, 2), or (n, K, 3) with the joints' scores.
        joints: K.
        columns: F arrays of n rows for each name of `_ROWS`, or None, which is left out.

    Raises:
        TypeError: A frame holds no numbers.
        ValueError: A shape is wrong. Both messages name the frame.
    """
    frames = _arrays("keypoints", keypoints)
    people = {f: frame for f, frame in enumerate(frames) if not _is_empty(frame)}
    width = 3 if people and next(iter(people.values())).shape[-1:] == (3,) else 2
    for f, frame in people.items():
        check_shape(f"keypoints[{f}]", frame, ("n", "K", width), K=joints)
    counts = [frame.shape[0] for frame in frames]
    joined = _joint_columns(_joined(frames, (joints, width))) | {"frame_offsets": offsets_of(np.array(counts))}
    rows = {name: _rows(name, column, counts) for name, column in columns.items() if column is not None}
    return joined | {name: _joined(arrays, _ROWS[name][1:]) for name, arrays in rows.items()}


def _arrays(name: str, frames: Iterable[Array]) -> list[Array]:
    return [_array(f"{name}[{f}]", frame) for f, frame in enumerate(frames)]


def _array(name: str, frame: Array) -> Array:
    """`frame` as a tensor or an array of numbers."""
    if is_tensor(frame):
        return frame
    try:
        array = np.asarray(frame)
    except ValueError as error:
        raise ValueError(f"{name} must be an array of numbers: {error}") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold numbers, got dtype {array.dtype}")
    return array


def _is_empty(frame: Array) -> bool:
    """Tells a frame without people, of whatever shape: [] is one."""
    return frame.shape[:1] == (0,)


def _rows(name: str, column: Iterable[Array], counts: list[int]) -> list[Array]:
    """The column's arrays, with as many rows in each frame as there are people."""
    arrays = _arrays(name, column)
    if len(arrays) != len(counts):
        raise ValueError(f"{name} must have one array for each of {len(counts)} frames, got {len(arrays)}")
    for f, (array, count) in enumerate(zip(arrays, counts, strict=True)):
        if count or not _is_empty(array):
            check_shape(f"{name}[{f}]", array, _ROWS[name], n=count)
    return arrays


def _joined(frames: list[Array], shape: tuple[int | str, ...]) -> Array:
    """(N, *shape) rows of all frames, of the kind and on the device of the first that has any."""
    parts = [frame for frame in frames if not _is_empty(frame)]
    if not parts:
        return np.zeros((0, *shape))
    same = [part if is_tensor(part) == is_tensor(parts[0]) else like(parts[0], on_host(part)) for part in parts]
    return join_columns("frames", same)


def _joint_columns(joined: Array) -> dict[str, Array]:
    """Columns of (N, K, 2) joints or (N, K, 3) joints and scores.

    What is not finite is absent, with a score of 0, and at (0, 0); so is a tool's sentinel.
    """
    host = on_host(joined)
    known = np.isfinite(host).all(-1)
    if host.shape[-1] == 3:
        known &= ~is_sentinel(host[..., :2], host[..., 2])
    keypoints = joined[..., :2] if known.all() else like(joined, np.where(known[..., None], host[..., :2], 0))
    columns = {"keypoints": keypoints, "joint_visibility": np.where(known, np.uint8(2), np.uint8(0))}
    if host.shape[-1] == 3:
        columns["joint_scores"] = np.where(known, host[..., 2], 0)
    return columns
