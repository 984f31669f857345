"""The drop-in for SciPy's linear_sum_assignment, below, within and above the sizes that ptfast takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment as theirs

from ptfast.dropin import scipy as dropin
from ptfast.dropin.scipy import FEWEST, MOST, linear_sum_assignment

SHAPES = [(45, 45), (40, 60), (90, 30), (1, 2500), (2500, 1), (200, 190)]
DTYPES = [np.float64, np.float32, np.float16, np.int64, np.int32, np.uint8, bool, ">f8"]


@pytest.fixture
def without_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails a test whose problem goes to SciPy."""

    def refuse() -> Callable:
        raise AssertionError("the problem went to SciPy")

    monkeypatch.setattr(dropin, "_scipys", refuse)


def costs(shape: tuple[int, int], dtype: Any = np.float64) -> np.ndarray:
    return (np.random.default_rng(0).random(shape) * 250).astype(dtype)


def check(cost: Any, maximize: bool = False) -> None:
    """Fails unless the result is an assignment of SciPy's form and total."""
    rows, columns = linear_sum_assignment(cost, maximize)
    expected = theirs(cost, maximize)
    numbers = np.asarray(cost, np.float64)
    assert numbers[rows, columns].sum() == pytest.approx(numbers[expected].sum(), rel=1e-12)
    assert (np.diff(rows) > 0).all()  # rising; of equally good rows SciPy may choose others
    assert len(set(columns.tolist())) == len(columns) == min(numbers.shape)
    assert all(x.dtype == y.dtype for x, y in zip((rows, columns), expected, strict=True))


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: np.dtype(dtype).name)
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_totals_are_scipys(shape: tuple[int, int], maximize: bool, dtype: Any, without_scipy: None) -> None:
    check(costs(shape, dtype), maximize)


@pytest.mark.parametrize("size", [0, 1, 2, 15, 44])
def test_small_problems_go_to_scipy(size: int) -> None:
    for cost in (costs((size, size)), costs((size, size)).tolist() or [[]]):
        result, expected = linear_sum_assignment(cost, maximize=True), theirs(cost, True)
        assert all(map(np.array_equal, result, expected))


def test_the_switch_stands_where_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dropin, "_scipys", lambda: lambda *arguments: "SciPy")
    assert linear_sum_assignment(np.zeros((FEWEST - 1, 1))) == "SciPy"
    assert linear_sum_assignment(np.zeros((FEWEST, 1))) != "SciPy"
    assert linear_sum_assignment(np.zeros((1, MOST))) != "SciPy"
    assert linear_sum_assignment(np.zeros((1, MOST + 1))) == "SciPy"


def test_strides_and_order_do_not_matter(without_scipy: None) -> None:
    cost = costs((120, 100))
    for view in (cost.T, np.asfortranarray(cost), cost[::2, ::-1], np.broadcast_to(cost[0], (50, 100))):
        check(view)
    assert np.array_equal(cost, costs((120, 100)))  # and the costs stay as they were
    linear_sum_assignment(cost, True)
    assert np.array_equal(cost, costs((120, 100)))


@pytest.mark.parametrize("shape", [(45, 45), (50, 80), (80, 50)])
@pytest.mark.parametrize("magnitude", [2**20, 2**44, 2**51])
def test_whole_numbers_are_summed_exactly(shape: tuple[int, int], magnitude: int, without_scipy: None) -> None:
    """Differences of one decide among costs near the largest that float64 tells apart; float32 would lose them."""
    random = np.random.default_rng(1)
    for low in (-magnitude, magnitude - 50):
        cost = random.integers(low, magnitude, shape).astype(np.float64)
        totals = [int(cost[pairs].astype(object).sum()) for pairs in (linear_sum_assignment(cost), theirs(cost))]
        assert totals[0] == totals[1]


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e120, 1e300])
def test_every_magnitude(scale: float) -> None:
    cost = costs((45, 50)) * scale
    expected, result = (cost[solve(cost)].sum() / scale for solve in (theirs, linear_sum_assignment))
    assert result == pytest.approx(expected, rel=1e-9)


def test_equal_costs_give_the_same_answer_each_time(without_scipy: None) -> None:
    cost = np.random.default_rng(2).integers(0, 3, (60, 60)).astype(float)
    check(cost)
    first = linear_sum_assignment(cost)
    assert all(map(np.array_equal, first, linear_sum_assignment(cost.copy())))


@pytest.mark.parametrize("size", [5, 50])
@pytest.mark.parametrize("maximize", [False, True])
def test_forbidden_pairs(size: int, maximize: bool) -> None:
    cost = costs((size, size))
    worst = -np.inf if maximize else np.inf
    cost[np.random.default_rng(3).random(cost.shape) < 0.3] = worst
    np.fill_diagonal(cost, 100)
    check(cost, maximize)
    cost[:, :2] = worst
    with pytest.raises(ValueError, match="cost matrix is infeasible"):
        linear_sum_assignment(cost, maximize)


@pytest.mark.parametrize("size", [5, 50])
@pytest.mark.parametrize(("value", "maximize"), [(np.nan, False), (np.nan, True), (-np.inf, False), (np.inf, True)])
def test_invalid_costs(size: int, value: float, maximize: bool) -> None:
    cost = costs((size, size))
    cost[2, 3] = value
    with pytest.raises(ValueError, match="matrix contains invalid numeric entries"):
        linear_sum_assignment(cost, maximize)


@pytest.mark.parametrize("size", [3, 50])
def test_errors_are_scipys(size: int) -> None:
    cost = costs((size, size))
    with pytest.raises(ValueError, match=r"expected a matrix \(2-D array\), got a 1 array"):
        linear_sum_assignment(cost.ravel())
    with pytest.raises(ValueError, match=r"expected a matrix \(2-D array\), got a 3 array"):
        linear_sum_assignment(cost[None])
    for dtype in (complex, object, np.longdouble, "U9"):
        with pytest.raises(TypeError, match="Cannot cast array data"):
            linear_sum_assignment(cost.astype(dtype))
    with pytest.raises(TypeError):
        linear_sum_assignment()  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="truth value of an array"):
        linear_sum_assignment(cost, np.array([1, 2]))


def test_public_names() -> None:
    assert dropin.__all__ == ["linear_sum_assignment"]


def test_subclasses_of_arrays_go_to_scipy() -> None:
    class Odd(np.ndarray):
        pass

    cost = costs((50, 50))
    for odd in (cost.view(Odd), np.ma.masked_array(cost, cost > 200)):
        assert all(map(np.array_equal, linear_sum_assignment(odd), theirs(odd)))
