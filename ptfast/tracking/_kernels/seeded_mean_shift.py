"""Mean shift from any seeds, which are not the points themselves."""

from __future__ import annotations

import numpy as np

from ptfast.tracking._kernels.climbing import STOP, reach_of, shift_four
from ptfast.tracking._kernels.compiling import arrays, integer, kernel, part, real, record
from ptfast.tracking._kernels.mean_shift import drop_duplicates, label
from ptfast.tracking._kernels.records import Climbs
from ptfast.tracking._kernels.space import Windows

SLACK = 1e-9  # a window's range of points is a little generous, as sums round


@part
def _range_in_view(x: np.ndarray, windows: Windows, radius: float) -> tuple[int, int]:
    """The range of points (P,), ordered by x, that the windows may hold."""
    low, high = reach_of(windows.x, radius)
    first = np.searchsorted(x, low - SLACK * abs(low), "left")
    return first, np.searchsorted(x, high + SLACK * abs(high), "right")


@part
def _step(windows: Windows, group: int, climbing: int, radius: float, max_iter: int, climbs: Climbs) -> int:
    """Moves the windows of seeds `group` to `group` + 3 that still climb, a bit for each. Returns those that go on."""
    for i in range(4):
        if not climbing >> i & 1:
            continue
        seed = group + i
        climbs.mass[seed] = windows.mass[i]
        if windows.mass[i] == 0:
            climbing ^= 1 << i
            continue
        squared = (windows.mean_x[i] - windows.x[i]) ** 2 + (windows.mean_y[i] - windows.y[i]) ** 2
        windows.x[i], windows.y[i] = windows.mean_x[i], windows.mean_y[i]
        if np.sqrt(squared) <= STOP * radius or climbs.steps[seed] == max_iter:
            climbs.places[seed, 0], climbs.places[seed, 1] = windows.x[i], windows.y[i]
            climbing ^= 1 << i
        else:
            climbs.steps[seed] += 1
    return climbing


CLIMBS = record(Climbs, arrays(real, 2), arrays(real), arrays(integer))


@kernel(arrays(real), arrays(real), arrays(real, 2), real, integer, integer, integer, CLIMBS)
def climb_from(
    x: np.ndarray, y: np.ndarray, seeds: np.ndarray, radius: float, max_iter: int, begin: int, end: int, climbs: Climbs,
) -> None:  # fmt: skip
    """Takes seeds `begin` to `end` from mean to mean of the points within the radius until they rest.

    Args:
        x: (P,) rising.
        y: (P,).
        seeds: (S, 2); those that stand close by should follow one another.
        radius: Not negative.
        max_iter: Largest number of steps of a seed before its last.
        begin: The first seed.
        end: The seed after the last.
        climbs: Written.
    """
    w, weight = np.empty((5, 4)), np.ones(len(x))
    windows = Windows(w[0], w[1], w[2], w[3], w[4])
    for group in range(begin, end, 4):
        size = min(4, end - group)
        for i in range(4):
            seed = group + min(i, size - 1)
            windows.x[i], windows.y[i] = seeds[seed, 0], seeds[seed, 1]
            climbs.steps[seed] = 0
        climbing = (1 << size) - 1
        while climbing:
            first, last = _range_in_view(x, windows, radius)
            shift_four(x[first:last], y[first:last], weight[first:last], windows, radius * radius)
            climbing = _step(windows, group, climbing, radius, max_iter, climbs)


@kernel(*[arrays(real)] * 4, real, arrays(real), arrays(integer))
def settle(
    x: np.ndarray, y: np.ndarray, centre_x: np.ndarray, centre_y: np.ndarray, radius: float, nearest: np.ndarray,
    labels: np.ndarray,
) -> int:  # fmt: skip
    """Drops each centre (C,) that has one before it within the radius. Returns the number left, which are in front.

    For each point (P,) it writes the nearest of them to `labels` (P,) and the squared distance to `nearest` (P,).
    """
    count = drop_duplicates(centre_x, centre_y, np.empty(len(centre_x)), radius * radius)
    label(x, y, centre_x[:count], centre_y[:count], nearest, labels)
    return count
