"""Mean shift with a flat kernel, compiled.

A seed's next place is the mean of the points in the window about it, so it depends on the place alone: seeds that meet
go on together. Each place is therefore a state that is looked up by its coordinates and shifted once, four at a time,
and where there are many points, a window sees only those in the bins that it covers along the points' longer extent.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ptfast.tracking._numba import ZERO, arrays, inputs, integer, kernel, part, real

STOP = 1e-3  # a seed rests when it moves by less than this share of the bandwidth (scikit-learn's)
DIRECT = 32  # up to so many points, every window sees all of them
SLACK = 1 + 1e-9  # bins are chosen a little generously, as sums round

# Rows of a worker's tables: reals, and integers.
X, Y, WEIGHT, BINNED, NEAREST, STATE_X, STATE_Y, MASS, ENDED, CENTRE_X, CENTRE_Y = 0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12
HERE, TO, LOAD = 13, 15, 17  # of the four places that are shifted together: two rows, two rows, one
REALS = 18
LABEL, START, FOLLOW, NEXT, ORDER, BINS, BUCKETS = range(7)
INTEGERS = 7


@part
def make_tables(points: int, max_iter: int) -> tuple[np.ndarray, np.ndarray]:
    """Tables for problems of up to so many points; what a problem does not touch costs no memory.

    Row X, Y and WEIGHT take a problem; LABEL, CENTRE_X and CENTRE_Y hold its solution.
    """
    width = points * (max_iter + 4) + 64
    index = np.empty((INTEGERS, width), np.int64)
    for bucket in range(4 * points + 16):
        index[BUCKETS, bucket] = -1
    return np.empty((REALS, width), np.float64), index


@njit(fastmath={"reassoc"}, error_model="numpy")
def _shift_four(x: np.ndarray, y: np.ndarray, weight: np.ndarray, reals: np.ndarray, radius_squared: float) -> None:
    """The means TO of the points in the windows about the four places HERE, and those points' weight LOAD.

    Sums in any order are what lets LLVM vectorise this; with any other flag of fastmath than that (nsz!) it does not. A
    lane then adds every eighth point, so the same points mostly give the same sums, whatever the range that they are
    found in; nothing but the speed depends on that.
    """
    ax, bx, cx, dx = reals[HERE, 0], reals[HERE, 1], reals[HERE, 2], reals[HERE, 3]
    ay, by, cy, dy = reals[HERE + 1, 0], reals[HERE + 1, 1], reals[HERE + 1, 2], reals[HERE + 1, 3]
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
    reals[TO, 0], reals[TO, 1], reals[TO, 2], reals[TO, 3] = au / aw, bu / bw, cu / cw, du / dw
    reals[TO + 1, 0], reals[TO + 1, 1], reals[TO + 1, 2], reals[TO + 1, 3] = av / aw, bv / bw, cv / cw, dv / dw
    reals[LOAD, 0], reals[LOAD, 1], reals[LOAD, 2], reals[LOAD, 3] = aw, bw, cw, dw


@part
def _bin(value: float, low: float, per_pixel: float, count: int) -> int:
    return min(max(int((value - low) * per_pixel), 0), count - 1)


@part
def _sort_into_bins(
    reals: np.ndarray, index: np.ndarray, points: int, axis: int, low: float, per_pixel: float, count: int,
) -> None:  # fmt: skip
    """Copies the points, ordered by bins along an axis, to BINNED; bin b then begins at index[BINS, b]."""
    starts = index[BINS]
    for b in range(count + 1):
        starts[b] = 0
    for i in range(points):
        starts[_bin(reals[axis, i], low, per_pixel, count) + 1] += 1
    for b in range(count):
        starts[b + 1] += starts[b]
    for i in range(points):
        b = _bin(reals[axis, i], low, per_pixel, count)
        for column in range(3):
            reals[BINNED + column, starts[b]] = reals[column, i]
        index[START, i] = starts[b]
        starts[b] += 1
    for b in range(count, 0, -1):
        starts[b] = starts[b - 1]
    starts[0] = 0


@part
def _state(reals: np.ndarray, index: np.ndarray, used: int, base: int, mask: int, x: float, y: float) -> int:
    """The state of a place, which is `used`, a new one, if there is none yet.

    Buckets hold states counted from the worker's first problem on, so that those before `base`, from earlier problems,
    need not be wiped out.
    """
    x, y = x + 0.0, y + 0.0  # no -0, whose bits are not those of 0
    bits = np.float64(x).view(np.int64) * 0x1E3779B97F4A7C15 ^ np.float64(y).view(np.int64) * 0x2545F4914F6CDD1D
    bucket = (bits ^ bits >> 29) & mask
    entry = index[BUCKETS, bucket]
    while entry >= base:
        state = entry - base
        if reals[STATE_X, state] == x and reals[STATE_Y, state] == y:
            return state
        entry = index[NEXT, state]
    index[NEXT, used] = index[BUCKETS, bucket]
    index[BUCKETS, bucket] = base + used
    reals[STATE_X, used], reals[STATE_Y, used], reals[ENDED, used] = x, y, 0.0
    return used


@part
def _climb(
    reals: np.ndarray, index: np.ndarray, points: int, radius: float, max_iter: int, base: int, rows: int, axis: int,
    low: float, per_pixel: float, bins: int,
) -> int:  # fmt: skip
    """Shifts the points, and where that leads, until all rest; returns the number of states."""
    padded = points + 7 & ~7  # a range of whole lanes is quicker, and points at infinity are in no window
    for i in range(points, padded):
        reals[rows, i], reals[rows + 1, i], reals[rows + 2, i] = np.inf, np.inf, 0.0
    mask = 15
    while mask < 2 * points:
        mask = 2 * mask + 1
    for i in range(points):  # the first states; places that others reach are not looked for among them, but elsewhere
        reals[STATE_X, i], reals[STATE_Y, i], reals[ENDED, i] = reals[rows, i], reals[rows + 1, i], 0.0
        if rows == X:
            index[START, i] = i
    first, last, used = 0, points, points
    reach, rest = radius * SLACK, (STOP * radius) ** 2
    for _ in range(max_iter + 1):
        for group in range(first, last, 4):
            size = min(4, last - group)
            for i in range(4):
                state = group + min(i, size - 1)
                reals[HERE, i], reals[HERE + 1, i] = reals[STATE_X, state], reals[STATE_Y, state]
            low_end, high_end = 0, padded
            if bins:
                least = min(
                    min(reals[HERE + axis, 0], reals[HERE + axis, 1]), min(reals[HERE + axis, 2], reals[HERE + axis, 3])
                )
                most = max(
                    max(reals[HERE + axis, 0], reals[HERE + axis, 1]), max(reals[HERE + axis, 2], reals[HERE + axis, 3])
                )
                low_end = index[BINS, _bin(least - reach, low, per_pixel, bins)] & ~7
                high_end = index[BINS, _bin(most + reach, low, per_pixel, bins) + 1] + 7 & ~7
            _shift_four(
                reals[rows, low_end:high_end], reals[rows + 1, low_end:high_end], reals[rows + 2, low_end:high_end],
                reals, radius * radius,
            )  # fmt: skip
            for i in range(size):
                reals[MASS, group + i] = reals[LOAD, i]
                moved = (reals[TO, i] - reals[HERE, i]) ** 2 + (reals[TO + 1, i] - reals[HERE + 1, i]) ** 2
                # A window may be empty, by rounding, where a bandwidth is as small as a coordinate's last bits.
                following = group + i
                if moved > 0 and reals[LOAD, i] > 0:
                    following = _state(reals, index, used, base, mask, reals[TO, i], reals[TO + 1, i])
                    used = max(used, following + 1)
                index[FOLLOW, group + i] = following << 1 | int(following == group + i or moved <= rest)
        first, last = last, used
    return used


@part
def _denser(reals: np.ndarray, one: int, other: int) -> bool:
    """Whether the place of one state goes before that of another: by weight, then x, then y, each descending."""
    for row in (ENDED, STATE_X, STATE_Y):
        if reals[row, one] != reals[row, other]:
            return reals[row, one] > reals[row, other]
    return False


@part
def _rest_at_once(reals: np.ndarray, index: np.ndarray, points: int, radius_squared: float) -> int:
    """Finds where the points rest if they stand in groups that see themselves and nobody else, as most often they do.

    All points of such a group, and its mean too, have the group in their windows: they rest at the mean. The number of
    groups, which become states in ORDER; or 0 if there is a point that sees only a part of them or sees two.
    """
    sees = index[START]
    for i in range(points):
        x, y, mask = reals[X, i], reals[Y, i], 1 << i
        for j in range(i):
            near = int((reals[X, j] - x) ** 2 + (reals[Y, j] - y) ** 2 <= radius_squared)
            mask |= near << j
            sees[j] |= near << i
        sees[i] = mask
    count, grouped = 0, 0
    for i in range(points):
        group = sees[i]
        if grouped >> i & 1:
            continue
        mass = sum_x = sum_y = 0.0
        for j in range(points):
            if group >> j & 1:
                if sees[j] != group:
                    return 0
                mass += reals[WEIGHT, j]
                sum_x += reals[WEIGHT, j] * reals[X, j]
                sum_y += reals[WEIGHT, j] * reals[Y, j]
        x, y, seen = sum_x / mass, sum_y / mass, 0
        for j in range(points):
            seen |= int((reals[X, j] - x) ** 2 + (reals[Y, j] - y) ** 2 <= radius_squared) << j
        if seen != group:
            return 0
        reals[STATE_X, count], reals[STATE_Y, count], reals[ENDED, count] = x, y, mass
        index[ORDER, count] = count
        count += 1
        grouped |= group
    return count


@part
def _follow(reals: np.ndarray, index: np.ndarray, points: int, max_iter: int) -> int:
    """Follows every point to where it rests: the number of states, in ORDER."""
    count = 0
    for i in range(points):
        state = index[START, i]
        for _ in range(max_iter + 1):
            mass, step = reals[MASS, state], index[FOLLOW, state]
            state = step >> 1
            if step & 1:
                break
        if mass > 0:
            if reals[ENDED, state] == 0:
                index[ORDER, count] = state
                count += 1
            reals[ENDED, state] = mass  # if windows of different weight have one mean, the last point's counts
    return count


@part
def _sort_places(reals: np.ndarray, order: np.ndarray) -> None:
    """Writes the places of states to CENTRE_X and CENTRE_Y, the densest first."""
    count = len(order)
    gap = 1
    while gap < count // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, count):
            state, j = order[i], i
            while j >= gap and _denser(reals, state, order[j - gap]):
                order[j] = order[j - gap]
                j -= gap
            order[j] = state
        gap //= 3
    for i in range(count):
        reals[CENTRE_X, i], reals[CENTRE_Y, i] = reals[STATE_X, order[i]], reals[STATE_Y, order[i]]


@part
def _drop_duplicates(x: np.ndarray, y: np.ndarray, dropped: np.ndarray, radius_squared: float) -> int:
    """Keeps the places that no kept place before them has within the radius; returns how many."""
    kept = 0
    for i in range(len(x)):
        dropped[i] = 0.0
    for i in range(len(x)):
        if dropped[i] == 0:
            here_x, here_y = x[i], y[i]
            for j in range(len(x)):
                near = (x[j] - here_x) ** 2 + (y[j] - here_y) ** 2 <= radius_squared
                dropped[j] = 1.0 if near else dropped[j]
            x[kept], y[kept] = here_x, here_y
            kept += 1
    return kept


@part
def _label(
    x: np.ndarray, y: np.ndarray, centre_x: np.ndarray, centre_y: np.ndarray, nearest: np.ndarray, labels: np.ndarray,
) -> None:  # fmt: skip
    """The nearest centre of each point, the first of several."""
    for i in range(len(x)):
        nearest[i], labels[i] = np.inf, 0
    for c in range(len(centre_x)):
        here_x, here_y = centre_x[c], centre_y[c]
        for i in range(len(x)):
            distance = (x[i] - here_x) ** 2 + (y[i] - here_y) ** 2
            closer = distance < nearest[i]
            nearest[i] = distance if closer else nearest[i]
            labels[i] = c if closer else labels[i]


@part
def find_clusters(
    reals: np.ndarray, index: np.ndarray, points: int, radius: float, max_iter: int, base: int,
) -> tuple[int, int]:  # fmt: skip
    """Clusters the points in rows X, Y and WEIGHT of the tables.

    Returns the number of clusters, whose centres are then in CENTRE_X and CENTRE_Y and whose members in LABEL, and by
    how much `base`, which begins at 0, grows for the tables' next problem.
    """
    low, high = (reals[X, 0], reals[Y, 0]), (reals[X, 0], reals[Y, 0])
    mass = sum_x = sum_y = 0.0
    for i in range(points):
        x, y, weight = reals[X, i], reals[Y, i], reals[WEIGHT, i]
        low, high = (min(x, low[0]), min(y, low[1])), (max(x, high[0]), max(y, high[1]))
        mass += weight
        sum_x += weight * x
        sum_y += weight * y
        index[LABEL, i] = 0
    extent = high[0] - low[0], high[1] - low[1]
    if (extent[0] ** 2 + extent[1] ** 2) * SLACK <= radius * radius:  # every window holds all points
        reals[CENTRE_X, 0], reals[CENTRE_Y, 0] = sum_x / mass, sum_y / mass
        return 1, 0
    ends = _rest_at_once(reals, index, points, radius * radius) if points <= DIRECT else 0
    used = ZERO
    if ends == 0:
        axis, bins, per_pixel = int(extent[1] > extent[0]), 0, 0.0
        if points > DIRECT:
            per_pixel = min(4 / radius, points / extent[axis])
            bins = int(extent[axis] * per_pixel) + 1
            _sort_into_bins(reals, index, points, axis, low[axis], per_pixel, bins)
        rows = BINNED if bins else X
        used = _climb(reals, index, points, radius, max_iter, base, rows, axis, low[axis], per_pixel, bins)
        ends = _follow(reals, index, points, max_iter)
    _sort_places(reals, index[ORDER, :ends])
    count = _drop_duplicates(reals[CENTRE_X, :ends], reals[CENTRE_Y, :ends], reals[NEAREST, :ends], radius * radius)
    _label(
        reals[X, :points], reals[Y, :points], reals[CENTRE_X, :count], reals[CENTRE_Y, :count],
        reals[NEAREST, :points], index[LABEL, :points],
    )  # fmt: skip
    return count, used


@kernel(
    inputs(real, 2), inputs(real), inputs(integer), inputs(real), integer, integer, integer,
    arrays(real, 2), arrays(integer), arrays(integer),
)  # fmt: skip
def cluster_problems(
    points: np.ndarray, weights: np.ndarray, offsets: np.ndarray, bandwidths: np.ndarray, max_iter: int, begin: int,
    end: int, centres: np.ndarray, counts: np.ndarray, labels: np.ndarray,
) -> None:  # fmt: skip
    """Solves problems begin to end of many.

    Args:
        points: (P, 2).
        weights: (P,), or (0,) for none.
        offsets: (B + 1,) where each problem's points begin.
        bandwidths: (B,).
        max_iter: Most shifts of a seed after the first.
        begin: The first problem.
        end: The problem after the last.
        centres: (P, 2), written: those of problem b from offsets[b] on.
        counts: (B,), written: clusters of each problem.
        labels: (P,), written: the cluster of each point, counted within its problem.
    """
    most = ZERO
    for b in range(begin, end):
        most = max(most, offsets[b + 1] - offsets[b])
    reals, index = make_tables(most, max_iter)
    base = ZERO
    for b in range(begin, end):
        first, size = offsets[b], offsets[b + 1] - offsets[b]
        counts[b] = 0
        if size == 0:
            continue
        for i in range(size):
            reals[X, i], reals[Y, i] = points[first + i, 0], points[first + i, 1]
            reals[WEIGHT, i] = weights[first + i] if len(weights) else 1.0
        counts[b], used = find_clusters(reals, index, size, bandwidths[b], max_iter, base)
        base += used
        for c in range(counts[b]):
            centres[first + c, 0], centres[first + c, 1] = reals[CENTRE_X, c], reals[CENTRE_Y, c]
        for i in range(size):
            labels[first + i] = index[LABEL, i]
