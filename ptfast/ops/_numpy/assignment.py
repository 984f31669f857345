"""assign and assign_ragged on NumPy arrays."""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from ptfast import _native
from ptfast._check import core_array, format_shape


def assign_array(cost: np.ndarray, max_cost: float, greedy: bool) -> np.ndarray:
    """ptfast.ops.assign for a contiguous float32 or float64 array; an infinite max_cost means none."""
    *batch, n, m = cost.shape
    out = np.empty((*batch, n), np.int64)
    if out.size:
        bad = _native.cpu("assign", cost.dtype)(cost, (out.size // n, n, m), max_cost, greedy, out)
        if bad >= 0:
            place = tuple(int(i) for i in np.unravel_index(bad, batch)) if batch else ()
            _raise_bad_cost("cost", cost[place], place)
    return out


def assign_ragged_arrays(
    flat_costs: np.ndarray, rows: np.ndarray, columns: np.ndarray, max_cost: float, greedy: bool
) -> np.ndarray:
    """ptfast.ops.assign_ragged for contiguous float32 or float64 costs; an infinite max_cost means none."""
    rows, columns = _sizes("rows", rows), _sizes("columns", columns)
    out = np.empty(_native.core.count_rows(rows, columns, flat_costs.size), np.int64)
    bad = _native.cpu("assign_ragged", flat_costs.dtype)(flat_costs, rows, columns, max_cost, greedy, out)
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
    return core_array(array, np.int64)


def _raise_bad_cost(name: str, cost: np.ndarray, place: tuple[int, ...]) -> NoReturn:
    """Raises for the first NaN or -inf of one problem's costs (N, M); `place` is the problem's index in the batch."""
    row, column = np.argwhere(~(cost > -np.inf))[0].tolist()
    position = format_shape((*place, row, column))
    raise ValueError(f"{name} must not hold NaN or -inf, got {cost[row, column]} at {position}")
