"""The cheapest path through the clusters of a joint in 10,000 frames, against other libraries on the same graph.

SciPy's Dijkstra and networkx, with and without the making of its graph of 90,000 edges.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from peers import peer
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


def edges(places: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Costs of the clusters of the first frame (C,), and of the steps from each to each of the next (F - 1, C, C)."""
    at, size = places.reshape(FRAMES, CLUSTERS, 2), sizes.reshape(FRAMES, CLUSTERS)
    own = 1 - size / size.sum(1, keepdims=True)
    return own[0], own[1:, None] + SMOOTHNESS * np.sqrt(((at[1:, None] - at[:-1, :, None]) ** 2).sum(-1))


def scipy_cost(places: np.ndarray, sizes: np.ndarray) -> float:
    """The path's cost by SciPy: a node for each cluster, then a source and a sink."""
    (first, steps), count = edges(places, sizes), len(places)
    following = np.arange(CLUSTERS, count).reshape(-1, 1, CLUSTERS).repeat(CLUSTERS, 1)
    weights = np.concatenate([steps.ravel(), np.ones(CLUSTERS), first])  # to the sink 1, as edges of 0 vanish
    columns = np.concatenate([following.ravel(), np.full(CLUSTERS, count + 1), np.arange(CLUSTERS)])
    rows = np.arange(count + 3) * CLUSTERS
    rows[count - CLUSTERS + 1 :] = steps.size + np.array([*range(1, CLUSTERS + 1), 2 * CLUSTERS, 2 * CLUSTERS])
    graph = csr_array((weights, columns, rows), shape=(count + 2, count + 2))
    return float(dijkstra(graph, indices=count)[count + 1] - 1)


def networkx_graph(networkx: Any, places: np.ndarray, sizes: np.ndarray) -> Any:
    first, steps = edges(places, sizes)
    tail, ahead = np.indices((CLUSTERS, CLUSTERS)).reshape(2, -1)
    starts = np.arange(FRAMES - 1)[:, None] * CLUSTERS
    pairs = np.stack([(starts + tail).ravel(), (starts + CLUSTERS + ahead).ravel()], 1).tolist()
    graph = networkx.DiGraph()
    graph.add_weighted_edges_from((a, b, cost) for (a, b), cost in zip(pairs, steps.ravel().tolist(), strict=True))
    graph.add_weighted_edges_from(("source", i, cost) for i, cost in enumerate(first.tolist()))
    graph.add_weighted_edges_from((len(places) - 1 - i, "sink", 0) for i in range(CLUSTERS))
    return graph


def networkx_path(networkx: Any, graph: Any) -> list[int]:
    return networkx.dijkstra_path(graph, "source", "sink")[1:-1]


@pytest.mark.benchmark(group=f"cheapest path, {FRAMES} frames of {CLUSTERS} clusters")
@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize(("method", "at_least"), [("viterbi", 10), ("dijkstra", 1)])
def test_cheapest_path(
    benchmark: Any, method: str, at_least: float, threads: int, median_seconds: Callable, held_against: Callable,
    roofline: Callable[..., None],
) -> None:  # fmt: skip
    """One thread finds a path, however many there are."""
    places, offsets, sizes = clusters()
    _, cost = cheapest_path(places, offsets, sizes=sizes, smoothness=SMOOTHNESS, method=method)
    np.testing.assert_allclose(cost, scipy_cost(places, sizes), rtol=1e-10)
    seconds = median_seconds(lambda: scipy_cost(places, sizes), 21)
    benchmark(lambda: cheapest_path(places, offsets, sizes=sizes, smoothness=SMOOTHNESS, method=method))
    # Places, sizes, offsets and the path; of every edge that the definition has the distance (two differences, their
    # squares, a sum, a root, a factor), a sum and a comparison.
    flops = 9 * (FRAMES - 1) * CLUSTERS**2
    roofline(places.nbytes + sizes.nbytes + offsets.nbytes + 8 * FRAMES, flops if method == "viterbi" else None)
    held_against(seconds, at_least, peer="SciPy's Dijkstra with the graph's construction")


@pytest.mark.benchmark(group=f"cheapest path, {FRAMES} frames of {CLUSTERS} clusters")
@pytest.mark.parametrize("graph", ["made beforehand", "made each time"])
def test_networkx(benchmark: Any, graph: str) -> None:
    networkx = peer("networkx")
    places, offsets, sizes = clusters()
    ready = networkx_graph(networkx, places, sizes)
    path, _ = cheapest_path(places, offsets, sizes=sizes, smoothness=SMOOTHNESS)
    assert networkx_path(networkx, ready) == path.tolist()
    make = {"made beforehand": lambda: ready, "made each time": lambda: networkx_graph(networkx, places, sizes)}[graph]
    benchmark.extra_info["library"] = "networkx"
    benchmark.pedantic(lambda: networkx_path(networkx, make()), rounds=3)
