"""What ptfast.tracking.link runs on a GPU; in this room because tensors' addresses are taken in ops alone."""

from __future__ import annotations

from collections.abc import Sequence

from ptfast import _native
from ptfast._check import Array

MOST_POSES: int = _native.core.assign_cuda_max  # of a frame


def find_predecessors(
    columns: Sequence[Array],
    frame_offsets: Array,
    most: int,
    sigmas: Array,
    *,
    cost: str,
    greedy: bool,
    lookback: int,
    max_cost: float,
) -> Array:
    """Matches every frame with the frames before it as `link` does with motion="none", all frames at once.

    Args:
        columns: The poses' keypoints (N, K, 2) float32, visibility (N, K) uint8, boxes (N, 4), areas (N,) and head
            sizes (N,) float32, CUDA tensors.
        frame_offsets: (F + 1,) int64, on the same device.
        most: Poses in the largest frame, at most MOST_POSES.
        sigmas: (K,) float32, on the same device.
        cost: "oks", "iou" or "pckh".
        greedy: Whether to match greedily instead of optimally.
        lookback: How many frames back a predecessor may be.
        max_cost: Pairs that cost more are never made.

    Returns:
        (N,) int64, the row of each pose's predecessor or -1.
    """
    from ptfast.ops._torch.linking import find_predecessors as on_tensors

    return on_tensors(
        columns, frame_offsets, most, sigmas, cost=cost, greedy=greedy, lookback=lookback, max_cost=max_cost
    )
