"""Mean shift with a flat kernel: the clusters of many small sets of points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ptfast.tracking._kernels.climbing import SLACK, Bins, climb
from ptfast.tracking._kernels.compiling import ZERO, arrays, integer, kernel, part, real, record
from ptfast.tracking._kernels.records import Found, Sets
from ptfast.tracking._kernels.space import Centres, Points, Space, States, make_space

DIRECT = 32  # up to so many points, every window sees all of them


class Extent(NamedTuple):
    """The bounds of points, and their mean."""

    low_x: float
    low_y: float
    width: float
    height: float
    mean_x: float
    mean_y: float


@part
def _extent(points: Points, count: int) -> Extent:
    """The extent of the first `count` points."""
    low_x = high_x = points.x[0]
    low_y = high_y = points.y[0]
    mass = sum_x = sum_y = 0.0
    for i in range(count):
        x, y, weight = points.x[i], points.y[i], points.weight[i]
        low_x, low_y, high_x, high_y = min(x, low_x), min(y, low_y), max(x, high_x), max(y, high_y)
        mass += weight
        sum_x += weight * x
        sum_y += weight * y
    return Extent(low_x, low_y, high_x - low_x, high_y - low_y, sum_x / mass, sum_y / mass)


@part
def _see(points: Points, count: int, radius_squared: float, sees: np.ndarray) -> None:
    """Writes for each point (P,) the set of points in the window about it, bit j for point j."""
    for i in range(count):
        x, y, mask = points.x[i], points.y[i], 1 << i
        for j in range(i):
            near = int((points.x[j] - x) ** 2 + (points.y[j] - y) ** 2 <= radius_squared)
            mask |= near << j
            sees[j] |= near << i
        sees[i] = mask


@part
def _group_mean(points: Points, count: int, sees: np.ndarray, group: int) -> tuple[float, float, float]:
    """Mean x and y and mass of a group of points. The mass is 0 if one of them does not see exactly the group."""
    mass = sum_x = sum_y = 0.0
    for j in range(count):
        if group >> j & 1:
            if sees[j] != group:
                return 0.0, 0.0, 0.0
            mass += points.weight[j]
            sum_x += points.weight[j] * points.x[j]
            sum_y += points.weight[j] * points.y[j]
    return sum_x / mass, sum_y / mass, mass


@part
def _rest_at_once(points: Points, count: int, radius_squared: float, sees: np.ndarray, centres: Centres) -> int:
    """Finds where the points rest if they form groups that see themselves and nobody else, as most often they do.

    All points of such a group, and its mean too, have the group in their windows: they rest at the mean. Returns the
    number of groups, or 0 if there is a point that sees only a part of them or sees two.
    """
    _see(points, count, radius_squared, sees)
    found, grouped = 0, 0
    for i in range(count):
        group = sees[i]
        if grouped >> i & 1:
            continue
        x, y, mass = _group_mean(points, count, sees, group)
        if mass == 0:
            return 0
        seen = 0
        for j in range(count):
            seen |= int((points.x[j] - x) ** 2 + (points.y[j] - y) ** 2 <= radius_squared) << j
        if seen != group:
            return 0
        centres.x[found], centres.y[found], centres.mass[found] = x, y, mass
        found += 1
        grouped |= group
    return found


@part
def _choose_bins(extent: Extent, count: int, radius: float) -> Bins:
    """Bins of a quarter of the radius along the longer extent, but not more of them than points."""
    axis = int(extent.height > extent.width)
    length, low = (extent.height, extent.low_y) if axis else (extent.width, extent.low_x)
    if count <= DIRECT:
        return Bins(ZERO, axis, low, 0.0)
    per_pixel = min(4 / radius, count / length)
    return Bins(int(length * per_pixel) + 1, axis, low, per_pixel)


@part
def _follow(states: States, place: np.ndarray, max_iter: int, centres: Centres) -> int:
    """Follows every point from its state (P,) to where it rests. Returns the number of these places."""
    found = 0
    for i in range(len(place)):
        state, mass = place[i], 0.0
        for _ in range(max_iter + 1):
            mass, last, state = states.mass[state], states.rests[state], states.following[state]
            if last:
                break
        if mass > 0:
            if states.end[state] < 0:
                states.end[state] = found
                centres.x[found], centres.y[found] = states.x[state], states.y[state]
                found += 1
            centres.mass[states.end[state]] = mass  # if windows of different weight have one mean, the last's counts
    return found


@part
def _denser(centres: Centres, i: int, x: float, y: float, mass: float) -> bool:
    """Says whether a place goes before centre i: by mass, then x, then y, each descending."""
    if mass != centres.mass[i]:
        return mass > centres.mass[i]
    return x > centres.x[i] if x != centres.x[i] else y > centres.y[i]


@part
def _sort_densest_first(centres: Centres, count: int) -> None:
    """Shell's sort: an insertion sort over ever smaller gaps."""
    gap = 1
    while gap < count // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, count):
            x, y, mass, j = centres.x[i], centres.y[i], centres.mass[i], i
            while j >= gap and _denser(centres, j - gap, x, y, mass):
                k, j = j, j - gap
                centres.x[k], centres.y[k], centres.mass[k] = centres.x[j], centres.y[j], centres.mass[j]
            centres.x[j], centres.y[j], centres.mass[j] = x, y, mass
        gap //= 3


