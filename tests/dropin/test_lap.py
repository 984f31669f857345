"""The drop-in for lap's lapjv: against SciPy, and against lap where the installed one is 0.5."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from peers import peer
from scipy.optimize import linear_sum_assignment

from ptfast.dropin import lap as dropin
from ptfast.dropin.lap import lapjv

DTYPES = [np.float64, np.float32, np.float16, np.int64, np.uint8, bool, object, ">f8", np.longdouble]
SHAPES = [(0, 0), (1, 1), (2, 2), (7, 7), (40, 40), (170, 170)]
OBLONG = [(0, 3), (3, 0), (1, 4), (5, 2), (30, 41), (41, 30)]


@pytest.fixture
def lap() -> ModuleType:
    module = peer("lap")
    if not module.__version__.startswith("0.5."):
        pytest.skip(f"needs lap 0.5; the lap that is installed is lapx {module.__version__}")
    return module


@pytest.fixture(params=["with lap", "alone"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test with the installed lap, if any, and as if there were none."""
    if request.param == "alone":
        monkeypatch.setattr(dropin, "original", lambda module, attribute: None)


def costs(shape: tuple[int, int], dtype: Any = np.float64) -> np.ndarray:
    return (np.random.default_rng(shape[0]).random(shape) * 250).astype(dtype)


def check(cost: np.ndarray, limit: float = np.inf, **options: Any) -> None:
    """Fails unless the result is consistent and as good as SciPy's."""
    total, x, y = lapjv(cost, cost_limit=limit, **options)
    numbers = cost.astype(np.float64)
    rows = np.flatnonzero(x >= 0)
    assert (x.dtype, y.dtype, x.shape, y.shape) == (np.int32, np.int32, numbers.shape[:1], numbers.shape[1:])
    assert np.array_equal(y[x[rows]], rows)
    assert (y >= 0).sum() == len(rows)
    assert type(total) is float
    assert total == numbers[rows, x[rows]].sum()
    if limit == np.inf:
        assert len(rows) == min(numbers.shape)
        assert total == pytest.approx(numbers[linear_sum_assignment(numbers)].sum(), rel=1e-12)
    else:
        assert (numbers[rows, x[rows]] <= limit).all()
        gain = np.minimum(numbers - limit, 0)  # over leaving both alone
        expected = gain[linear_sum_assignment(gain)].sum()
        assert (numbers[rows, x[rows]] - limit).sum() == pytest.approx(expected, rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: np.dtype(dtype).name)
@pytest.mark.parametrize("shape", SHAPES)
def test_square(shape: tuple[int, int], dtype: Any, either: None) -> None:
    check(costs(shape, dtype))
    check(costs(shape, dtype), extend_cost=True)


@pytest.mark.parametrize("limit", [-1.0, 0.0, 3.5, 60.0, 1e9, np.inf])
@pytest.mark.parametrize("shape", SHAPES + OBLONG)
def test_extended_and_limited(shape: tuple[int, int], limit: float, either: None) -> None:
    check(costs(shape), limit, extend_cost=True)
    check(costs(shape, np.float32) - np.float32(40), limit, extend_cost=True)


@pytest.mark.parametrize("limit", [3.5, 60.0, np.inf])
@pytest.mark.parametrize("shape", SHAPES[1:] + OBLONG)  # an empty square matrix corrupts lap's memory
def test_results_are_laps(lap: ModuleType, shape: tuple[int, int], limit: float) -> None:
    """Random costs have one best assignment."""
    for cost in (costs(shape), costs(shape)[::-1].T):
        expected, result = (solve(cost, True, limit) for solve in (lap.lapjv, lapjv))
        assert result[0] == expected[0]
        for ours, theirs in zip(result[1:], expected[1:], strict=True):
            assert np.array_equal(ours, theirs)
            assert ours.dtype == theirs.dtype
        assert type(result[0]) is type(expected[0])


@pytest.mark.parametrize("size", [3, 170])
def test_without_the_total(size: int, either: None) -> None:
    cost = costs((size, size))
    _, *expected = lapjv(cost)
    for result in (lapjv(cost, return_cost=False), lapjv(cost, False, np.inf, False), lapjv(cost, 1, 1e6, 0)):
        assert len(result) == 2
        assert all(map(np.array_equal, result, expected))


def test_a_limit_that_is_nan_is_none_and_minus_infinity_allows_nothing(either: None) -> None:
    cost = costs((5, 5))
    assert all(map(np.array_equal, lapjv(cost, cost_limit=np.nan), lapjv(cost)))
    total, x, y = lapjv(cost, cost_limit=-np.inf)
    assert (total, x.tolist(), y.tolist()) == (0, [-1] * 5, [-1] * 5)


