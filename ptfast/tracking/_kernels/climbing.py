"""The climb of mean shift: windows that move to the mean of the points in them until they rest.

The next place of a window depends on its place alone, so windows that meet go on together. Each place is therefore a
state, found again by its coordinates and shifted once. Windows are shifted four at a time, and where there are many
points, they look only at those in the bins that they cover along the points' longer extent.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from ptfast.tracking._kernels.compiling import part
from ptfast.tracking._kernels.space import Space, States, Windows

STOP = 1e-3  # a window rests when it moves by less than this share of the bandwidth (scikit-learn's)
SLACK = 1 + 1e-9  # bins are chosen a little generously, as sums round


class Bins(NamedTuple):
    """Equal bins along one axis; none if `number` is 0."""

    number: int
    axis: int
    low: float
    per_pixel: float


@partial(part, fastmath={"reassoc"})
def shift_four(x: np.ndarray, y: np.ndarray, weight: np.ndarray, windows: Windows, radius_squared: float) -> None:
    """Finds the mean and the mass of the points (P,) in each of four windows.

    Sums in any order are what lets LLVM vectorise this; with any other flag of fastmath than that (nsz!) it does not. A
    lane then adds every eighth point, so the same points mostly give the same sums, whatever the range that they are
    found in. Nothing but the speed depends on that.
    """
    ax, bx, cx, dx = windows.x[0], windows.x[1], windows.x[2], windows.x[3]
    ay, by, cy, dy = windows.y[0], windows.y[1], windows.y[2], windows.y[3]
    aw = bw = cw = dw = au = bu = cu = du = av = bv = cv = dv = 0.0
    for i in range(len(x)):
        u, v, w = x[i], y[i], weight[i]
        wu, wv = w * u, w * v
        inside = (u - ax) * (u - ax) + (v - ay) * (v - ay) <= radius_squared
        aw += w if inside else 0.0
        au += wu if inside else 0.0
        av += wv if inside else 0.0
        inside = (u - bx) * (u - bx) + (v - by) * (v - by) <= radius_squared
        bw += w if inside else 0.0
        bu += wu if inside else 0.0
        bv += wv if inside else 0.0
        inside = (u - cx) * (u - cx) + (v - cy) * (v - cy) <= radius_squared
        cw += w if inside else 0.0
        cu += wu if inside else 0.0
        cv += wv if inside else 0.0
        inside = (u - dx) * (u - dx) + (v - dy) * (v - dy) <= radius_squared
        dw += w if inside else 0.0
        du += wu if inside else 0.0
        dv += wv if inside else 0.0
    mean_x, mean_y, mass = windows.mean_x, windows.mean_y, windows.mass
    mean_x[0], mean_x[1], mean_x[2], mean_x[3] = au / aw, bu / bw, cu / cw, du / dw
    mean_y[0], mean_y[1], mean_y[2], mean_y[3] = av / aw, bv / bw, cv / cw, dv / dw
    mass[0], mass[1], mass[2], mass[3] = aw, bw, cw, dw


@part
def _bin_of(bins: Bins, value: float) -> int:
    """The bin of a coordinate, the first or last one if it is beyond them."""
    return min(max(int((value - bins.low) * bins.per_pixel), 0), bins.number - 1)


@part
def _sort_into_bins(space: Space, bins: Bins, count: int) -> None:
    """Copies the points to `binned`, in the order of the bins or, without bins, their own.

    This is a counting sort. After the sums, starts[b + 1] is where bin b begins. Each point that goes into the bin
    moves it on, in the end to where the next bin begins.
    """
    points, binned, starts = space.points, space.binned, space.starts
    along = points.y if bins.axis else points.x
    for b in range(bins.number + 2):
        starts[b] = 0
    if bins.number:
        for i in range(count):
            starts[_bin_of(bins, along[i]) + 2] += 1
    for b in range(1, bins.number + 1):
        starts[b + 1] += starts[b]
    for i in range(count):
        to = i
        if bins.number:
            b = _bin_of(bins, along[i]) + 1
            to = starts[b]
            starts[b] += 1
        binned.x[to], binned.y[to], binned.weight[to] = points.x[i], points.y[i], points.weight[i]
        space.place[i] = to


@part
def reach_of(middles: np.ndarray, reach: float) -> tuple[float, float]:
    """The bounds, along one axis, of four windows with these middles (4,)."""
    low = min(min(middles[0], middles[1]), min(middles[2], middles[3]))
    high = max(max(middles[0], middles[1]), max(middles[2], middles[3]))
    return low - reach, high + reach


@part
def _range_in_view(bins: Bins, starts: np.ndarray, windows: Windows, reach: float, padded: int) -> tuple[int, int]:
    """The range of binned points, in whole lanes, that the windows may hold: up to `padded`."""
    if bins.number == 0:
        return 0, padded
    low, high = reach_of(windows.y if bins.axis else windows.x, reach)
    return starts[_bin_of(bins, low)] & ~7, starts[_bin_of(bins, high) + 1] + 7 & ~7


@part
def _state_at(states: States, used: int, mask: int, x: float, y: float) -> int:
    """The state at a place, which is `used`, a new one, if there is none yet.

    States are hashed by the bits of their coordinates. Buckets count them from the thread's first set on, so that those
    of earlier sets need not be wiped out.
    """
    earlier = states.earlier[0]
    x, y = x + 0.0, y + 0.0  # no -0, whose bits are not those of 0
    bits = np.float64(x).view(np.int64) * 0x1E3779B97F4A7C15 ^ np.float64(y).view(np.int64) * 0x2545F4914F6CDD1D
    bucket = (bits ^ bits >> 29) & mask
    entry = states.buckets[bucket]
    while entry >= earlier:
        state = entry - earlier
        if states.x[state] == x and states.y[state] == y:
            return state
        entry = states.chained[state]
    states.chained[used] = states.buckets[bucket]
    states.buckets[bucket] = earlier + used
    states.x[used], states.y[used], states.end[used] = x, y, -1
    return used


@part
def _move_on(windows: Windows, states: States, group: int, size: int, mask: int, used: int, rest: float) -> int:
    """Notes where the windows about `size` states from `group` on lead. Returns the number of states.

    A climb ends with a step whose square is at most `rest`.
    """
    for i in range(size):
        state, mass = group + i, windows.mass[i]
        moved = (windows.mean_x[i] - windows.x[i]) ** 2 + (windows.mean_y[i] - windows.y[i]) ** 2
        following = state
        # A window may be empty, by rounding, where a bandwidth is as small as a coordinate's last bits.
        if moved > 0 and mass > 0:
            following = _state_at(states, used, mask, windows.mean_x[i], windows.mean_y[i])
            used = max(used, following + 1)
        states.mass[state], states.following[state] = mass, following
        states.rests[state] = int(following == state or moved <= rest)
    return used


@part
def _begin(space: Space, count: int, padded: int) -> None:
    """Makes each binned point a state, and fills the last lane up with points at infinity, which are in no window."""
    binned, states = space.binned, space.states
    for i in range(count, padded):
        binned.x[i], binned.y[i], binned.weight[i] = np.inf, np.inf, 0.0
    for i in range(count):
        states.x[i], states.y[i], states.end[i] = binned.x[i], binned.y[i], -1


@part
def climb(space: Space, bins: Bins, count: int, radius: float, max_iter: int) -> None:
    """Shifts the windows about the points, and those where that leads, until all rest.

    The states up to `count` are the points, in the order of `place`. They are not found by their coordinates, only the
    later ones are. Each round shifts the states that the round before has found.
    """
    points, windows, states = space.binned, space.windows, space.states
    padded = count + 7 & ~7
    _sort_into_bins(space, bins, count)
    _begin(space, count, padded)
    mask = 15
    while mask < 2 * count:
        mask = 2 * mask + 1
    first, last, used = 0, count, count
    for _ in range(max_iter + 1):
        for group in range(first, last, 4):
            size = min(4, last - group)
            for i in range(4):  # fewer than four are filled up with the last
                state = group + min(i, size - 1)
                windows.x[i], windows.y[i] = states.x[state], states.y[state]
            low, high = _range_in_view(bins, space.starts, windows, radius * SLACK, padded)
            shift_four(points.x[low:high], points.y[low:high], points.weight[low:high], windows, radius * radius)
            used = _move_on(windows, states, group, size, mask, used, (STOP * radius) ** 2)
        first, last = last, used
    states.earlier[0] += used