@part
def drop_duplicates(x: np.ndarray, y: np.ndarray, dropped: np.ndarray, radius_squared: float) -> int:
    """Moves the places (N,) that have no kept one before them within the radius to the front. Returns their number."""
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
def label(
    x: np.ndarray, y: np.ndarray, centre_x: np.ndarray, centre_y: np.ndarray, nearest: np.ndarray, labels: np.ndarray,
) -> None:  # fmt: skip
    """Writes the nearest centre (C,) of each point (P,), the first of several, and its squared distance."""
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
def find_clusters(space: Space, count: int, radius: float, max_iter: int) -> int:
    """Clusters the first `count` points of `space`. Returns the number of clusters, which `centres` and `labels` hold.

    Where one window holds all points, they are one cluster. Else they climb, of the places where they rest the densest
    of each neighbourhood is kept, and each point belongs to the nearest of these.
    """
    points, centres, labels = space.points, space.centres, space.labels
    extent = _extent(points, count)
    if (extent.width**2 + extent.height**2) * SLACK <= radius * radius:
        centres.x[0], centres.y[0] = extent.mean_x, extent.mean_y
        for i in range(count):
            labels[i] = 0
        return 1
    found = _rest_at_once(points, count, radius * radius, space.place, centres) if count <= DIRECT else 0
    if found == 0:
        climb(space, _choose_bins(extent, count, radius), count, radius, max_iter)
        found = _follow(space.states, space.place[:count], max_iter, centres)
    _sort_densest_first(centres, found)
    kept = drop_duplicates(centres.x[:found], centres.y[:found], space.nearest[:found], radius * radius)
    label(points.x[:count], points.y[:count], centres.x[:kept], centres.y[:kept], space.nearest[:count], labels[:count])
    return kept


SETS = record(Sets, arrays(real, 2), arrays(real), arrays(integer), arrays(real))
FOUND = record(Found, arrays(real, 2), arrays(integer), arrays(integer))


@kernel(SETS, integer, integer, integer, FOUND)
def cluster_sets(sets: Sets, max_iter: int, begin: int, end: int, found: Found) -> None:
    """Clusters sets `begin` to `end`, with at most `max_iter` shifts of a point after its first."""
    largest = ZERO
    for b in range(begin, end):
        largest = max(largest, sets.offsets[b + 1] - sets.offsets[b])
    space = make_space(largest, max_iter)
    points, centres = space.points, space.centres
    for b in range(begin, end):
        first, size = sets.offsets[b], sets.offsets[b + 1] - sets.offsets[b]
        found.counts[b] = 0
        if size == 0:
            continue
        for i in range(size):
            points.x[i], points.y[i] = sets.points[first + i, 0], sets.points[first + i, 1]
            points.weight[i] = sets.weights[first + i] if len(sets.weights) else 1.0
        found.counts[b] = find_clusters(space, size, sets.bandwidths[b], max_iter)
        for c in range(found.counts[b]):
            found.centres[first + c, 0], found.centres[first + c, 1] = centres.x[c], centres.y[c]
        for i in range(size):
            found.labels[first + i] = space.labels[i]
