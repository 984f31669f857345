"""link on the GPU that holds the poses: filters, matching and the hand-down of ids; the host waits for sizes alone."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ptfast import _native
from ptfast._check import is_tensor
from ptfast.ops._linking import MOST_POSES, find_predecessors
from ptfast.structures import Poses, pose_areas
from ptfast.tracking._linking import MIN_AREA_SHARE, LinkSettings, columns_of


def runs_on_gpu(poses: Poses, settings: LinkSettings) -> bool:
    """Whether `link_on_gpu` can do the work: frames in parallel, a built-in cost, no frame too large for a warp."""
    parallel = settings.motion == "none" and not callable(settings.cost)
    return poses.keypoints.is_cuda and _native.with_cuda and parallel and _most(poses) <= MOST_POSES


def link_on_gpu(poses: Poses, settings: LinkSettings, keep_filtered: bool) -> Poses:
    """`link` for poses of which `runs_on_gpu` is true."""
    kept, rows = filter_poses(poses, settings)
    finite = _all_finite(kept)
    ids = _hand_down(_predecessors(kept, settings), kept, settings.max_tracks)
    if not finite:
        columns_of(kept.numpy(), settings)  # raises, and names the place
    if not keep_filtered:
        return kept.with_track_ids(ids)
    all_ids = torch.full_like(poses.track_ids, -1)
    all_ids[rows] = ids
    return poses.with_track_ids(all_ids)


def filter_poses(poses: Poses, settings: LinkSettings) -> tuple[Poses, Tensor | slice]:
    """What the thresholds leave, and its rows, as ptfast.tracking._linking.filter_poses has them."""
    if settings.min_joint_score is not None:
        weak = poses.joint_scores < settings.min_joint_score
        poses = replace(poses, joint_visibility=poses.joint_visibility.masked_fill(weak, 0))
    keep = (poses.joint_visibility > 0).any(1)
    if settings.min_score is not None:
        keep &= poses.scores >= settings.min_score
    if keep.all():
        return poses, slice(None)
    before = torch.nn.functional.pad(keep.cumsum(0), (1, 0))
    offsets = before[_frame_offsets(poses)].cpu().numpy()
    rows = keep.nonzero().squeeze(1)
    columns = {field.name: getattr(poses, field.name) for field in fields(poses)}
    chosen: dict[str, Any] = {name: column[rows] for name, column in columns.items() if is_tensor(column)}
    return replace(poses, frame_offsets=offsets, **chosen), rows


def _all_finite(poses: Poses) -> Tensor:
    """Whether every coordinate and area that counts is finite: the condition of `columns_of`, still on the GPU."""
    joints = poses.keypoints.isfinite().all(-1) | (poses.joint_visibility == 0)
    finite = joints.all() & poses.boxes.isfinite().all()
    return finite if poses.areas is None else finite & poses.areas.isfinite().all()


def _predecessors(poses: Poses, settings: LinkSettings) -> Tensor:
    """(N,) int64 row of each pose's predecessor or -1."""
    heads = _head_sizes(poses) if settings.cost == "pckh" else poses.scores
    sigmas = torch.tensor(poses.skeleton.sigmas, dtype=torch.float64) * settings.sigma_scale
    return find_predecessors(
        (poses.keypoints, poses.joint_visibility, poses.boxes, _link_areas(poses), heads),
        _frame_offsets(poses),
        _most(poses),
        sigmas.to(heads.device, torch.float32),
        cost=str(settings.cost),
        greedy=settings.matcher == "greedy",
        lookback=settings.lookback,
        max_cost=float("inf") if settings.max_cost is None else settings.max_cost,
    )


def _hand_down(predecessor: Tensor, poses: Poses, max_tracks: int | None) -> Tensor:
    """(N,) int64 ids: a pose has the id of the first pose of its chain, and those are numbered in row order."""
    if max_tracks is not None:  # which poses get an id depends on the frames before
        ids = predecessor.cpu().numpy()
        _native.core.hand_down_ids(poses.frame_offsets, len(poses), max_tracks, ids)
        return torch.from_numpy(ids).to(predecessor.device)
    starts = predecessor < 0
    root = torch.where(starts, torch.arange(len(starts), device=starts.device), predecessor)
    for _ in range(len(poses).bit_length()):  # each time, twice as far back
        root = root[root]
    return (starts.cumsum(0) - 1)[root]


def _link_areas(poses: Poses) -> Tensor:
    """ptfast.tracking._linking._link_areas."""
    size = poses.boxes[:, 2:] - poses.boxes[:, :2]
    longer = torch.maximum(size[:, 0], size[:, 1])
    return torch.maximum(pose_areas(poses), MIN_AREA_SHARE * longer * longer)


def _head_sizes(poses: Poses) -> Tensor:
    """(N,) float32, as ptfast.structures.head_sizes has them."""
    size = 0.15 * _diagonals(poses.boxes.double())
    if poses.skeleton.head is not None:
        top, bottom = poses.skeleton.head
        both = (poses.joint_visibility[:, top] > 0) & (poses.joint_visibility[:, bottom] > 0)
        span = (poses.keypoints[:, top] - poses.keypoints[:, bottom]).double()
        size = torch.where(both, torch.hypot(span[:, 0], span[:, 1]), size)
    if poses.head_boxes is not None:
        diagonal = 0.6 * _diagonals(poses.head_boxes.double())
        size = torch.where(diagonal.isnan(), size, diagonal)
    return size.float()


def _diagonals(boxes: Tensor) -> Tensor:
    return torch.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])


def _frame_offsets(poses: Poses) -> Tensor:
    """The offsets where the poses are; `Poses` keeps them on the host."""
    return torch.from_numpy(poses.frame_offsets).to(poses.keypoints.device)


def _most(poses: Poses) -> int:
    """Poses in the largest frame."""
    return int(np.diff(poses.frame_offsets).max(initial=0))
