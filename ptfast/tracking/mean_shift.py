"""Mean shift: the clusters of many small sets of points, in one call."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast._check import Array, as_floats, check_finite, check_integer, check_shape
from ptfast._columns import cast_array, like, on_host

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
        bandwidth: The radius, in the points' unit; one for all sets or (B,).
        offsets: (B + 1,) integers, where each set begins, from 0 to P; None for one set. Sets may be empty.
        weights: (P,) positive weights for the means, e.g. scores; None for 1.
        max_iter: The most steps of a point after its first.

    Returns:
        The clusters, NumPy arrays or torch tensors as the points are.

    Raises:
        ValueError: A shape is wrong, a value not finite, a bandwidth or weight not positive, or offsets do not rise
            from 0 to P.

    Source:
        Comaniciu and Meer 2002; as merged hypotheses in Wang et al. 2020, section 3.3.
    """
    host = np.require(as_floats("points", on_host(points)).astype(np.float64, copy=False), None, ["C", "A"])
    check_shape("points", host, ("P", 2))
    check_finite("points", host)
    starts = _checked_offsets(offsets, len(host))
    count = len(starts) - 1
    widths = np.full(count, bandwidth, np.float64) if np.ndim(bandwidth) == 0 else _reals("bandwidth", bandwidth)
    check_shape("bandwidth", widths, ("B",), B=count)
    _check_positive("bandwidth", widths)
    if weights is None:
        loads = np.zeros(0)
    else:
        loads = _reals("weights", weights)
        check_shape("weights", loads, ("P",), P=len(host))
        _check_positive("weights", loads)
    check_integer("max_iter", max_iter, 0)
    centres, counts, labels = _solve(host, loads, starts, widths, max_iter)
    ends = np.concatenate([[0], np.cumsum(counts)])
    rows = np.repeat(starts[:-1] - ends[:-1], counts) + np.arange(ends[-1])
    return Clusters(*(like(points, column) for column in (centres[rows], ends, labels)))


def _solve(
    points: np.ndarray, weights: np.ndarray, offsets: np.ndarray, bandwidths: np.ndarray, max_iter: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres (P, 2) at the places of their sets' points, counts (B,) and labels (P,)."""
    from ptfast.tracking._mean_shift import cluster_problems
    from ptfast.tracking._numba import even_pieces, run_pieces

    counts = np.zeros(len(offsets) - 1, np.int64)
    centres, labels = np.empty_like(points), np.empty(len(points), np.int64)
    run_pieces(
        lambda begin, end: cluster_problems(
            points, weights, offsets, bandwidths, max_iter, begin, end, centres, counts, labels
        ),
        even_pieces(offsets, GRAIN),
    )
    return centres, counts, labels


def _reals(name: str, array: Array) -> np.ndarray:
    """A contiguous float64 copy of an array of floats or integers, or the array itself."""
    return np.require(as_floats(name, on_host(array)).astype(np.float64, copy=False), None, ["C", "A"])


def _check_positive(name: str, array: np.ndarray) -> None:
    check_finite(name, array)
    if array.size and array.min() <= 0:
        raise ValueError(f"{name} must be positive, got {array.min()} at ({array.argmin()},)")


def _checked_offsets(offsets: Array | None, count: int) -> np.ndarray:
    if offsets is None:
        return np.array([0, count], np.int64)
    starts = np.require(cast_array("offsets", on_host(offsets), "int64"), None, ["C", "A"])
    check_shape("offsets", starts, ("B + 1",))
    if starts.size == 0 or starts[0] != 0 or starts[-1] != count or (np.diff(starts) < 0).any():
        raise ValueError(f"offsets must rise from 0 to {count}, the number of points, got {starts}")
    return starts
