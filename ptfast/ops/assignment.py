"""Assignment of rows to columns: one problem, many of one size, or many of different sizes in one call."""

from __future__ import annotations

from typing import Literal

from ptfast._check import Array, ArrayT, as_floats, check_shape, is_tensor
from ptfast.ops._numpy.assignment import assign_array, assign_ragged_arrays

Matcher = Literal["hungarian", "greedy"]


def assign(cost: ArrayT, *, max_cost: float | None = None, method: Matcher = "hungarian") -> ArrayT:
    """Gives every row the column that it is matched with.

    "hungarian" makes as many pairs as it can and, among all ways to do so, takes one of the lowest total cost. With
    `max_cost` it minimises the sum of (cost - max_cost) over the pairs made instead: leaving a row and a column alone
    costs what a pair at max_cost does. "greedy" makes the pair of the lowest cost, then of the lowest row, then of the
    lowest column, again and again.

    Sums are taken in the input's dtype, so forbid pairs by +inf or `max_cost` rather than by a large number, which
    rounds the others' differences away. Among equal totals the result is always the same one, whatever the processor
    and the number of threads. Of equally good columns one that is still free goes first, then the lowest (of rows,
    where N > M). The result need not be the first in lexicographic order.

    On a GPU a warp solves each problem, of up to 64 rows and columns, with the same result. Nothing waits for it, so a
    problem that holds NaN or -inf is no error there: all its rows get -1.

    Args:
        cost: (..., N, M) float32 or float64, NumPy array or torch tensor; leading dimensions hold independent problems,
            solved in parallel. +inf forbids a pair.
        max_cost: Pairs that cost more are never made, one that costs just as much may be. In the dtype of `cost`.
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
    limit, greedy = _options(max_cost, method)
    if is_tensor(cost):
        from ptfast.ops._torch.assignment import assign as on_tensor

        return on_tensor(cost, limit, greedy)
    return assign_array(as_floats("cost", cost), limit, greedy)


def assign_ragged(
    flat_costs: ArrayT, rows: Array, columns: Array, *, max_cost: float | None = None, method: Matcher = "hungarian"
) -> ArrayT:
    """Assigns rows to columns in many problems of different sizes, each as assign does.

    Args:
        flat_costs: (L,) float32 or float64, the costs of all problems one after the other, each row by row:
            L = sum of rows * columns.
        rows: (P,) integers, each problem's number of rows.
        columns: (P,) integers, each problem's number of columns.
        max_cost: As in assign.
        method: As in assign.

    Returns:
        (sum of rows,) int64, all problems' results one after the other: columns within their problem, or -1.

    Raises:
        ValueError: As in assign, with a bad cost's position as (problem, row, column), or sizes are negative or do not
            fit the costs.
        TypeError: A dtype is wrong.
        RuntimeError: The costs are on a GPU.
    """
    check_shape("flat_costs", flat_costs, ("L",))
    check_shape("rows", rows, ("P",))
    check_shape("columns", columns, ("P",), P=rows.shape[0])
    limit, greedy = _options(max_cost, method)
    if is_tensor(flat_costs):
        from ptfast.ops._torch.assignment import assign_ragged as on_tensors

        return on_tensors(flat_costs, rows, columns, limit, greedy)
    return assign_ragged_arrays(as_floats("flat_costs", flat_costs), rows, columns, limit, greedy)


def _options(max_cost: float | None, method: str) -> tuple[float, bool]:
    """The limit, infinite for none, and True for the greedy method."""
    if method not in ("hungarian", "greedy"):
        raise ValueError(f'method must be "hungarian" or "greedy", got {method!r}')
    limit = float("inf") if max_cost is None else float(max_cost)
    if limit != limit:
        raise ValueError("max_cost must be a number, got nan")
    return limit, method == "greedy"
