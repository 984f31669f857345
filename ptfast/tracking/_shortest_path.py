"""The cheapest path through layers of nodes, compiled.

Nodes stand layer after layer, layer l from first[l] up to last[l]; any two nodes of consecutive layers are joined. Both
methods add the same numbers in the same order and prefer the lowest node among equal ones, so their paths are the same.
"""

from __future__ import annotations

import numpy as np

from ptfast.tracking._numba import ZERO, arrays, boolean, integer, kernel, part, real


@part
def _edge(x: np.ndarray, y: np.ndarray, cost: np.ndarray, one: int, other: int, factor: float) -> float:
    dx, dy = x[other] - x[one], y[other] - y[one]
    return cost[other] + factor * np.sqrt(dx * dx + dy * dy)


@part
def viterbi(
    x: np.ndarray, y: np.ndarray, cost: np.ndarray, first: np.ndarray, last: np.ndarray, factor: np.ndarray,
    total: np.ndarray, came: np.ndarray,
) -> int:  # fmt: skip
    """Layer by layer: the cheapest way to each node. Returns the last layer's cheapest node.

    Args:
        x: (N,) places of the nodes.
        y: (N,).
        cost: (N,) what each node costs.
        first: (L,) the first node of each layer.
        last: (L,) the node after its last.
        factor: (L,) what a unit of distance to a layer's nodes costs.
        total: (N,) costs of the ways to the nodes: the first layer's are given, the others written.
        came: (N,) written: the node before each.
    """
    for layer in range(1, len(first)):
        for j in range(first[layer], last[layer]):
            best, best_from = np.inf, first[layer - 1]
            for i in range(first[layer - 1], last[layer - 1]):
                way = total[i] + _edge(x, y, cost, i, j, factor[layer])
                if way < best:
                    best, best_from = way, i
            total[j], came[j] = best, best_from
    end = first[-1]
    for j in range(first[-1] + 1, last[-1]):
        if total[j] < total[end]:
            end = j
    return end


@part
def _before(total: np.ndarray, one: int, other: int) -> bool:
    """The heap's order: by cost, then node. Among equal costs a node thus goes after all that lead to it."""
    return total[one] < total[other] or (total[one] == total[other] and one < other)


@part
def _rise(heap: np.ndarray, place: np.ndarray, total: np.ndarray, node: int, at: int) -> None:
    """Moves a node of the heap up from `at` to where it belongs."""
    while at > 0:
        above = heap[(at - 1) >> 1]
        if not _before(total, node, above):
            break
        heap[at], place[above] = above, at
        at = (at - 1) >> 1
    heap[at], place[node] = node, at


@part
def _sink(heap: np.ndarray, place: np.ndarray, total: np.ndarray, size: int, node: int) -> None:
    """Puts a node at the heap's top and moves it down to where it belongs."""
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and _before(total, heap[below + 1], heap[below]):
            below += 1
        if not _before(total, heap[below], node):
            break
        heap[at], place[heap[below]] = heap[below], at
        at = below
    heap[at], place[node] = node, at


@part
def dijkstra(
    x: np.ndarray, y: np.ndarray, cost: np.ndarray, first: np.ndarray, last: np.ndarray, factor: np.ndarray,
    total: np.ndarray, came: np.ndarray, layer: np.ndarray, heap: np.ndarray, place: np.ndarray,
) -> int:  # fmt: skip
    """Node by node, cheapest first, until one of the last layer comes. Arguments as viterbi; returns the same node.

    `layer`, `heap` and `place` are (N,) work space.
    """
    size = ZERO
    for node in range(first[0], last[0]):
        layer[node] = 0
        _rise(heap, place, total, node, size)
        size += 1
    reached = 0  # nodes of later layers have not been seen
    while True:
        node = heap[0]
        here = layer[node]
        if here == len(first) - 1:
            return node
        size -= 1
        if size > 0:
            _sink(heap, place, total, size, heap[size])
        fresh = here == reached
        reached = max(reached, here + 1)
        for following in range(first[here + 1], last[here + 1]):
            way = total[node] + _edge(x, y, cost, node, following, factor[here + 1])
            if fresh:
                layer[following], total[following], came[following] = here + 1, way, node
                _rise(heap, place, total, following, size)
                size += 1
            elif way < total[following]:
                total[following], came[following] = way, node
                _rise(heap, place, total, following, place[following])
            elif way == total[following]:
                came[following] = min(came[following], node)


@part
def trace(came: np.ndarray, end: int, path: np.ndarray) -> None:
    """Writes the nodes (L,) of the way to `end`."""
    for layer in range(len(path) - 1, -1, -1):
        path[layer] = end
        if layer > 0:
            end = came[end]


@part
def enter(
    x: np.ndarray, y: np.ndarray, cost: np.ndarray, first: int, last: int, factor: float, pin: np.ndarray,
    total: np.ndarray,
) -> None:  # fmt: skip
    """Writes what the first layer's nodes cost: their own, and the way from `pin`, x and y, unless that is NaN."""
    for node in range(first, last):
        total[node] = cost[node]
        if not np.isnan(pin[0]):
            dx, dy = x[node] - pin[0], y[node] - pin[1]
            total[node] += factor * np.sqrt(dx * dx + dy * dy)


@kernel(
    arrays(real), arrays(real), arrays(real), arrays(integer), arrays(real), arrays(real), boolean, arrays(integer)
)  # fmt: skip
def solve_path(
    x: np.ndarray, y: np.ndarray, sizes: np.ndarray, offsets: np.ndarray, factor: np.ndarray, pin: np.ndarray,
    heaped: bool, path: np.ndarray,
) -> float:  # fmt: skip
    """Writes the path (L,) by dijkstra if `heaped`, else by viterbi, and returns its cost.

    `sizes` is (N,), or (0,) for nodes that cost nothing; the result is NaN where a layer's do not sum to more than 0.
    """
    first, last = offsets[:-1], offsets[1:]
    cost, total, came = np.empty(len(x)), np.empty(len(x)), np.empty(len(x), np.int64)
    for layer in range(len(first)):
        together = 0.0
        for node in range(first[layer], last[layer]):
            cost[node] = 0.0
            together += sizes[node] if len(sizes) else 1.0
        if together == 0:
            return np.nan
        if len(sizes):
            for node in range(first[layer], last[layer]):
                cost[node] = 1 - sizes[node] / together
    enter(x, y, cost, first[0], last[0], factor[0], pin, total)
    if heaped:
        layers, heap, place = np.empty(len(x), np.int64), np.empty(len(x), np.int64), np.empty(len(x), np.int64)
        end = dijkstra(x, y, cost, first, last, factor, total, came, layers, heap, place)
    else:
        end = viterbi(x, y, cost, first, last, factor, total, came)
    trace(came, end, path)
    return total[end]
