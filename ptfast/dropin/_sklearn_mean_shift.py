"""Bandwidths and seeds of mean shift in the plane, as scikit-learn chooses them."""

from __future__ import annotations

import numpy as np

PAIRS = 1 << 21  # distances that are held at once


def estimate_bandwidth(points: np.ndarray, quantile: float = 0.3) -> float:
    """The mean over all points of the distance within which a share of all points, itself among them, stands."""
    rank = max(1, int(len(points) * quantile)) - 1
    rows = max(1, PAIRS // len(points))
    total = 0.0
    for begin in range(0, len(points), rows):
        some = points[begin : begin + rows]
        squared = sum((some[:, None, axis] - points[:, axis]) ** 2 for axis in (0, 1))
        total += np.sqrt(np.partition(squared, rank, axis=1)[:, rank]).sum()
    return total / len(points)


def bin_seeds(points: np.ndarray, size: float, min_bin_freq: int) -> np.ndarray | None:
    """(S, 2) centres of the bins that hold enough points, in the order in which the points enter them.

    Each is rounded to float32, in bins, as scikit-learn has it. None where every point has a bin of its own.
    """
    bins, first, counts = np.unique(np.round(points / size) + 0.0, axis=0, return_index=True, return_counts=True)
    order = np.argsort(first)
    kept = bins[order][counts[order] >= min_bin_freq].astype(np.float32)
    return None if len(kept) == len(points) else kept * size
