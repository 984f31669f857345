"""The cheapest path through the clusters of consecutive frames."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from ptfast._check import Array, check_offsets
from ptfast._columns import cast_array, on_host
from ptfast.tracking._kernels.records import Graph
from ptfast.tracking._reals import as_reals

PathMethod = Literal["viterbi", "dijkstra"]


def cheapest_path(
    places: Array, offsets: Array, *, sizes: Array | None = None, smoothness: float | Array = 0.1,
    start: Array | None = None, method: PathMethod = "viterbi",
) -> tuple[np.ndarray, float]:  # fmt: skip
    """The cheapest path that takes one node of each of L layers, in order.

    A step to node j of a layer costs 1 - size_j / (sum of the layer's sizes) + smoothness * (length of the step). The
    path begins anywhere in the first layer, whose nodes cost their first term alone, or at `start`. Among equal paths
    it is the one whose last node, then the one before and so on, is lowest.

    Args:
        places: (N, 2) float32 or float64, the nodes layer after layer. All is computed in float64.
        offsets: (L + 1,) integers, where each layer begins, from 0 to N. No layer is empty.
        sizes: (N,) hypotheses in each cluster, not negative, with a positive sum in every layer. None drops the term.
        smoothness: lambda, the cost of a pixel, 0 or more, one for all layers or (L,) for the steps to each.
        start: (2,) place that the path comes from, or None.
        method: "viterbi" goes layer by layer, "dijkstra" node by node. Their paths and costs are equal.

    Returns:
        path (L,) int64, rows of `places`, and its cost.

    Raises:
        ValueError: A shape is wrong, a value not finite, negative, or larger than 1e100 in size, or a layer empty.

    Source:
        Wang et al. 2020, section 3.3, equation 3.
    """
    if method not in get_args(PathMethod):
        raise ValueError(f"method must be one of {get_args(PathMethod)}, got {method!r}")
    nodes = as_reals("places", places, ("N", 2))
    starts = cast_array("offsets", on_host(offsets), "int64")
    starts = check_offsets("offsets", starts, len(nodes), "nodes", length="L + 1").copy()
    if (starts[1:] == starts[:-1]).any():
        raise ValueError(f"offsets must rise from 0 to {len(nodes)} with no layer empty, got {starts}")
    layers = len(starts) - 1
    factor = np.full(layers, smoothness, np.float64) if np.ndim(smoothness) == 0 else smoothness
    factor = as_reals("smoothness", factor, ("L",), L=layers)
    weights = np.zeros(0) if sizes is None else as_reals("sizes", sizes, ("N",), N=len(nodes))
    for name, values in (("smoothness", factor), ("sizes", weights)):
        if values.size and values.min() < 0:
            raise ValueError(f"{name} must not be negative, got {values.min()}")
    pin = np.full(2, np.nan) if start is None else as_reals("start", start, (2,))
    path = np.empty(layers, np.int64)
    if layers == 0:
        return path, 0.0
    from ptfast.tracking._kernels.shortest_path import solve_path

    x, y = np.ascontiguousarray(nodes.T)
    graph = Graph(x, y, np.zeros(len(x)), starts[:-1], starts[1:], factor)
    cost = solve_path(graph, weights, float(pin[0]), float(pin[1]), method == "dijkstra", path)
    if np.isnan(cost):
        raise ValueError("sizes must have a positive sum in every layer")
    return path, cost
