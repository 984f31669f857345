"""The cheapest path through the clusters of a joint in 10,000 frames, against SciPy's Dijkstra on the same graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from ptfast.tracking import cheapest_path

FRAMES, CLUSTERS, SMOOTHNESS = 10_000, 3, 0.1


def clusters() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places (N, 2), offsets (F + 1,) and sizes (N,): a joint that wanders, and two places that come and go."""
    rng = np.random.default_rng(0)
    joint = np.cumsum(rng.normal(0, 3, (FRAMES, 1, 2)), 0)
    places = joint + rng.normal(0, 1, (FRAMES, CLUSTERS, 2)) * np.array([[1], [40], [40]])
    sizes = rng.integers(1, 6, (FRAMES, CLUSTERS)) + np.array([3, 0, 0])
    return places.reshape(-1, 2), np.arange(FRAMES + 1) * CLUSTERS, sizes.ravel()


def scipy_cost(places: np.ndarray, sizes: np.ndarray) -> float:
    """The path's cost by SciPy: a node for each cluster, then a source and a sink."""
    at, size, count = places.reshape(FRAMES, CLUSTERS, 2), sizes.reshape(FRAMES, CLUSTERS), len(places)
    own = 1 - size / size.sum(1, keepdims=True)
    steps = own[1:, None] + SMOOTHNESS * np.sqrt(((at[1:, None] - at[:-1, :, None]) ** 2).sum(-1))
    following = np.arange(CLUSTERS, count).reshape(-1, 1, CLUSTERS).repeat(CLUSTERS, 1)
    weights = np.concatenate([steps.ravel(), np.ones(CLUSTERS), own[0]])  # to the sink 1, as edges of 0 vanish
    columns = np.concatenate([following.ravel(), np.full(CLUSTERS, count + 1), np.arange(CLUSTERS)])
    rows = np.arange(count + 3) * CLUSTERS
    rows[count - CLUSTERS + 1 :] = steps.size + np.array([*range(1, CLUSTERS + 1), 2 * CLUSTERS, 2 * CLUSTERS])
    graph = csr_array((weights, columns, rows), shape=(count + 2, count + 2))
    return float(dijkstra(graph, indices=count)[count + 1] - 1)


@pytest.mark.benchmark(group=f"cheapest path, {FRAMES} frames of {CLUSTERS} clusters")
@pytest.mark.parametrize(("method", "at_least"), [("viterbi", 10), ("dijkstra", 1)])
def test_cheapest_path(
    benchmark: Any, method: str, at_least: float, median_seconds: Callable, held_against: Callable
) -> None:
    places, offsets, sizes = clusters()
    _, cost = cheapest_path(places, offsets, sizes=sizes, smoothness=SMOOTHNESS, method=method)
    np.testing.assert_allclose(cost, scipy_cost(places, sizes), rtol=1e-10)
    peer = median_seconds(lambda: scipy_cost(places, sizes), 21)
    benchmark(lambda: cheapest_path(places, offsets, sizes=sizes, smoothness=SMOOTHNESS, method=method))
    held_against(peer, at_least, peer="SciPy's Dijkstra with the graph's construction")
