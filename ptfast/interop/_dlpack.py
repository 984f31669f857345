"""Poses from and for whatever speaks DLPack (JAX, CuPy, TensorFlow, torch, NumPy), without a copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ptfast._check import Array
from ptfast.interop._require import require
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses

_COLUMNS = ("keypoints", "joint_scores", "joint_visibility", "boxes", "scores", "track_ids", "head_boxes", "areas")
_ON_HOST = 1  # DLPack's kDLCPU


def to_dlpack(poses: Poses) -> dict[str, Array]:
    """The columns of Poses by name, to be handed to another package: `jax.dlpack.from_dlpack(columns["keypoints"])`.

    They are the arrays or tensors themselves, on their device, and writing to them changes the poses. Those that the
    poses lack are left out, and so is all that is known of frames but `frame_offsets`.
    """
    columns = {name: getattr(poses, name) for name in _COLUMNS}
    there = {name: column for name, column in columns.items() if column is not None}
    return there | {"frame_offsets": poses.frame_offsets}


def from_dlpack(columns: Mapping[str, Any], skeleton: Skeleton) -> Poses:
    """Makes Poses of other packages' arrays: NumPy arrays on the CPU, torch tensors elsewhere.

    Args:
        columns: Objects with `__dlpack__` by the names of Poses' columns. "keypoints" (N, K, 2) and "frame_offsets"
            (F + 1,) are needed. Nothing is copied that has the dtype of Poses already, but for frame_offsets.
        skeleton: The joint set, K joints.

    Raises:
        ImportError: A column is on a GPU, and torch is not installed.
        TypeError: A column does not speak DLPack.
        ValueError: A column is missing, is none of Poses', or has the wrong shape.
    """
    for name in ("keypoints", "frame_offsets"):
        if name not in columns:
            raise ValueError(f"columns must have {name!r}, got {', '.join(columns) or 'none'}")
    for name in columns:
        if name not in (*_COLUMNS, "frame_offsets"):
            raise ValueError(f"columns must be among {', '.join(_COLUMNS)} and frame_offsets, got {name!r}")
    return Poses(skeleton=skeleton, **{name: _taken(name, column) for name, column in columns.items()})


def _taken(name: str, column: Any) -> Array:
    """An array or tensor of the same memory."""
    if not (hasattr(column, "__dlpack__") and hasattr(column, "__dlpack_device__")):
        raise TypeError(f"{name} must have __dlpack__ and __dlpack_device__, got {type(column).__name__}")
    if column.__dlpack_device__()[0] == _ON_HOST:
        return np.from_dlpack(column)
    return require("torch.utils.dlpack", "from_dlpack", "torch").from_dlpack(column)
