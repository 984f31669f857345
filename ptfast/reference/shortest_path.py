"""The cheapest path through layers of nodes, one edge at a time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def cheapest_path(
    places: np.ndarray,
    offsets: np.ndarray,
    *,
    sizes: np.ndarray | None = None,
    smoothness: float | np.ndarray = 0.1,
    start: np.ndarray | None = None,
) -> tuple[np.ndarray, float]:
    """Finds the path as ptfast.tracking.cheapest_path does: places (N, 2), offsets (L + 1,) -> path (L,), its cost."""
    factor = np.broadcast_to(smoothness, len(offsets) - 1)
    if len(factor) == 0:
        return np.zeros(0, np.int64), 0.0
    ways: list[tuple[float, list[int]]] = []  # to each node of the last layer so far, in order
    for layer, (first, last) in enumerate(pairwise(offsets)):
        reached = []
        for node in range(first, last):
            own = 0.0 if sizes is None else 1 - sizes[node] / sizes[first:last].sum()
            if layer > 0:
                options = [
                    (total + (own + factor[layer] * _distance(places[path[-1]], places[node])), path)
                    for total, path in ways
                ]
                total, path = min(options, key=lambda option: option[0])  # the first of several
            else:
                total, path = own + (0.0 if start is None else factor[0] * _distance(start, places[node])), []
            reached.append((total, [*path, node]))
        ways = reached
    total, path = min(ways, key=lambda way: way[0])
    return np.array(path, np.int64), float(total)


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(((other - one) ** 2).sum()))
