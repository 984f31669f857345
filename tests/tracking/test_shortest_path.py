"""cheapest_path: both methods against the specification and SciPy's Dijkstra, ties and errors."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from ptfast.reference.shortest_path import cheapest_path as plain_path
from ptfast.tracking import cheapest_path


def layers(count: int, seed: int, largest: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places (N, 2), offsets (L + 1,) and sizes (N,) of layers of 1 to `largest` clusters."""
    rng = np.random.default_rng(seed)
    offsets = np.cumsum([0, *rng.integers(1, largest + 1, count)])
    return rng.uniform(0, 100, (offsets[-1], 2)), offsets, rng.integers(1, 9, offsets[-1])


def scipy_cost(places: np.ndarray, offsets: np.ndarray, sizes: np.ndarray, smoothness: float) -> float:
    """The cost by SciPy, whose graph has a source, a sink and every edge one dearer, as edges of no weight vanish."""
    count, own = len(places), np.empty(len(places))
    rows, columns, weights = [], [], []
    for first, last in pairwise(offsets):
        own[first:last] = 1 - sizes[first:last] / sizes[first:last].sum()
        before = np.array([count]) if first == 0 else np.arange(offsets[np.searchsorted(offsets, first) - 1], first)
        steps = np.zeros((1, last - first))
        if first > 0:
            steps = np.sqrt(((places[before, None] - places[None, first:last]) ** 2).sum(-1))
        rows.append(np.repeat(before, last - first))
        columns.append(np.tile(np.arange(first, last), len(before)))
        weights.append((own[first:last] + smoothness * steps + 1).ravel())
    ends = np.arange(offsets[-2], count)
    edges = (np.concatenate([*rows, ends]), np.concatenate([*columns, np.full(len(ends), count + 1)]))
    graph = csr_array((np.concatenate([*weights, np.ones(len(ends))]), edges), shape=(count + 2, count + 2))
    return dijkstra(graph, indices=count)[count + 1] - len(offsets)


@pytest.mark.parametrize("method", ["viterbi", "dijkstra"])
@pytest.mark.parametrize("count", [1, 2, 3, 17, 301])
def test_costs_equal_scipy_and_paths_the_specification(count: int, method: str) -> None:
    for seed in range(3):
        places, offsets, sizes = layers(count, seed)
        path, cost = cheapest_path(places, offsets, sizes=sizes, method=method)
        expected, expected_cost = plain_path(places, offsets, sizes=sizes)
        np.testing.assert_array_equal(path, expected)
        assert cost == expected_cost
        np.testing.assert_allclose(cost, scipy_cost(places, offsets, sizes, 0.1), rtol=1e-12)


@pytest.mark.parametrize("method", ["viterbi", "dijkstra"])
@pytest.mark.parametrize("start", [None, np.array([1.0, 1.0])])
def test_equal_paths_are_settled_alike(start: np.ndarray | None, method: str) -> None:
    """Few places and sizes, so that many ways cost the same and many steps cost nothing."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        _, offsets, sizes = layers(20, seed)
        places = rng.integers(0, 2, (len(sizes), 2)).astype(float)
        arguments = {"sizes": None if seed % 2 else 1 + sizes % 2, "smoothness": rng.integers(0, 2, 20).astype(float)}
        path, cost = cheapest_path(places, offsets, start=start, method=method, **arguments)
        expected, expected_cost = plain_path(places, offsets, start=start, **arguments)
        np.testing.assert_array_equal(path, expected)
        assert cost == expected_cost


@pytest.mark.parametrize("method", ["viterbi", "dijkstra"])
def test_a_large_cluster_far_away_loses_to_a_small_one_on_the_way(method: str) -> None:
    places = np.array([[0, 0], [1, 0], [50, 0], [2.0, 0]])
    arguments = {"offsets": [0, 1, 3, 4], "sizes": np.array([9, 2, 7, 9]), "method": method}
    path, cost = cheapest_path(places, **arguments)
    np.testing.assert_array_equal(path, [0, 1, 3])
    np.testing.assert_allclose(cost, (1 - 2 / 9) + 0.1 * 2)
    np.testing.assert_array_equal(cheapest_path(places, smoothness=1e-3, **arguments)[0], [0, 2, 3])


def test_the_first_layer_pays_the_way_from_the_start() -> None:
    path, cost = cheapest_path(np.array([[0, 0], [10.0, 0]]), [0, 2], sizes=[2, 1], start=np.array([9.0, 0]))
    np.testing.assert_array_equal(path, [1])
    np.testing.assert_allclose(cost, 2 / 3 + 0.1)


def test_no_layers_have_an_empty_path() -> None:
    path, cost = cheapest_path(np.zeros((0, 2)), [0])
    assert path.shape == (0,) and cost == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"places": np.zeros((3, 3))}, r"places must have shape \(N, 2\), got \(3, 3\)"),
        ({"places": np.full((3, 2), np.inf)}, r"places must be finite, got inf at \(0, 0\)"),
        ({"offsets": [0, 1, 1, 3]}, r"offsets must rise from 0 to 3 with no layer empty, got \[0 1 1 3\]"),
        ({"sizes": [1, 0, 0]}, "sizes must have a positive sum in every layer"),
        ({"places": np.full((3, 2), 1e155)}, r"places must lie between -1e\+100 and 1e\+100, got 1e\+155 at \(0, 0\)"),
        ({"sizes": [1, 2, -1]}, "sizes must not be negative, got -1"),
        ({"smoothness": -1}, "smoothness must not be negative, got -1"),
        ({"smoothness": np.ones(3)}, r"smoothness must have shape \(L,\) with L = 2, got \(3,\)"),
        ({"start": np.zeros(3)}, r"start must have shape \(2,\), got \(3,\)"),
        ({"method": "astar"}, r"method must be one of \('viterbi', 'dijkstra'\), got 'astar'"),
    ],
)
def test_wrong_input_is_named(arguments: dict, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        cheapest_path(**{"places": np.zeros((3, 2)), "offsets": [0, 1, 3], **arguments})
