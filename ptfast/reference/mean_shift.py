"""Mean shift with a flat kernel, one seed and one step at a time."""

from __future__ import annotations

import numpy as np


def mean_shift(
    points: np.ndarray, bandwidth: float, weights: np.ndarray | None = None, max_iter: int = 300
) -> tuple[np.ndarray, np.ndarray]:
    """Clusters one set as ptfast.tracking.mean_shift does: points (P, 2) -> centres (C, 2) and labels (P,)."""
    weights = np.ones(len(points)) if weights is None else weights
    weight_of: dict[tuple[float, float], float] = {}
    for seed in points:
        place = seed
        for _ in range(max_iter + 1):
            near = ((points - place) ** 2).sum(1) <= bandwidth**2
            before, place = place, (weights[near, None] * points[near]).sum(0) / weights[near].sum()
            if np.linalg.norm(place - before) <= 1e-3 * bandwidth:
                break
        weight_of[float(place[0]), float(place[1])] = weights[near].sum()
    places = sorted(weight_of, key=lambda place: (weight_of[place], place), reverse=True)
    centres: list[tuple[float, float]] = []
    for place in places:
        if all((place[0] - x) ** 2 + (place[1] - y) ** 2 > bandwidth**2 for x, y in centres):
            centres.append(place)
    found = np.array(centres, np.float64).reshape(-1, 2)
    squared = ((points[:, None] - found) ** 2).sum(-1)
    return found, squared.argmin(1) if len(points) else np.zeros(0, np.int64)
