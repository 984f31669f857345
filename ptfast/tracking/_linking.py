"""What linking a whole video and linking online share: settings, filters, the columns that the native core reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ptfast import _native
from ptfast._check import Array, check_finite, check_integer, format_shape, is_tensor
from ptfast.ops.assignment import Matcher
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses, head_sizes, pose_areas

CostFunction = Callable[[Poses, Poses], np.ndarray]
Cost = Literal["oks", "iou", "pckh"] | CostFunction
Motion = Literal["none", "velocity"]

# Chosen on training sequences alone; CONTRIBUTING.md says how.
SIGMA_SCALE = 2.0
MAX_COST = 0.95
MIN_SCORE = 0.4
MIN_JOINT_SCORE = 0.45
HORIZON = 4  # frames over which a velocity is carried on
MIN_AREA_SHARE = 1 / 3  # of the square of a box's longer side


@dataclass(frozen=True)
class LinkSettings:
    """The arguments of `link` and `OnlineLinker`, checked."""

    cost: Cost
    matcher: Matcher
    lookback: int
    motion: Motion
    sigma_scale: float
    max_cost: float | None
    min_score: float | None
    min_joint_score: float | None
    max_tracks: int | None

    def __post_init__(self) -> None:
        if not callable(self.cost) and self.cost not in ("oks", "iou", "pckh"):
            raise ValueError(f"cost must be 'oks', 'iou', 'pckh' or a function of two Poses, got {self.cost!r}")
        if self.matcher not in ("hungarian", "greedy"):
            raise ValueError(f"matcher must be 'hungarian' or 'greedy', got {self.matcher!r}")
        if self.motion not in ("none", "velocity"):
            raise ValueError(f"motion must be 'none' or 'velocity', got {self.motion!r}")
        object.__setattr__(self, "lookback", check_integer("lookback", self.lookback, 1))
        if not self.sigma_scale > 0:
            raise ValueError(f"sigma_scale must be positive, got {self.sigma_scale}")
        for name in ("max_cost", "min_score", "min_joint_score"):
            value = getattr(self, name)
            if value is not None and np.isnan(value):
                raise ValueError(f"{name} must be a number or None, got nan")
        if self.max_tracks is not None:
            object.__setattr__(self, "max_tracks", check_integer("max_tracks", self.max_tracks, 1))

    def native(self, skeleton: Skeleton) -> Any:
        """The native core's options."""
        return _native.core.LinkOptions(
            cost="callable" if callable(self.cost) else self.cost,
            greedy=self.matcher == "greedy",
            velocity=self.motion == "velocity",
            lookback=self.lookback,
            horizon=HORIZON,
            max_cost=float("inf") if self.max_cost is None else self.max_cost,
            joints=len(skeleton),
            sigmas=[sigma * self.sigma_scale for sigma in skeleton.sigmas],
            max_tracks=np.iinfo(np.int64).max if self.max_tracks is None else self.max_tracks,
        )

    def function(self, frame: Callable[[int], Poses]) -> Callable | None:
        """The native core's view of a cost that is a Python function; None for the built-in costs.

        Args:
            frame: Gives the Poses of a frame by its number.
        """
        if not callable(self.cost):
            return None
        cost = self.cost

        def costs(earlier: int, rows_a: list[int], shift: list[float], current: int, rows_b: list[int]) -> list[float]:
            a, b = _rows(frame(earlier), rows_a), _rows(frame(current), rows_b)
            if shift:
                a = _moved(a, np.array(shift, np.float32).reshape(-1, 2))
            values = np.asarray(cost(a, b), np.float32)
            wanted = (len(rows_a), len(rows_b))
            if values.shape != wanted or not (values > -np.inf).all():
                shapes = f"{format_shape(wanted)} without NaN or -inf, got {format_shape(values.shape)}"
                raise ValueError(f"cost must return numbers of shape {shapes}")
            return values.ravel().tolist()

        return costs


def filter_poses(poses: Poses, settings: LinkSettings) -> tuple[Poses, np.ndarray]:
    """Drops what the thresholds drop; returns the rest and its rows (step 1 of `link`)."""
    count = len(poses.scores)
    if settings.min_joint_score is not None:
        weak = (poses.joint_scores < settings.min_joint_score) & (poses.joint_visibility > 0)
        if weak.any():
            poses = replace(poses, joint_visibility=np.where(weak, 0, poses.joint_visibility))
    # A long video seldom lacks a joint everywhere; NumPy tells that 20 times as fast as it reduces short rows.
    keep = np.ones(count, bool) if poses.joint_visibility.all() else poses.joint_visibility.any(1)
    if settings.min_score is not None:
        keep &= poses.scores >= settings.min_score
    if keep.all():
        return poses, np.arange(count)
    return poses.select(keep), np.flatnonzero(keep)


def with_ids(poses: Poses, kept: Poses, rows: np.ndarray, ids: np.ndarray, keep_filtered: bool) -> Poses:
    """The linked poses with their ids, or all poses with -1 for the others; of the kind that `poses` are.

    Args:
        poses: What the user gave.
        kept: What the filters left of it.
        rows: (kept,) its rows in poses.
        ids: (kept,) its track ids.
        keep_filtered: As in `link`.
    """
    if keep_filtered:
        all_ids = np.full(poses.scores.shape[0], -1, np.int64)
        all_ids[rows] = ids
        return poses.with_track_ids(_like(poses.keypoints, all_ids))
    linked = kept.with_track_ids(ids)
    return linked.to(poses.keypoints.device) if is_tensor(poses.keypoints) else linked


def columns_of(poses: Poses, settings: LinkSettings) -> list[np.ndarray]:
    """Keypoints, visibility, boxes, areas and head sizes as the native core reads them.

    Raises:
        ValueError: A box, an area, or a joint that is not absent, is NaN or infinite.
    """
    keypoints = poses.keypoints
    # A sum is finite only if all its terms are, and needs no memory; hidden joints may hold anything.
    with np.errstate(over="ignore", invalid="ignore"):
        finite = np.isfinite(keypoints.sum())
    if not finite:
        keypoints = np.where(poses.joint_visibility[..., None] > 0, keypoints, 0)
        check_finite("keypoints", keypoints)
    check_finite("boxes", poses.boxes)
    if poses.areas is not None:
        check_finite("areas", poses.areas)
    heads = head_sizes(poses) if settings.cost == "pckh" else poses.scores
    columns = (keypoints, poses.joint_visibility, poses.boxes, _link_areas(poses), heads)
    return [np.ascontiguousarray(c, np.uint8 if c is poses.joint_visibility else np.float32) for c in columns]


def _link_areas(poses: Poses) -> np.ndarray:
    """(N,) areas for OKS between frames: a person seen in part, or joints in a line, would else tolerate no motion."""
    size = poses.boxes[:, 2:] - poses.boxes[:, :2]
    longer = np.maximum(size[:, 0], size[:, 1])
    return np.maximum(pose_areas(poses), MIN_AREA_SHARE * longer * longer)


def _rows(poses: Poses, rows: list[int]) -> Poses:
    mask = np.zeros(len(poses.scores), bool)
    mask[rows] = True
    return poses.select(mask)


def _moved(poses: Poses, shift: np.ndarray) -> Poses:
    return replace(poses, keypoints=poses.keypoints + shift[:, None], boxes=poses.boxes + np.tile(shift, (1, 2)))


def _like(other: Array, array: np.ndarray) -> Array:
    if not is_tensor(other):
        return array
    import torch

    return torch.as_tensor(array, device=other.device)
