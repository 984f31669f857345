"""The shortest path through the clusters of consecutive frames.

Both methods add the same numbers in the same order and prefer the lowest cluster among equal ones, so their paths are
the same. Any two clusters of consecutive frames are joined, which is what makes going frame by frame the quicker one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ptfast.tracking._kernels.compiling import ZERO, arrays, boolean, integer, kernel, maker, part, real, record
from ptfast.tracking._kernels.records import Graph


class Paths(NamedTuple):
    """The cheapest paths to the N clusters, and room for the queue of Dijkstra's algorithm."""

    cost: np.ndarray  # (N,)
    previous: np.ndarray  # (N,) the cluster before
    layer: np.ndarray  # (N,) of each cluster that is or was in the queue
    heap: np.ndarray  # (N,) clusters, those at 2 i + 1 and 2 i + 2 after that at i
    place: np.ndarray  # (N,) of each cluster in the heap


@maker
def make_paths(count: int, dijkstra: bool) -> Paths:
    """Room for the paths to so many clusters, and for Dijkstra's queue where it is used."""
    queue = count if dijkstra else 0
    layer, heap, place = np.empty(queue, np.int64), np.empty(queue, np.int64), np.empty(queue, np.int64)
    return Paths(np.empty(count), np.empty(count, np.int64), layer, heap, place)


@part
def _step(graph: Graph, i: int, j: int, layer: int) -> float:
    """The cost of a step from cluster i to cluster j of a layer: the data term and the transition term."""
    dx, dy = graph.x[j] - graph.x[i], graph.y[j] - graph.y[i]
    return graph.data[j] + graph.smoothness[layer] * np.sqrt(dx * dx + dy * dy)


@part
def _start(graph: Graph, x: float, y: float, paths: Paths) -> None:
    """Writes the costs of the paths to the first layer, which come from x and y unless these are NaN."""
    for j in range(graph.first[0], graph.last[0]):
        paths.cost[j] = graph.data[j]
        if not np.isnan(x):
            dx, dy = graph.x[j] - x, graph.y[j] - y
            paths.cost[j] += graph.smoothness[0] * np.sqrt(dx * dx + dy * dy)


@part
def _viterbi(graph: Graph, paths: Paths) -> int:
    """Goes layer by layer: the cheapest path to each cluster. Returns the last layer's cheapest cluster."""
    for layer in range(1, len(graph.first)):
        for j in range(graph.first[layer], graph.last[layer]):
            best, best_from = np.inf, graph.first[layer - 1]
            for i in range(graph.first[layer - 1], graph.last[layer - 1]):
                cost = paths.cost[i] + _step(graph, i, j, layer)
                if cost < best:
                    best, best_from = cost, i
            paths.cost[j], paths.previous[j] = best, best_from
    end = graph.first[-1]
    for j in range(graph.first[-1] + 1, graph.last[-1]):
        if paths.cost[j] < paths.cost[end]:
            end = j
    return end


@part
def _before(cost: np.ndarray, i: int, j: int) -> bool:
    """The heap's order: by cost, then cluster. Among equal costs a cluster thus goes after all that lead to it."""
    return cost[i] < cost[j] or (cost[i] == cost[j] and i < j)


@part
def _rise(paths: Paths, node: int, at: int) -> None:
    """Puts a cluster into the heap at `at` and moves it up to where it belongs."""
    heap, place = paths.heap, paths.place
    while at > 0:
        above = heap[(at - 1) >> 1]
        if not _before(paths.cost, node, above):
            break
        heap[at], place[above] = above, at
        at = (at - 1) >> 1
    heap[at], place[node] = node, at


@part
def _sink(paths: Paths, size: int, node: int) -> None:
    """Puts a cluster at the heap's top and moves it down to where it belongs."""
    heap, place, at = paths.heap, paths.place, 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and _before(paths.cost, heap[below + 1], heap[below]):
            below += 1
        if not _before(paths.cost, heap[below], node):
            break
        heap[at], place[heap[below]] = heap[below], at
        at = below
    heap[at], place[node] = node, at


@part
def _dijkstra(graph: Graph, paths: Paths) -> int:
    """Goes cluster by cluster, cheapest first, until one of the last layer comes, which it returns.

    The queue is a heap. All of a layer enter it when the first cluster of the layer before leaves it.
    """
    cost, previous, size = paths.cost, paths.previous, ZERO
    for i in range(graph.first[0], graph.last[0]):
        paths.layer[i] = 0
        _rise(paths, i, size)
        size += 1
    reached = 0  # the last layer whose clusters have been in the queue
    while True:
        i = paths.heap[0]
        layer = paths.layer[i] + 1
        if layer == len(graph.first):
            return i
        size -= 1
        if size > 0:
            _sink(paths, size, paths.heap[size])
        for j in range(graph.first[layer], graph.last[layer]):
            through_i = cost[i] + _step(graph, i, j, layer)
            if layer > reached:
                paths.layer[j], cost[j], previous[j] = layer, through_i, i
                _rise(paths, j, size)
                size += 1
            elif through_i < cost[j]:
                cost[j], previous[j] = through_i, i
                _rise(paths, j, paths.place[j])
            elif through_i == cost[j]:
                previous[j] = min(previous[j], i)
        reached = max(reached, layer)


@part
def find_path(graph: Graph, x: float, y: float, dijkstra: bool, paths: Paths, path: np.ndarray) -> float:
    """Writes the clusters (L,) of the cheapest path, by Dijkstra's algorithm if `dijkstra`, and returns its cost.

    It comes from the place x, y, or begins anywhere where these are NaN. At least one layer, and none empty.
    """
    _start(graph, x, y, paths)
    end = _dijkstra(graph, paths) if dijkstra else _viterbi(graph, paths)
    cost = paths.cost[end]
    for layer in range(len(path) - 1, -1, -1):
        path[layer] = end
        if layer > 0:
            end = paths.previous[end]
    return cost


@part
def _write_data_terms(graph: Graph, magnitudes: np.ndarray) -> bool:
    """Writes 1 - |C| / |H| of each cluster. Returns False if a layer's magnitudes (N,) have a sum |H| of 0."""
    for layer in range(len(graph.first)):
        hypotheses = 0.0
        for i in range(graph.first[layer], graph.last[layer]):
            hypotheses += magnitudes[i]
        if hypotheses == 0:
            return False
        for i in range(graph.first[layer], graph.last[layer]):
            graph.data[i] = 1 - magnitudes[i] / hypotheses
    return True


GRAPH = record(Graph, *[arrays(real)] * 3, *[arrays(integer)] * 2, arrays(real))


@kernel(GRAPH, arrays(real), real, real, boolean, arrays(integer))
def solve_path(graph: Graph, magnitudes: np.ndarray, x: float, y: float, dijkstra: bool, path: np.ndarray) -> float:
    """Finds a path as `find_path`, through a graph whose data terms are given or follow from the clusters' magnitudes.

    `magnitudes` is (N,) or, for given data terms, (0,). Returns NaN if a layer's have a sum of 0.
    """
    if len(magnitudes) and not _write_data_terms(graph, magnitudes):
        return np.nan
    return find_path(graph, x, y, dijkstra, make_paths(len(graph.x), dijkstra), path)
