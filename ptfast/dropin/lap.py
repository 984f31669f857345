"""lap.lapjv, as in lap 0.5.13, and in lapx, which goes by the same name.

Every other name of the two, such as lapmod or lapx's lapjvx, is that of the one that is installed.
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

import numpy as np

from ptfast._check import core_array
from ptfast.dropin._originals import original
from ptfast.ops.assignment import assign_array

__all__ = ["lapjv"]

# The number of costs from which ptfast is the faster on square problems without a limit: others lap enlarges first. A
# call of lap's takes 3.8 us and ptfast's, in Python, 5 us, which hard problems win back from 20 x 20 on, random ones
# from 40 x 40, those with hardly any conflicts from 100 x 100. Below, finding out that lap suits takes 1 us.
FEWEST = 100 * 100
LAPS_LARGEST = 1e6  # lap takes a cost of that size for infinite, and its result may then cost more than the least


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("lap"), name)


def lapjv(
    cost: np.ndarray, extend_cost: bool = False, cost_limit: float = np.inf, return_cost: bool = True
) -> tuple[float, np.ndarray, np.ndarray] | tuple[np.ndarray, np.ndarray]:
    """Pairs rows with columns at the least total cost.

    Equal to lap 0.5.13's, and done by ptfast.ops.assign, but for square problems of less than 100 x 100 without a limit
    and costs with NaN or -inf, whose result means nothing. If lap is installed they go there, a microsecond later than
    without ptfast. So does what lap refuses and lapx, which goes by the same name, takes: a problem that is not square,
    with a cost_limit and without extend_cost. Costs are taken in float64.

    Two things differ. Where several assignments are equally good, ptfast may choose another one, and always the same.
    With costs of a million or more lap's result is often not the best one, and ptfast's is. On large square problems
    without a limit and with hardly any conflicts, such as overlaps of 400 boxes and more, lap is up to one and a half
    times as fast. On others ptfast is, up to 20 times.

    Args:
        cost: (N, M) array of any dtype that NumPy can turn into float64. +inf is taken if there is no other way.
        extend_cost: Lets the problem have N != M.
        cost_limit: A pair above it is not made, and leaving a row and a column alone costs as much as a pair at it.
        return_cost: Returns the total, too.

    Returns:
        The total of the pairs made, a float, unless return_cost is false. (N,) int32, the column of each row or -1.
        (M,) int32, the row of each column or -1.

    Raises:
        TypeError: cost is not a NumPy array.
        ValueError: cost is no matrix, or is not square and extend_cost is not set. Without lap also if it holds NaN or
            -inf.

    Source:
        Jonker and Volgenant 1987, A shortest augmenting path algorithm for dense and sparse linear assignment problems.
    """
    theirs = original("lap", "lapjv")
    if (
        theirs is not None
        and type(cost) is np.ndarray
        and 0 < cost.size < FEWEST  # lap corrupts the memory over an empty matrix
        and not extend_cost
        and cost_limit == np.inf
        and cost.ndim == 2
        and cost.shape[0] == cost.shape[1]
        and cost.dtype.kind in "fiub"
        and cost.dtype.itemsize <= 8
        # the sum of squares is below the limit's only where no cost is NaN or as large as the limit
        and (flat := cost.ravel().astype(np.float64, copy=False)).dot(flat) < LAPS_LARGEST**2
    ):
        return theirs(cost, return_cost=return_cost)
    if not isinstance(cost, np.ndarray):
        raise TypeError(f"Argument 'cost' has incorrect type (expected numpy.ndarray, got {type(cost).__name__})")
    if cost.ndim != 2:
        raise ValueError("2-dimensional array expected")
    if cost.shape[0] != cost.shape[1] and not extend_cost:
        if theirs is not None and cost_limit < np.inf:
            return theirs(cost, extend_cost, cost_limit, return_cost)  # lapx has a result, and lap an error
        raise ValueError("Square cost array expected. If cost is intentionally non-square, pass extend_cost=True.")
    limit = np.inf if math.isnan(cost_limit) else float(cost_limit)  # as in lap
    numbers = core_array(cost, np.float64)
    try:
        column_of_row = assign_array(numbers, limit, False)
    except ValueError:  # NaN or -inf
        if theirs is None:
            raise
        return theirs(numbers, extend_cost, cost_limit, return_cost)
    if limit == np.inf and numbers.shape[0] == numbers.shape[1]:
        rows = column_of_row.argsort()
        if not len(rows) or column_of_row[rows[0]] >= 0:  # all are paired
            return _result(numbers, np.arange(len(rows)), column_of_row, column_of_row, rows, return_cost)
    rows = (column_of_row >= 0).nonzero()[0]
    if limit == np.inf and len(rows) < min(numbers.shape):
        _fill(column_of_row, numbers.shape[1])
        rows = (column_of_row >= 0).nonzero()[0]
    columns = column_of_row[rows]
    row_of_column = np.empty(numbers.shape[1], np.int32)
    row_of_column.fill(-1)
    row_of_column[columns] = rows
    return _result(numbers, rows, columns, column_of_row, row_of_column, return_cost)


def _result(
    cost: np.ndarray, rows: np.ndarray, columns: np.ndarray, column_of_row: np.ndarray, row_of_column: np.ndarray,
    with_total: bool,
) -> Any:  # fmt: skip
    pairs = column_of_row.astype(np.int32), row_of_column.astype(np.int32, copy=False)
    return (float(np.add.reduce(cost[rows, columns])), *pairs) if with_total else pairs


def _fill(column_of_row: np.ndarray, columns: int) -> None:
    """Makes pairs of what +inf has kept apart until all rows or all columns are taken: without a limit lap does."""
    left = np.flatnonzero(column_of_row < 0)
    free = np.setdiff1d(np.arange(columns), column_of_row)
    count = min(len(left), len(free))
    column_of_row[left[:count]] = free[:count]
