"""SciPy's and lap's solvers as ptfast.dropin has them, against the originals, below and above where ptfast sets in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from bench_assignment import tracking_costs
from peers import peer
from scipy.optimize import linear_sum_assignment

from ptfast.dropin import lap as lap_dropin
from ptfast.dropin import scipy as scipy_dropin

one_thread = pytest.mark.parametrize("threads", [1], indirect=True)
KINDS = ("tracking", "uniform", "hard")
# How many times the original's speed we mean to reach, at least, by size. A call that goes to SciPy takes a quarter of
# a microsecond more: a third of a tiny problem's time. Of SciPy's own sizes 1100 is one as well.
SCIPY = {5: 0.5, 40: 0.8, 50: 0.9, 100: 1.2, 300: 1.1, 1000: 0.9, 1100: 0.8}
LIMITED = {5: 0.9, 15: 1.1, 40: 1.5, 200: 3}
WIDE = {5: 0.8, 15: 0.9, 100: 1.2}
SQUARE = {5: 0.5, 100: 0.8, 200: 0.8, 1000: 0.5}  # the first goes to lap, a microsecond later


def costs(kind: str, rows: int, columns: int) -> np.ndarray:
    """(rows, columns) float64: as between frames, random, or with all lines alike, which takes long searches."""
    if kind == "tracking":
        return tracking_costs(1, max(rows, columns))[0, :rows, :columns].astype(np.float64)
    if kind == "uniform":
        return np.random.default_rng(0).random((rows, columns))
    return np.outer(np.arange(1.0, rows + 1), np.arange(1.0, columns + 1))


@pytest.fixture
def compare(benchmark: Any, median_seconds: Callable[..., float], held_against: Callable[..., None]) -> Callable:
    """compare(ours, theirs, at_least, peer, group) times calls, the peer's short ones in a loop."""

    def run(ours: Callable[[], Any], theirs: Callable[[], Any], at_least: float, peer: str, group: str) -> None:
        seconds = median_seconds(theirs)
        if (count := int(1e-3 / max(seconds, 1e-7))) > 1:
            seconds = median_seconds(lambda: [theirs() for _ in range(count)]) / count
        benchmark.group = group
        benchmark(ours)
        held_against(seconds, at_least, peer=peer)

    return run


@one_thread
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SCIPY)
def test_scipy(threads: int, compare: Callable, size: int, kind: str) -> None:
    if kind == "hard" and size > 300:
        pytest.skip("takes SciPy too long")
    cost = costs(kind, size, size)
    totals = [cost[solve(cost)].sum() for solve in (scipy_dropin.linear_sum_assignment, linear_sum_assignment)]
    assert totals[0] == pytest.approx(totals[1], rel=1e-12)
    solvers = scipy_dropin.linear_sum_assignment, linear_sum_assignment
    calls = ((lambda solve=solve: solve(cost)) for solve in solvers)
    compare(*calls, SCIPY[size], "scipy", f"SciPy's linear_sum_assignment of {size} x {size}, {kind} costs")


def against_lap(
    compare: Callable, kind: str, cost: np.ndarray, at_least: float, extend: bool = False, limit: float = np.inf
) -> None:
    lap = peer("lap")
    ours, theirs = (lambda solve=solve: solve(cost, extend, limit) for solve in (lap_dropin.lapjv, lap.lapjv))
    totals = [total - (limit * (x >= 0).sum() if limit < np.inf else 0) for total, x, _ in (ours(), theirs())]
    assert totals[0] == pytest.approx(totals[1], rel=1e-9)
    size = " x ".join(map(str, cost.shape)) + (" with a limit" if limit < np.inf else "")
    compare(ours, theirs, at_least, f"lap {lap.__version__}", f"lap's lapjv of {size}, {kind} costs")


@one_thread
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", LIMITED)
def test_lap_with_a_limit(threads: int, compare: Callable, size: int, kind: str) -> None:
    cost = costs(kind, size, size + size // 4)
    against_lap(compare, kind, cost, LIMITED[size], True, 0.8 * cost.max())


@one_thread
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", WIDE)
def test_lap_extended(threads: int, compare: Callable, size: int, kind: str) -> None:
    against_lap(compare, kind, costs(kind, size, size + size // 4 + 1), WIDE[size], True)


@one_thread
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SQUARE)
def test_lap_square(threads: int, compare: Callable, size: int, kind: str) -> None:
    if kind == "hard" and size > 200:
        pytest.skip("takes lap too long")
    against_lap(compare, kind, costs(kind, size, size), SQUARE[size])
