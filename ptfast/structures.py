"""Poses and Tracklets: the columnar structures that every part of ptfast passes on, in NumPy or torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from ptfast._check import Array, check_dtype, check_offsets, check_shape, is_tensor
from ptfast._columns import (
    cast_array,
    cast_column,
    checked_features,
    join_columns,
    join_features,
    joint_boxes,
    kept_rows,
    like,
    namespace_of,
    offsets_of,
    on_host,
)
from ptfast._tracklets import Tracklets
from ptfast.skeletons import Skeleton

__all__ = ["IgnoreRegions", "Poses", "Tracklets", "head_sizes", "joint_boxes", "pose_areas"]

# Columns with one row a pose: pattern and dtype. The first group is always there, the second may be None.
_POSE_COLUMNS: dict[str, tuple[tuple[int | str, ...], str]] = {
    "keypoints": (("N", "K", 2), "float32"),
    "joint_scores": (("N", "K"), "float32"),
    "joint_visibility": (("N", "K"), "uint8"),
    "boxes": (("N", 4), "float32"),
    "scores": (("N",), "float32"),
    "track_ids": (("N",), "int64"),
    "head_boxes": (("N", 4), "float32"),
    "areas": (("N",), "float32"),
}
_FRAME_COLUMNS = ("frame_names", "frame_ids", "is_labeled", "frame_size", "ignore_regions")

IgnoreRegions = tuple[tuple[np.ndarray, ...], ...]


@dataclass(frozen=True, eq=False)
class Poses:
    """All poses of one sequence, frame after frame. N poses, K joints, F frames; image pixels, centres at integers.

    Only keypoints, frame_offsets and skeleton need to be given. Pose columns are NumPy arrays or torch tensors of one
    device and are cast to the dtype named here; everything with one entry a frame stays on the host.

    Attributes:
        keypoints: (N, K, 2) float32, x and y.
        frame_offsets: (F + 1,) int64 on the host: frame f holds the rows frame_offsets[f] to frame_offsets[f + 1].
        skeleton: The joint set, K joints.
        joint_scores: (N, K) float32, any finite value; default 1.
        joint_visibility: (N, K) uint8: 0 absent, 1 labelled but hidden, 2 visible; default 2.
        boxes: (N, 4) float32 xyxy, width = x2 - x1; default the extent of the joints that are not absent.
        scores: (N,) float32; default 1.
        track_ids: (N,) int64, -1 for none; default -1.
        head_boxes: (N, 4) float32 xyxy or None; a row of NaN where one pose has none.
        areas: (N,) float32 or None (then the box's area counts).
        features: Further (N, ...) columns by name, of any dtype, that travel with their rows: embeddings, joints
            carried by flow, ... Files do not hold them.
        frame_names: F image names or None.
        frame_ids: (F,) int64 ids that a file gives its frames (PoseTrack's or COCO's image id, MOT's number), or None.
        is_labeled: (F,) bool or None (then all frames are).
        frame_size: (F, 2) int64 width and height, or None.
        ignore_regions: For each frame its polygons, (V, 2) float64 each, or None.
        sequence: The sequence's name.

    Raises:
        ValueError: A shape or frame_offsets is wrong.
    """

    keypoints: Array
    frame_offsets: np.ndarray
    skeleton: Skeleton
    joint_scores: Array = None
    joint_visibility: Array = None
    boxes: Array = None
    scores: Array = None
    track_ids: Array = None
    head_boxes: Array | None = None
    areas: Array | None = None
    features: Mapping[str, Array] = field(default_factory=dict)
    frame_names: tuple[str, ...] | None = None
    frame_ids: np.ndarray | None = None
    is_labeled: np.ndarray | None = None
    frame_size: np.ndarray | None = None
    ignore_regions: IgnoreRegions | None = None
    sequence: str = ""

    def __post_init__(self) -> None:
        if not is_tensor(self.keypoints):
            object.__setattr__(self, "keypoints", np.asarray(self.keypoints))
        check_shape("keypoints", self.keypoints, ("N", "K", 2), K=len(self.skeleton))
        sizes = {"N": self.keypoints.shape[0], "K": len(self.skeleton)}
        for name, value in _defaults(self).items():
            object.__setattr__(self, name, value)
        for name, (pattern, dtype) in _POSE_COLUMNS.items():
            value = getattr(self, name)
            if value is not None:
                value = value if is_tensor(value) else np.asarray(value)
                check_shape(name, value, pattern, **{key: sizes[key] for key in pattern if isinstance(key, str)})
                object.__setattr__(self, name, cast_column(name, value, dtype, self.keypoints))
        object.__setattr__(self, "features", checked_features(self.features, self.keypoints))
        object.__setattr__(self, "frame_offsets", _checked_offsets(self.frame_offsets, sizes["N"]))
        self._check_frames()

    def _check_frames(self) -> None:
        for name, dtype in (("frame_ids", np.int64), ("is_labeled", np.bool_), ("frame_size", np.int64)):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, np.asarray(value, dtype))
        for name in _FRAME_COLUMNS:
            value = getattr(self, name)
            if value is not None and (isinstance(value, str) or len(value) != len(self)):
                raise ValueError(f"{name} must have one entry for each of {len(self)} frames, got {len(value)}")
        if self.frame_size is not None:
            check_shape("frame_size", self.frame_size, ("F", 2))

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.frame_offsets) - 1

    def __repr__(self) -> str:
        count, joints = self.keypoints.shape[:2]
        return f"Poses({self.sequence!r}: {len(self)} frames, {count} poses, {joints} joints, {self.skeleton.name})"

    def frame(self, f: int) -> Poses:
        """The poses of frame `f` (negative counts from the end), as views."""
        if not -len(self) <= f < len(self):
            raise IndexError(f"frame must be within {len(self)} frames, got {f}")
        f %= len(self)
        return self[f : f + 1]

    def __getitem__(self, frames: slice) -> Poses:
        """The poses of a slice of frames; views where the step is 1."""
        if not isinstance(frames, slice):
            raise TypeError(
                f"Poses are indexed by a slice of frames, got {type(frames).__name__}; use frame(f) for one"
            )
        index = range(len(self))[frames]
        if index.step == 1:
            first, last = index.start, max(index.start, index.stop)
            rows: Any = slice(int(self.frame_offsets[first]), int(self.frame_offsets[last]))
            offsets = self.frame_offsets[first : last + 1] - self.frame_offsets[first]
        else:
            rows = np.concatenate(
                [np.arange(self.frame_offsets[f], self.frame_offsets[f + 1]) for f in index] or [np.zeros(0, np.int64)]
            )
            offsets = offsets_of(np.array([self.frame_offsets[f + 1] - self.frame_offsets[f] for f in index]))
        per_frame = {name: _take_frames(getattr(self, name), index) for name in _FRAME_COLUMNS}
        return self._unchecked(frame_offsets=offsets, **self._rows(rows), **per_frame)

    def _unchecked(self, **columns: Any) -> Poses:
        """A copy with parts of these columns, which need no check: linking asks for every frame of a video."""
        part = object.__new__(type(self))
        vars(part).update(vars(self) | columns)
        return part

    def select(self, mask: Array) -> Poses:
        """The poses where `mask` (N,) is True; the frames stay, some of them perhaps empty."""
        mask = mask if is_tensor(mask) else np.asarray(mask)
        check_shape("mask", mask, ("N",), N=self.keypoints.shape[0])
        check_dtype("mask", mask, ("bool",))
        rows, offsets = kept_rows(cast_column("mask", mask, "bool", self.keypoints), self.frame_offsets)
        return replace(self, frame_offsets=offsets, **self._rows(rows))

    def with_track_ids(self, track_ids: Array) -> Poses:
        """The same poses with other track ids (N,)."""
        return replace(self, track_ids=track_ids)

    def to(self, device: Any) -> Poses:
        """The pose columns as torch tensors on `device` ("cpu", "cuda:0", ...)."""
        import torch

        return self._map(lambda column: torch.as_tensor(column, device=device))

    def numpy(self) -> Poses:
        """The pose columns as NumPy arrays."""
        return self._map(on_host) if is_tensor(self.keypoints) else self

    def to_skeleton(self, skeleton: Skeleton) -> Poses:
        """The same poses in another skeleton's joints and order, matched by name; joints that it adds are absent.

        Boxes, scores and everything else stay: a joint set that lacks ears does not change who stands where.
        """
        if skeleton == self.skeleton:
            return self
        index = self.skeleton.indices_of(skeleton)
        taken = {name: _take_joints(getattr(self, name), index) for name in _JOINT_COLUMNS}
        return replace(self, skeleton=skeleton, **taken)

    @staticmethod
    def concatenate(parts: Sequence[Poses]) -> Poses:
        """Joins sequences of frames one after the other; the first names the sequence and the skeleton.

        Raises:
            ValueError: There are no parts, skeletons differ, or an optional column or a feature is in some parts only.
        """
        if not parts:
            raise ValueError("parts must hold at least one Poses, got none")
        if any(part.skeleton != parts[0].skeleton for part in parts):
            raise ValueError(f"parts must share one skeleton, got {sorted({part.skeleton.name for part in parts})}")
        columns = {name: join_columns(name, [getattr(part, name) for part in parts]) for name in _POSE_COLUMNS}
        columns |= {name: join_columns(name, [getattr(part, name) for part in parts]) for name in _FRAME_COLUMNS}
        columns["features"] = join_features([part.features for part in parts])
        counts = np.concatenate([np.diff(part.frame_offsets) for part in parts])
        return replace(parts[0], frame_offsets=offsets_of(counts), **columns)

    def _rows(self, rows: Any) -> dict[str, Any]:
        return self._mapped(lambda column: column[rows])

    def _map(self, function: Callable[[Array], Array]) -> Poses:
        return replace(self, **self._mapped(function))

    def _mapped(self, function: Callable[[Array], Array]) -> dict[str, Any]:
        """Every column with one row a pose after `function`, by name."""
        columns = {name: getattr(self, name) for name in _POSE_COLUMNS}
        mapped: dict[str, Any] = {
            name: None if column is None else function(column) for name, column in columns.items()
        }
        return mapped | {"features": {name: function(column) for name, column in self.features.items()}}


_JOINT_COLUMNS = ("keypoints", "joint_scores", "joint_visibility")


def pose_areas(poses: Poses) -> Array:
    """(N,) areas in square pixels: the `areas` column where there is one, else the boxes' areas."""
    if poses.areas is not None:
        return poses.areas
    size = poses.boxes[:, 2:] - poses.boxes[:, :2]
    return size[:, 0] * size[:, 1]


def head_sizes(poses: Poses) -> Array:
    """(N,) float64 head sizes in pixels, by the first of these that a pose has; of the poses' kind.

    0.6 times the diagonal of the head box (the official evaluator's); the distance of the skeleton's two head joints;
    0.15 times the diagonal of the box.
    """
    xp = namespace_of(poses.keypoints)
    size = 0.15 * _diagonals(poses.boxes)
    if poses.skeleton.head is not None:
        top, bottom = poses.skeleton.head
        both = (poses.joint_visibility[:, top] > 0) & (poses.joint_visibility[:, bottom] > 0)
        span = xp.asarray(poses.keypoints[:, top] - poses.keypoints[:, bottom], dtype=xp.float64)
        size = xp.where(both, xp.hypot(span[:, 0], span[:, 1]), size)
    if poses.head_boxes is not None:
        heads = 0.6 * _diagonals(poses.head_boxes)
        size = xp.where(xp.isnan(heads), size, heads)
    return size


def _diagonals(boxes: Array) -> Array:
    """(N,) float64 diagonals of boxes (N, 4)."""
    xp = namespace_of(boxes)
    boxes = xp.asarray(boxes, dtype=xp.float64)
    return xp.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])


