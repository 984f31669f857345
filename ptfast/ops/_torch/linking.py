"""Linking on a GPU: the kernels that find predecessors, and the hand-down of ids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ptfast import _native
from ptfast.ops._torch.library import address, call_cuda


def link_on_gpu(
    columns: Sequence[Tensor],
    frame_offsets: np.ndarray,
    sigmas: Sequence[float],
    *,
    cost: str,
    greedy: bool,
    lookback: int,
    max_cost: float,
    max_tracks: int | None,
) -> Tensor:
    """ptfast.ops.linking.link_columns without motion, on the device of contiguous columns, all frames at once.

    Args:
        columns: The poses' keypoints (N, K, 2) float32, visibility (N, K) uint8, boxes (N, 4), areas (N,) and head
            sizes (N,) float32, CUDA tensors.
        frame_offsets: (F + 1,) int64 on the host.
        sigmas: K OKS sigmas.
        cost: "oks", "iou" or "pckh".
        greedy: Match greedily instead of optimally.
        lookback: Number of frames back that a predecessor may be.
        max_cost: Pairs that cost more are never made.
        max_tracks: Number of poses in a frame that get an id, at most; None for all.

    Returns:
        (N,) int64 ids.
    """
    keypoints = columns[0]
    device, (count, joints) = keypoints.device, keypoints.shape[:2]
    frames = len(frame_offsets) - 1
    offsets = torch.from_numpy(frame_offsets).to(device)
    scale = torch.tensor(sigmas, dtype=torch.float32, device=device)
    predecessor = torch.full((count,), -1, dtype=torch.int64, device=device)
    has_successor = torch.zeros(count, dtype=torch.uint8, device=device)
    joints_seen = (columns[1] > 0).sum(1, dtype=torch.int32)
    inputs = [address(column) for column in columns], address(offsets), address(scale), address(joints_seen)
    sizes = (frames, int(np.diff(frame_offsets).max(initial=0)), joints)
    outputs = address(predecessor), address(has_successor)
    call_cuda("find_predecessors", keypoints, *inputs, sizes, cost, greedy, lookback, max_cost, *outputs)
    return _hand_down(predecessor, frame_offsets, max_tracks)


def _hand_down(predecessor: Tensor, frame_offsets: np.ndarray, max_tracks: int | None) -> Tensor:
    """(N,) int64 ids: a pose has the id of the first pose of its chain, and those are numbered in row order."""
    if max_tracks is not None:  # which poses get an id depends on the frames before
        ids = predecessor.cpu().numpy()
        _native.core.hand_down_ids(frame_offsets, max_tracks, ids)
        return torch.from_numpy(ids).to(predecessor.device)
    starts = predecessor < 0
    root = torch.where(starts, torch.arange(len(starts), device=starts.device), predecessor)
    for _ in range((len(frame_offsets) - 1).bit_length()):  # each time, twice as far back
        root = root[root]
    return (starts.cumsum(0) - 1)[root]
