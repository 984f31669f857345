"""Mean shift of many small sets of points in one call."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast._check import Array, check_integer, check_offsets
from ptfast._columns import cast_array, like, offsets_of, on_host
from ptfast.tracking._kernels.records import Found, Sets
from ptfast.tracking._kernels.threads import even_pieces, run_pieces
from ptfast.tracking._reals import SMALLEST, as_reals

GRAIN = 4096  # points that are worth a thread


@dataclass(frozen=True, eq=False)
class Clusters:
    """The clusters of B sets of points, C in all.

    Attributes:
        centres: (C, 2) float64, the sets one after the other, in each by descending weight of the points about it.
        offsets: (B + 1,) int64: set b has the centres offsets[b] to offsets[b + 1].
        labels: (P,) int64, the cluster of each point, counted from 0 within its set.
    """

    centres: Array
    offsets: Array
    labels: Array


def mean_shift(
    points: Array, bandwidth: Array | float, *, offsets: Array | None = None, weights: Array | None = None,
    max_iter: int = 300,
) -> Clusters:  # fmt: skip
    """Clusters each of many sets of points in the plane by mean shift with a flat kernel.

    Each point climbs from mean to mean of the points within the bandwidth, until it moves by no more than a thousandth
    of it. Of the places where points come to rest, those with a heavier one within the bandwidth are dropped (of equal
    ones, those with the smaller x, then y). A point belongs to the nearest place left, the first of several.

    Clusters, their order and their labels are those of scikit-learn's MeanShift(bandwidth=bandwidth) on float64
    points, where no distance equals the bandwidth to within rounding.

    Args:
        points: (P, 2) float32 or float64, the sets one after the other. All is computed in float64.
        bandwidth: The radius, in the points' unit, one for all sets or (B,).
        offsets: (B + 1,) integers, where each set begins, from 0 to P. None is one set. Sets may be empty.
        weights: (P,) positive weights for the means, e.g. scores. None is 1.
        max_iter: Largest number of steps of a point after its first.

    Returns:
        The clusters, NumPy arrays or torch tensors as the points are.

    Raises:
        ValueError: A shape is wrong, a value not finite or larger than 1e100 in size, a bandwidth or weight smaller
            than 1e-100, or offsets do not rise from 0 to P.

    Source:
        Comaniciu and Meer 2002, which Wang et al. 2020, section 3.3, apply to pose hypotheses.
    """
    host = as_reals("points", points, ("P", 2))
    starts = _as_offsets(offsets, len(host))
    count = len(starts) - 1
    widths = np.full(count, bandwidth, np.float64) if np.ndim(bandwidth) == 0 else bandwidth
    widths = as_reals("bandwidth", widths, ("B",), B=count)
    loads = np.zeros(0) if weights is None else as_reals("weights", weights, ("P",), P=len(host))
    for name, values in (("bandwidth", widths), ("weights", loads)):
        if values.size and values.min() < SMALLEST:
            least = "positive" if values.min() <= 0 else f"at least {SMALLEST}"
            raise ValueError(f"{name} must be {least}, got {values.min()} at ({values.argmin()},)")
    check_integer("max_iter", max_iter, 0)
    found = _cluster(host, loads, starts, widths, max_iter)
    ends = offsets_of(found.counts)
    rows = np.repeat(starts[:-1] - ends[:-1], found.counts) + np.arange(ends[-1])
    return Clusters(*(like(points, column) for column in (found.centres[rows], ends, found.labels)))


def _cluster(
    points: np.ndarray, weights: np.ndarray, offsets: np.ndarray, bandwidths: np.ndarray, max_iter: int
) -> Found:
    """Clusters of sets of points (P, 2) with weights (P,) or (0,), offsets (B + 1,) and bandwidths (B,)."""
    from ptfast.tracking._kernels.mean_shift import cluster_sets

    sets, count = Sets(points, weights, offsets, bandwidths), len(bandwidths)
    found = Found(np.empty_like(points), np.zeros(count, np.int64), np.empty(len(points), np.int64))
    run_pieces(lambda begin, end: cluster_sets(sets, max_iter, begin, end, found), even_pieces(offsets, GRAIN))
    return found


def _as_offsets(offsets: Array | None, count: int) -> np.ndarray:
    if offsets is None:
        return np.array([0, count], np.int64)
    return check_offsets("offsets", cast_array("offsets", on_host(offsets), "int64"), count, "points").copy()
