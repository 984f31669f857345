"""Tracklets: finds of a clip method, before they are joined and merged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ptfast._check import Array, check_shape, is_integral, is_tensor
from ptfast._columns import (
    cast_column,
    checked_features,
    join_columns,
    join_features,
    joint_boxes,
    like,
    on_host,
)
from ptfast.skeletons import Skeleton

_COLUMNS: dict[str, tuple[tuple[int | str, ...], str]] = {
    "keypoints": (("M", "T", "K", 2), "float32"),
    "joint_scores": (("M", "T", "K"), "float32"),
    "first_frame": (("M",), "int64"),
    "boxes": (("M", 4), "float32"),
    "scores": (("M",), "float32"),
}


@dataclass(frozen=True, eq=False)
class Tracklets:
    """Poses of M people over clips of T frames each, as a clip method gives them; in any order.

    T is odd. A clip's key frame, where its person was detected, is first_frame + T // 2. Clips stick out at the ends of
    a video: entries before frame 0 or past the last frame mean nothing, and whoever reads them leaves them out.
    Columns are NumPy arrays or torch tensors of one device and are cast to the dtype named here.

    Attributes:
        keypoints: (M, T, K, 2) float32, x and y in image pixels, centres at integers.
        joint_scores: (M, T, K) float32.
        first_frame: (M,) int64, the video frame of each clip's first entry, perhaps negative.
        skeleton: The joint set, K joints.
        boxes: (M, 4) float32 xyxy, the detection in the key frame; default the extent of the key frame's joints.
        scores: (M,) float32, the detection's; default 1.
        features: Further (M, ...) columns by name, of any dtype, that travel with their rows.

    Raises:
        ValueError: A shape is wrong, or T is even.
    """

    keypoints: Array
    joint_scores: Array
    first_frame: Array
    skeleton: Skeleton
    boxes: Array = None
    scores: Array = None
    features: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not is_tensor(self.keypoints):
            object.__setattr__(self, "keypoints", np.asarray(self.keypoints))
        check_shape("keypoints", self.keypoints, ("M", "T", "K", 2), K=len(self.skeleton))
        m, t, k = self.keypoints.shape[:3]
        if t % 2 == 0:
            raise ValueError(f"keypoints must hold an odd number T of frames, got {t}")
        for name, value in self._defaults().items():
            object.__setattr__(self, name, value)
        sizes = {"M": m, "T": t, "K": k}
        for name, (pattern, dtype) in _COLUMNS.items():
            value = getattr(self, name)
            value = value if is_tensor(value) else np.asarray(value)
            check_shape(name, value, pattern, **{key: sizes[key] for key in pattern if isinstance(key, str)})
            object.__setattr__(self, name, cast_column(name, value, dtype, self.keypoints))
        object.__setattr__(self, "features", checked_features(self.features, self.keypoints))

    def __len__(self) -> int:
        """Number of tracklets."""
        return self.keypoints.shape[0]

    def __repr__(self) -> str:
        t, k = self.keypoints.shape[1:3]
        return f"Tracklets({len(self)} of {t} frames, {k} joints, {self.skeleton.name})"

    def select(self, rows: Array) -> Tracklets:
        """The tracklets of `rows`: (R,) integers, in that order and perhaps repeated, or (M,) truth values."""
        rows = rows if is_tensor(rows) else np.asarray(rows)
        host = on_host(rows)
        if host.dtype == np.bool_:
            check_shape("rows", rows, ("M",), M=len(self))
            host = np.flatnonzero(host)
        elif host.size and not is_integral(host):
            raise TypeError(f"rows must hold integers or truth values, got {host.dtype}")
        else:
            check_shape("rows", rows, ("R",))
        index = host.astype(np.int64)
        return self._map(lambda column: column[index])

    def to(self, device: Any) -> Tracklets:
        """The columns as torch tensors on `device` ("cpu", "cuda:0", ...)."""
        import torch

        return self._map(lambda column: torch.as_tensor(column, device=device))

    def numpy(self) -> Tracklets:
        """The columns as NumPy arrays."""
        return self._map(on_host) if is_tensor(self.keypoints) else self

    @staticmethod
    def concatenate(parts: Sequence[Tracklets]) -> Tracklets:
        """Joins sets of tracklets one after the other.

        Raises:
            ValueError: There are no parts, skeletons or clip lengths differ, or a feature is there in some parts only.
        """
        if not parts:
            raise ValueError("parts must hold at least one Tracklets, got none")
        if any(part.skeleton != parts[0].skeleton for part in parts):
            raise ValueError(f"parts must share one skeleton, got {sorted({part.skeleton.name for part in parts})}")
        lengths = sorted({part.keypoints.shape[1] for part in parts})
        if len(lengths) > 1:
            raise ValueError(f"parts must share one clip length, got {lengths}")
        columns = {name: join_columns(name, [getattr(part, name) for part in parts]) for name in _COLUMNS}
        return replace(parts[0], **columns, features=join_features([part.features for part in parts]))

    def _map(self, function: Callable[[Array], Array]) -> Tracklets:
        columns = {name: function(getattr(self, name)) for name in _COLUMNS}
        return replace(self, **columns, features={name: function(column) for name, column in self.features.items()})

    def _defaults(self) -> dict[str, Array]:
        """Values for the columns that were left out, of the keypoints' kind and on their device."""
        m, t, k = self.keypoints.shape[:3]
        made: dict[str, Array] = {}
        if self.boxes is None:
            made["boxes"] = joint_boxes(on_host(self.keypoints[:, t // 2]), np.ones((m, k), np.uint8))
        if self.scores is None:
            made["scores"] = np.ones(m, np.float32)
        return {name: like(self.keypoints, value) for name, value in made.items()}
