"""scipy.optimize.linear_sum_assignment, as in SciPy 1.17."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ptfast._check import core_array
from ptfast.dropin._originals import original
from ptfast.ops.assignment import assign_array

__all__ = ["linear_sum_assignment"]

# The number of costs between which ptfast is the faster. A call of SciPy's takes 0.5 us and ptfast's, in Python, 3 us,
# which hard problems (i * j) win back from 45 x 45 on, random ones from 28 x 28. Beyond 1024 x 1024 the costs and the
# copy that ptfast makes outgrow the caches, and hard problems take as long as SciPy's.
FEWEST, MOST = 2000, 1 << 20


def linear_sum_assignment(cost_matrix: Any, maximize: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Pairs rows with columns, as many as there can be, at the least total cost.

    Equal to SciPy 1.17's, and done by ptfast.ops.assign for arrays of 2,000 to 1,048,576 finite costs. All else goes to
    SciPy itself, a quarter of a microsecond later than without ptfast: smaller problems, on which SciPy is the faster,
    larger ones, infinite costs, NaN, and what is no array. Costs are taken in float64 either way. Where several
    assignments have the least total, ptfast may choose another one than SciPy, and always the same. For many problems
    at once, ptfast.ops.assign itself is far faster than either.

    Args:
        cost_matrix: (N, M); +inf forbids a pair, or -inf if maximize.
        maximize: Seeks the highest total instead.

    Returns:
        (min(N, M),) int64 rows, rising, and the column of each.

    Raises:
        ValueError: cost_matrix is no matrix, holds NaN or -inf (+inf if maximize), or has no assignment without a
            forbidden pair.
        TypeError: The dtype is complex, long double or no number.

    Source:
        Jonker and Volgenant 1987, A shortest augmenting path algorithm for dense and sparse linear assignment problems.
    """
    if (
        type(cost_matrix) is np.ndarray
        and FEWEST <= cost_matrix.size <= MOST
        and cost_matrix.ndim == 2
        and cost_matrix.dtype.kind in "fiub"
        and cost_matrix.itemsize <= 8
    ):
        cost = core_array(cost_matrix, np.float64)
        if maximize:
            cost = -cost
        if np.vdot(cost, cost) < np.inf:  # none is infinite, or so large that sums could be
            return _pairs(assign_array(cost, np.inf, False), cost.shape[1])
    return _scipys()(cost_matrix, maximize)


def _pairs(column_of_row: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray]:
    if len(column_of_row) <= columns:
        return np.arange(len(column_of_row)), column_of_row
    rows = np.flatnonzero(column_of_row >= 0)
    return rows, column_of_row[rows]


@cache
def _scipys() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    return original("scipy.optimize", "linear_sum_assignment")
