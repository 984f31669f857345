"""Mean shift in the plane from any seeds, with the number of their steps, as scikit-learn's class has it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast.tracking._kernels.records import Climbs
from ptfast.tracking._kernels.threads import even_pieces, run_pieces

GRAIN = 1 << 18  # pairs of a seed and a point that are worth a thread


@dataclass(frozen=True, eq=False)
class SeededClusters:
    """Clusters of P points from S seeds.

    Attributes:
        centres: (C, 2) float64, by descending number of points about them. There are none if no seed saw a point.
        labels: (P,) int64, the nearest centre of each point, -1 beyond the reach.
        steps: Largest number of steps of a seed before its last.
    """

    centres: np.ndarray
    labels: np.ndarray
    steps: int


def shift_seeds(
    points: np.ndarray, seeds: np.ndarray, bandwidth: float, *, max_iter: int = 300, reach: float = np.inf
) -> SeededClusters:
    """Clusters points by mean shift with a flat kernel that starts from seeds.

    Args:
        points: (P, 2) float64, at least one.
        seeds: (S, 2) float64.
        bandwidth: The radius of windows, not negative.
        max_iter: Largest number of steps of a seed before its last.
        reach: Points farther from every centre belong to none.
    """
    from ptfast.tracking._kernels.seeded_mean_shift import climb_from

    order = np.argsort(points[:, 0], kind="stable")
    x, y = (np.ascontiguousarray(points[order, axis]) for axis in (0, 1))
    rank = np.argsort(seeds[:, 0], kind="stable")  # seeds that stand close by see the same points
    ordered = np.ascontiguousarray(seeds[rank])
    climbs = Climbs(np.empty(ordered.shape), np.empty(len(ordered)), np.empty(len(ordered), np.int64))
    run_pieces(
        lambda begin, end: climb_from(x, y, ordered, bandwidth, max_iter, begin, end, climbs),
        even_pieces(np.arange(len(ordered) + 1) * max(1, len(points)), GRAIN),
    )
    back = np.argsort(rank)
    centres = _rank_places(climbs.places[back], climbs.mass[back])
    centres, labels = settle(points, centres, bandwidth, reach)
    return SeededClusters(centres, labels, int(climbs.steps.max(initial=0)))


def settle(points: np.ndarray, centres: np.ndarray, radius: float, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """The centres (C, 2) that have none before them within the radius, and the nearest of them for each point (P,).

    Labels are -1 for points farther away than `reach`, and undefined where there is no centre.
    """
    if not len(centres):
        return np.empty((0, 2)), np.empty(len(points), np.int64)
    from ptfast.tracking._kernels.seeded_mean_shift import settle as settle_in_place

    x, y = np.array(points.T, order="C")
    centre_x, centre_y = np.array(centres.T, np.float64, order="C")
    squared, labels = np.empty(len(points)), np.empty(len(points), np.int64)
    count = settle_in_place(x, y, centre_x, centre_y, radius, squared, labels)
    labels[np.sqrt(squared) > reach] = -1
    return np.stack([centre_x[:count], centre_y[:count]], 1), labels


def _rank_places(places: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """(C, 2) different places among (S, 2) whose windows hold a point, by descending mass.

    Of the masses of one place, which is where several seeds came to rest, the last counts.
    """
    entries = zip(places.tolist(), mass.tolist(), strict=True)
    found = {tuple(place): seen for place, seen in entries if seen}
    ranking = sorted(found, key=lambda place: (found[place], place), reverse=True)
    return np.array(ranking, np.float64).reshape(-1, 2)