def _defaults(poses: Poses) -> dict[str, Array]:
    """Values for the pose columns that were left out, of the keypoints' kind and on their device."""
    missing = {field.name for field in fields(poses) if getattr(poses, field.name) is None}
    n, k = poses.keypoints.shape[:2]
    made: dict[str, Array] = {}
    if "joint_scores" in missing:
        made["joint_scores"] = np.ones((n, k), np.float32)
    if "joint_visibility" in missing:
        made["joint_visibility"] = np.full((n, k), 2, np.uint8)
    if "boxes" in missing:
        visibility = made.get("joint_visibility", poses.joint_visibility)
        made["boxes"] = joint_boxes(on_host(poses.keypoints), on_host(visibility))
    if "scores" in missing:
        made["scores"] = np.ones(n, np.float32)
    if "track_ids" in missing:
        made["track_ids"] = np.full(n, -1, np.int64)
    return {name: like(poses.keypoints, value) for name, value in made.items()}


def _checked_offsets(frame_offsets: Array, count: int) -> np.ndarray:
    # A copy, contiguous: native calls read it, and a change of the caller's array would send them astray.
    offsets = np.array(cast_array("frame_offsets", on_host(frame_offsets), "int64"), order="C")
    check_offsets("frame_offsets", offsets, count, "poses", length="F + 1")
    return offsets


def _take_frames(column: Any, index: range) -> Any:
    if column is None:
        return None
    if isinstance(column, np.ndarray):
        return column[list(index)]
    return tuple(column[f] for f in index)


def _take_joints(column: Array, index: np.ndarray) -> Array:
    """Joints `index` of a (N, K, ...) column, zero where the index is -1."""
    shape = (column.shape[0], len(index), *column.shape[2:])
    taken = column.new_zeros(shape) if is_tensor(column) else np.zeros(shape, column.dtype)
    known = index >= 0
    taken[:, known] = column[:, index[known]]
    return taken
