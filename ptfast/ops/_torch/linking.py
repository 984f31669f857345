"""The kernels of linking on CUDA tensors; ptfast.tracking does the rest."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ptfast.ops._torch._library import address, call_cuda


def find_predecessors(
    columns: Sequence[Tensor],
    frame_offsets: Tensor,
    most: int,
    sigmas: Tensor,
    *,
    cost: str,
    greedy: bool,
    lookback: int,
    max_cost: float,
) -> Tensor:
    """ptfast.ops._linking.find_predecessors."""
    columns = [column.detach().contiguous() for column in columns]
    keypoints = columns[0]
    count, joints = keypoints.shape[:2]
    predecessor = torch.full((count,), -1, dtype=torch.int64, device=keypoints.device)
    has_successor = torch.zeros(count, dtype=torch.uint8, device=keypoints.device)
    sizes = (frame_offsets.shape[0] - 1, most, joints, lookback)
    inputs = [address(column) for column in columns], address(frame_offsets), address(sigmas)
    outputs = address(predecessor), address(has_successor)
    call_cuda("find_predecessors", keypoints, *inputs, sizes, cost, greedy, max_cost, *outputs)
    return predecessor
