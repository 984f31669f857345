"""Assignment: many small problems in one call, against lapx's batches and loops over lap's and SciPy's solvers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from peers import peer
from scipy.optimize import linear_sum_assignment

from ptfast.ops import assign, assign_ragged

PROBLEMS = {5: 20_000, 15: 10_000, 40: 1_000, 300: 4}  # of each size
threads = pytest.mark.parametrize("threads", [1, 2], indirect=True)


@cache
def costs(kind: str, size: int) -> np.ndarray:
    """(problems, size, size) float32."""
    return {"uniform": uniform_costs, "tracking": tracking_costs}[kind](PROBLEMS[size], size)


def uniform_costs(problems: int, size: int) -> np.ndarray:
    return np.random.default_rng(0).random((problems, size, size), dtype=np.float32)


def tracking_costs(problems: int, size: int) -> np.ndarray:
    """Costs like 1 - IoU between frames: a low cost in each row, in shuffled columns, the others at 1 or little below.

    One row in ten has a second low cost, in another row's column.
    """
    rng = np.random.default_rng(0)
    shape = problems, size, size
    cost = 1 - 0.15 * rng.random(shape, dtype=np.float32) * (rng.random(shape) < 0.15)
    true_columns = np.argsort(rng.random((problems, size)), axis=1)
    low = rng.uniform(0.05, 0.35, (problems, size)).astype(np.float32)
    np.put_along_axis(cost, true_columns[..., None], low[..., None], axis=2)
    problem, row = np.nonzero(rng.random((problems, size)) < 0.1)
    cost[problem, row, true_columns[problem, row - 1]] = rng.uniform(0.05, 0.45, len(row))
    return cost


# Every solver looks at each cost at least once, so the roofline's flops are a comparison a cost, and its bytes the
# costs and the columns found.


def with_ptfast(cost: np.ndarray, threads: int) -> np.ndarray:
    return assign(cost)


def with_scipy(cost: np.ndarray, threads: int) -> list[np.ndarray]:
    return [linear_sum_assignment(one)[1] for one in cost]


def with_lapjv(cost: np.ndarray, threads: int) -> list[np.ndarray]:
    lap = peer("lap")
    return [lap.lapjv(one, return_cost=False)[0] for one in cost]


def with_lapjvr_batch(cost: np.ndarray, threads: int) -> list[np.ndarray]:
    return lapx_batch("lapjvr_batch")(cost, return_cost=False, n_threads=threads)[1]


def with_lapjvh_batch(cost: np.ndarray, threads: int) -> list[np.ndarray]:
    return lapx_batch("lapjvh_batch")(cost, return_cost=False, n_threads=threads)[1]


def lapx_batch(name: str) -> Callable:
    function = getattr(peer("lap"), name, None)
    return function or pytest.skip(f"needs lapx, whose {name} the installed lap lacks")


def total(cost: np.ndarray, columns: np.ndarray | list[np.ndarray]) -> float:
    return float(np.take_along_axis(cost, np.asarray(columns)[..., None], axis=2).sum(dtype=np.float64))


@threads
@pytest.mark.parametrize("kind", ["tracking", "uniform"])
@pytest.mark.parametrize("size", PROBLEMS)
@pytest.mark.parametrize("solve", [with_ptfast, with_lapjvr_batch, with_lapjvh_batch, with_lapjv, with_scipy])
def test_batches(
    benchmark: Any, solve: Callable, size: int, kind: str, threads: int, roofline: Callable[..., None]
) -> None:
    cost = costs(kind, size)
    assert total(cost, solve(cost, threads)) == pytest.approx(total(cost, assign(cost)), rel=1e-6)
    benchmark.group = f"{PROBLEMS[size]} problems of {size}x{size}, {kind}, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = solve.__name__.removeprefix("with_")
    benchmark(solve, cost, threads)
    if solve is with_ptfast:
        roofline(cost.nbytes + 8 * PROBLEMS[size] * size, cost.size)


@threads
@pytest.mark.parametrize("library", ["ptfast", "scipy", "lapjv"])
def test_problems_of_different_sizes(benchmark: Any, library: str, threads: int, roofline: Callable[..., None]) -> None:
    lap = peer("lap") if library == "lapjv" else None
    rng = np.random.default_rng(1)
    rows, columns = rng.integers(1, 21, (2, 10_000))
    problems = [rng.random((n, m), dtype=np.float32) for n, m in zip(rows, columns, strict=True)]
    flat = np.concatenate([cost.ravel() for cost in problems])
    solved = np.split(assign_ragged(flat, rows, columns), np.cumsum(rows)[:-1])
    for cost, got in zip(problems, solved, strict=True):
        assert total_of_pairs(cost, got) == pytest.approx(cost[linear_sum_assignment(cost)].sum(), rel=1e-5)
    benchmark.group = f"10000 problems of 1x1 to 20x20, uniform, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = library
    if library == "ptfast":
        benchmark(assign_ragged, flat, rows, columns)
        roofline(flat.nbytes + rows.nbytes + columns.nbytes + 8 * rows.sum(), flat.size)
    elif lap:
        loop = lambda: [lap.lapjv(cost, extend_cost=True, return_cost=False)[0] for cost in problems]  # noqa: E731
        for cost, got, found in zip(problems, solved, loop(), strict=True):
            assert total_of_pairs(cost, found) == pytest.approx(total_of_pairs(cost, got), rel=1e-5)
        benchmark(loop)
    else:
        benchmark(lambda: [linear_sum_assignment(cost) for cost in problems])


def total_of_pairs(cost: np.ndarray, columns: np.ndarray) -> float:
    made = np.flatnonzero(columns >= 0)
    return float(cost[made, columns[made]].sum())
