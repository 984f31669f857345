"""Assignment by SciPy's solver and by sorting."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment


def assign(cost: np.ndarray, *, max_cost: float | None = None, method: str = "hungarian") -> np.ndarray:
    """ptfast.ops.assign in float64: (..., N, M) -> (..., N). Equal totals may come from other pairs."""
    cost = np.asarray(cost, np.float64)
    solve = {"hungarian": _hungarian, "greedy": _greedy}[method]
    columns = [solve(one, max_cost) for one in cost.reshape(-1, *cost.shape[-2:])] if cost.size else []
    return np.reshape(columns, cost.shape[:-1]).astype(np.int64) if columns else np.full(cost.shape[:-1], -1)


def assign_ragged(
    flat_costs: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    *,
    max_cost: float | None = None,
    method: str = "hungarian",
) -> np.ndarray:
    """ptfast.ops.assign_ragged."""
    pieces = np.split(flat_costs, np.cumsum(rows * columns)[:-1]) if len(rows) else []
    problems = [piece.reshape(n, m) for piece, n, m in zip(pieces, rows, columns, strict=True)]
    solved = [assign(cost, max_cost=max_cost, method=method) for cost in problems]
    return np.concatenate([np.empty(0, np.int64), *solved])


def _allowed(cost: np.ndarray, max_cost: float | None) -> np.ndarray:
    return np.isfinite(cost) if max_cost is None else np.isfinite(cost) & (cost <= max_cost)


def _hungarian(cost: np.ndarray, max_cost: float | None) -> np.ndarray:
    """Optimal assignment of one problem. A pair saves (worth - cost), where worth is max_cost or beyond all costs."""
    allowed = _allowed(cost, max_cost)
    largest = np.abs(cost[allowed]).max(initial=1.0)
    worth = 4.0 * (min(cost.shape) + 1) * largest if max_cost is None else max_cost
    rows, columns = linear_sum_assignment(np.where(allowed, np.where(allowed, cost, 0.0) - worth, 0.0))
    out = np.full(len(cost), -1)
    out[rows] = np.where(allowed[rows, columns], columns, -1)
    return out


def _greedy(cost: np.ndarray, max_cost: float | None) -> np.ndarray:
    allowed = _allowed(cost, max_cost)
    out, taken = np.full(len(cost), -1), np.zeros(cost.shape[1], bool)
    for pair in np.argsort(np.where(allowed, cost, np.inf), axis=None, kind="stable"):
        row, column = np.unravel_index(pair, cost.shape)
        if allowed[row, column] and out[row] < 0 and not taken[column]:
            out[row], taken[column] = column, True
    return out
