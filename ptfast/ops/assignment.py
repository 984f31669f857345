"""Assignment of rows to columns: one problem, many of one size, or many of different sizes in one call."""

from __future__ import annotations

from typing import Literal, NoReturn

import numpy as np

from ptfast import _native
from ptfast._check import Array, as_floats, check_shape, format_shape, is_tensor

Matcher = Literal["hungarian", "greedy"]


def assign(cost: Array, *, max_cost: float | None = None, method: Matcher = "hungarian") -> Array:
    """Gives every row the column that it is matched with.

    "hungarian" makes as many pairs as it can and, among all ways to do so, takes one of the lowest total cost. With
    `max_cost` it minimises the sum of (cost - max_cost) over the pairs made instead: leaving a row and a column alone
    costs what a pair at max_cost does. "greedy" makes the pair of the lowest cost, then of the lowest row, then of the
    lowest column, again and again.

    Sums are taken in the input's dtype, so forbid pairs by +inf or `max_cost` rather than by a large number, which
    rounds the others' differences away. Among equal totals the answer is always the same one, whatever the processor
    and the number of threads: of equally good columns one that is still free goes first, then the lowest (of rows,
    where N > M). It need not be the first in lexicographic order.

    On a GPU a warp solves each problem, of up to 64 rows and columns, with the same result. Nothing waits for it, so a
    problem that holds NaN or -inf is no error there: all its rows get -1.

    Args:
        cost: (..., N, M) float32 or float64, NumPy array or torch tensor; leading dimensions hold independent problems,
            solved in parallel. +inf forbids a pair.
        max_cost: Pairs above it are never made; one that costs just as much may be. In the dtype of `cost`.
        method: "hungarian" or "greedy".

    Returns:
        (..., N) int64, a column or -1. A torch result is not differentiable.

    Raises:
        ValueError: A shape is wrong, `cost` holds NaN or -inf, `max_cost` is NaN, the method has no such name, or a
            problem on a GPU has more than 64 rows or columns.
        TypeError: A dtype is neither float32 nor float64.

    Source:
        Jonker and Volgenant 1987, A shortest augmenting path algorithm for dense and sparse linear assignment problems.
    """
    check_shape("cost", cost, ("...", "N", "M"))
    limit, greedy = assignment_options(max_cost, method)
    if is_tensor(cost):
        from ptfast.ops._torch.assignment import assign as on_tensor

        return on_tensor(cost, limit, greedy)
    return assign_array(as_floats("cost", cost), limit, greedy)


def assign_ragged(
    flat_costs: Array, rows: Array, columns: Array, *, max_cost: float | None = None, method: Matcher = "hungarian"
) -> Array:
    """assign for many problems of different sizes.

    Args:
        flat_costs: (L,) the costs of all problems one after the other, each row by row: L = sum of rows * columns.
        rows: (P,) integers, each problem's number of rows.
        columns: (P,) integers.
        max_cost: As in assign.
        method: As in assign.

    Returns:
        (sum of rows,) int64, all problems' results one after the other: columns within their problem, or -1.

    Raises:
        ValueError: As assign, where a bad cost's position is (problem, row, column); sizes are negative or do not fit.
        TypeError: A dtype is wrong.
        RuntimeError: The costs are on a GPU.
    """
    check_shape("flat_costs", flat_costs, ("L",))
    check_shape("rows", rows, ("P",))
    check_shape("columns", columns, ("P",), P=rows.shape[0])
    limit, greedy = assignment_options(max_cost, method)
    if is_tensor(flat_costs):
        from ptfast.ops._torch.assignment import assign_ragged as on_tensors

        return on_tensors(flat_costs, rows, columns, limit, greedy)
    return assign_ragged_arrays(as_floats("flat_costs", flat_costs), rows, columns, limit, greedy)


def assignment_options(max_cost: float | None, method: str) -> tuple[float, bool]:
    """The limit, infinite for none, and whether the method is greedy."""
    if method not in ("hungarian", "greedy"):
        raise ValueError(f'method must be "hungarian" or "greedy", got {method!r}')
    limit = float("inf") if max_cost is None else float(max_cost)
    if limit != limit:
        raise ValueError("max_cost must be a number, got nan")
    return limit, method == "greedy"


def assign_array(cost: np.ndarray, limit: float, greedy: bool) -> np.ndarray:
    """assign for a contiguous array of a dtype that fits."""
    *batch, n, m = cost.shape
    out = np.empty((*batch, n), np.int64)
    if out.size:
        bad = _native.cpu("assign", cost.dtype)(cost, (out.size // n, n, m), limit, greedy, out)
        if bad >= 0:
            place = tuple(int(i) for i in np.unravel_index(bad, batch)) if batch else ()
            _raise_bad_cost("cost", cost[place], place)
    return out


def assign_ragged_arrays(
    flat_costs: np.ndarray, rows: np.ndarray, columns: np.ndarray, limit: float, greedy: bool
) -> np.ndarray:
    """assign_ragged for contiguous costs of a dtype that fits."""
    rows, columns = _sizes("rows", rows), _sizes("columns", columns)
    expected = int(rows @ columns)
    if expected != flat_costs.size:
        raise ValueError(f"flat_costs must hold sum(rows * columns) = {expected} costs, got {flat_costs.size}")
    out = np.empty(int(rows.sum()), np.int64)
    if out.size:
        solve = _native.cpu("assign_ragged", flat_costs.dtype)
        bad = solve(flat_costs, rows.size, rows, columns, limit, greedy, out)
        if bad >= 0:
            first = int(rows[:bad] @ columns[:bad])
            cost = flat_costs[first : first + rows[bad] * columns[bad]].reshape(rows[bad], columns[bad])
            _raise_bad_cost("flat_costs", cost, (bad,))
    return out


def _sizes(name: str, array: np.ndarray) -> np.ndarray:
    array = np.asarray(array)
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"{name} must hold integers, got {array.dtype}")
    negative = np.flatnonzero(array < 0)
    if negative.size:
        raise ValueError(f"{name} must be at least 0, got {array[negative[0]]} at ({negative[0]},)")
    return np.ascontiguousarray(array, np.int64)


def _raise_bad_cost(name: str, cost: np.ndarray, place: tuple[int, ...]) -> NoReturn:
    """Raises for the first NaN or -inf of one problem's costs (N, M), which stands at `place` of a batch."""
    row, column = np.argwhere(~(cost > -np.inf))[0].tolist()
    position = format_shape((*place, row, column))
    raise ValueError(f"{name} must not hold NaN or -inf, got {cost[row, column]} at {position}")
