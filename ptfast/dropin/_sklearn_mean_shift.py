"""Mean shift in the plane from any seeds, with the number of their steps, as scikit-learn's class asks for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast.tracking._mean_shift import HERE, LOAD, REALS, STOP, TO, _drop_duplicates, _label, _shift_four
from ptfast.tracking._numba import arrays, even_pieces, inputs, integer, kernel, real, run_pieces

GRAIN = 1 << 18  # pairs of a seed and a point that are worth a thread
SLACK = 1e-9  # a window's range of points is a little generous, as sums round
PAIRS = 1 << 21  # distances that are held at once


@dataclass(frozen=True)
class Fit:
    """Result of mean shift: centres (C, 2) float64, labels (P,) int64, and the most steps of a seed before its last.

    There is no centre where no seed saw a point.
    """

    centres: np.ndarray
    labels: np.ndarray
    steps: int


def fit(points: np.ndarray, seeds: np.ndarray, bandwidth: float, max_iter: int, cluster_all: bool) -> Fit:
    """Clusters points (P, 2) from seeds (S, 2), both float64; labels are -1 beyond the bandwidth unless cluster_all."""
    order = np.argsort(points[:, 0], kind="stable")
    x, y = (np.ascontiguousarray(points[order, axis]) for axis in (0, 1))
    rank = np.argsort(seeds[:, 0], kind="stable")  # seeds that stand close by see the same points
    ordered = np.ascontiguousarray(seeds[rank])
    places, loads, steps = np.empty(ordered.shape), np.empty(len(ordered)), np.empty(len(ordered), np.int64)
    run_pieces(
        lambda begin, end: climb(x, y, ordered, bandwidth, max_iter, begin, end, places, loads, steps),
        even_pieces(np.arange(len(ordered) + 1) * max(1, len(points)), GRAIN),
    )
    back = np.argsort(rank)
    # One entry a place, in the order of the seeds, where the last of them has its say.
    entries = zip(places[back].tolist(), loads[back].tolist(), strict=True)
    found = {tuple(place): load for place, load in entries if load}
    ranking = sorted(found, key=lambda place: (found[place], place), reverse=True)
    centres = np.array(ranking, np.float64).reshape(-1, 2)
    labels = np.empty(len(points), np.int64)
    reach = np.inf if cluster_all else bandwidth
    count = settle(np.ascontiguousarray(points), centres, bandwidth, reach, labels) if len(centres) else 0
    return Fit(centres[:count], labels, int(steps.max(initial=0)))


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


@kernel(
    inputs(real), inputs(real), inputs(real, 2), real, integer, integer, integer, arrays(real, 2), arrays(real),
    arrays(integer),
)  # fmt: skip
def climb(
    x: np.ndarray, y: np.ndarray, seeds: np.ndarray, radius: float, max_iter: int, begin: int, end: int,
    places: np.ndarray, loads: np.ndarray, steps: np.ndarray,
) -> None:  # fmt: skip
    """Takes seeds `begin` to `end` from mean to mean of the points within the radius until they rest.

    Args:
        x: (P,) rising.
        y: (P,).
        seeds: (S, 2); those that stand close by should follow one another.
        radius: Not negative.
        max_iter: Most steps of a seed before its last.
        begin: The first seed.
        end: The seed after the last.
        places: (S, 2), written: where each seed rests.
        loads: (S,), written: how many points gave it that place; 0 for a seed that saw nobody.
        steps: (S,), written: its steps before the last.
    """
    four = np.empty((REALS, 4))
    weight = np.ones(len(x))
    rest = STOP * radius
    for group in range(begin, end, 4):
        size = min(4, end - group)
        for i in range(4):
            seed = group + min(i, size - 1)
            four[HERE, i], four[HERE + 1, i] = seeds[seed, 0], seeds[seed, 1]
            steps[seed] = 0
        going = (1 << size) - 1
        while going:
            low, high = four[HERE].min() - radius, four[HERE].max() + radius
            first = np.searchsorted(x, low - SLACK * abs(low), "left")
            last = np.searchsorted(x, high + SLACK * abs(high), "right")
            _shift_four(x[first:last], y[first:last], weight[first:last], four, radius * radius)
            for i in range(size):
                seed = group + i
                if not going >> i & 1:
                    continue
                loads[seed] = four[LOAD, i]
                if loads[seed] == 0:
                    going ^= 1 << i
                    continue
                squared = (four[TO, i] - four[HERE, i]) ** 2 + (four[TO + 1, i] - four[HERE + 1, i]) ** 2
                four[HERE, i], four[HERE + 1, i] = four[TO, i], four[TO + 1, i]
                if np.sqrt(squared) <= rest or steps[seed] == max_iter:
                    places[seed, 0], places[seed, 1] = four[TO, i], four[TO + 1, i]
                    going ^= 1 << i
                else:
                    steps[seed] += 1


@kernel(inputs(real, 2), arrays(real, 2), real, real, arrays(integer))
def settle(points: np.ndarray, centres: np.ndarray, radius: float, reach: float, labels: np.ndarray) -> int:
    """Drops each centre (C, 2) that has one before it within the radius, and labels points (P, 2) by the nearest left.

    Labels (P,) are -1 for points farther away than `reach`. Returns how many centres are left, in front.
    """
    x, y = centres[:, 0].copy(), centres[:, 1].copy()
    count = _drop_duplicates(x, y, np.empty(len(x)), radius * radius)
    u, v, squared = points[:, 0].copy(), points[:, 1].copy(), np.empty(len(points))
    _label(u, v, x[:count], y[:count], squared, labels)
    for i in range(len(points)):
        if np.sqrt(squared[i]) > reach:
            labels[i] = -1
    for c in range(count):
        centres[c, 0], centres[c, 1] = x[c], y[c]
    return count