@pytest.mark.parametrize("magnitude", [1e6, 1e12, 2.0**51])
def test_large_costs_are_exact(magnitude: float, either: None) -> None:
    """lap's results are not the best ones here."""
    cost = np.floor(costs((12, 12)) / 250 * magnitude)
    cost[::2] += magnitude
    total = sum(map(int, cost[linear_sum_assignment(cost)]))
    _, x, _ = lapjv(cost)
    assert sum(map(int, cost[range(12), x])) == total
    _, x, _ = lapjv(cost[:, :9], extend_cost=True)
    rows = np.flatnonzero(x >= 0)
    assert cost[rows, x[rows]].sum() == cost[:, :9][linear_sum_assignment(cost[:, :9])].sum()


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (3, 2), (170, 170), (30, 41)])
def test_infinite_costs_are_taken_where_there_is_no_limit(shape: tuple[int, int], either: None) -> None:
    cost = costs(shape)
    cost[:, 1:] = np.inf
    total, x, y = lapjv(cost, extend_cost=True)
    assert total == np.inf
    assert (x >= 0).sum() == (y >= 0).sum() == min(shape)
    assert len(set(x[x >= 0].tolist())) == min(shape)
    total, x, _ = lapjv(cost, extend_cost=True, cost_limit=300)
    assert np.flatnonzero(x == 0).tolist() == [cost[:, 0].argmin()]
    assert total == cost[:, 0].min()


def test_infinite_costs_are_avoided_where_they_can_be(either: None) -> None:
    cost = costs((40, 40))
    cost[np.random.default_rng(0).random(cost.shape) < 0.5] = np.inf
    np.fill_diagonal(cost, 100.0)
    total, x, _ = lapjv(cost)
    assert total == pytest.approx(cost[linear_sum_assignment(cost)].sum(), rel=1e-12)
    assert sorted(x.tolist()) == list(range(40))


def test_what_is_not_finite_is_left_to_lap(lap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    cost = costs((4, 4))
    cost[1, 2] = np.nan
    assert all(map(np.array_equal, lapjv(cost, cost_limit=200.0), lap.lapjv(cost, cost_limit=200.0)))
    monkeypatch.setattr(dropin, "original", lambda module, attribute: None)
    with pytest.raises(ValueError, match=r"cost must not hold NaN or -inf, got nan at \(1, 2\)"):
        lapjv(cost)


ERRORS = {
    "list": (([[1.0]],), {}, TypeError, "Argument 'cost' has incorrect type (expected numpy.ndarray, got list)"),
    "1D": ((np.ones(3),), {}, ValueError, "2-dimensional array expected"),
    "3D": ((np.ones((1, 1, 1)),), {}, ValueError, "2-dimensional array expected"),
    "not square": (
        (np.ones((2, 3)),),
        {},
        ValueError,
        "Square cost array expected. If cost is intentionally non-square, pass extend_cost=True.",
    ),
    "no limit": ((np.ones((2, 2)),), {"cost_limit": None}, TypeError, "must be real number, not NoneType"),
    "text": ((np.ones((2, 2)),), {"cost_limit": "1"}, TypeError, "must be real number, not str"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(either: None, case: str) -> None:
    arguments, options, kind, text = ERRORS[case]
    with pytest.raises(kind) as error:
        lapjv(*arguments, **options)
    assert str(error.value).startswith(text)


@pytest.mark.parametrize("case", ERRORS)
def test_errors_are_laps(lap: ModuleType, case: str) -> None:
    arguments, options, kind, text = ERRORS[case]
    with pytest.raises(kind) as error:
        lap.lapjv(*arguments, **options)
    assert str(error.value).startswith(text)


def test_small_square_problems_go_to_lap_and_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def spy(*arguments: Any, **options: Any) -> str:
        return "lap"

    monkeypatch.setattr(dropin, "original", lambda module, attribute: spy)
    for dtype in (np.float64, np.float32, np.int64, bool):
        assert lapjv(costs((99, 99), dtype)) == "lap"
    for cost, options in (
        (costs((100, 100)), {}),
        (costs((5, 5)), {"extend_cost": True}),
        (costs((5, 5)), {"cost_limit": 1.0}),
        (costs((5, 5)) * 1e5, {}),
    ):
        assert lapjv(cost, **options) != "lap"


def test_the_costs_stay_as_they_were(either: None) -> None:
    cost = costs((30, 20))
    lapjv(cost, True, 40.0)
    assert np.array_equal(cost, costs((30, 20)))


def test_public_names() -> None:
    assert dropin.__all__ == ["lapjv"]
