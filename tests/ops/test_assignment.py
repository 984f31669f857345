from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

import ptfast
from ptfast.ops import assign, assign_ragged
from ptfast.ops.assignment import Matcher
from ptfast.reference import assignment as reference

Real = type[np.floating]
SIZES = [(0, 0), (0, 3), (3, 0), (1, 1), (1, 7), (7, 1), (2, 2), (5, 8), (8, 5), (8, 8), (15, 15), (16, 16), (16, 17)]
LARGER = [(17, 16), (23, 40), (40, 23), (31, 33), (40, 40), (130, 130)]
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}
METHODS: tuple[Matcher, ...] = ("hungarian", "greedy")
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
methods = pytest.mark.parametrize("method", METHODS)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(autouse=True)
def default_threads() -> Iterator[None]:
    yield
    ptfast.set_num_threads(0)


def pairs_of(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows and columns of the pairs made, which must not share a column."""
    rows = np.flatnonzero(columns >= 0)
    assert len(set(columns[rows].tolist())) == len(rows)
    return rows, columns[rows]


def total(cost: np.ndarray, columns: np.ndarray) -> float:
    return float(cost[pairs_of(columns)].astype(np.float64).sum())


def random_forbidden(rng: np.random.Generator, cost: np.ndarray, share: float) -> np.ndarray:
    return np.where(rng.random(cost.shape) < share, np.inf, cost).astype(cost.dtype)


def best_by_trying_all(cost: np.ndarray, max_cost: float | None) -> float:
    """The lowest sum of (cost - max_cost), or of costs after the number of pairs, as (-pairs) * 1000 + cost."""
    n, m = cost.shape
    worth = 1000.0 if max_cost is None else max_cost
    gain = np.zeros((n, n + m))  # columns from m on stand for staying alone
    gain[:, :m] = np.where(cost <= (np.inf if max_cost is None else max_cost), cost - worth, 0.0)
    gain[gain == np.inf] = 0.0
    return min(sum(gain[i, j] for i, j in enumerate(chosen)) for chosen in permutations(range(n + m), n))


@dtypes
@pytest.mark.parametrize("size", SIZES + LARGER)
def test_total_is_that_of_scipy(rng: np.random.Generator, size: tuple[int, int], dtype: Real) -> None:
    for cost in (rng.normal(size=size).astype(dtype), np.round(3 * rng.random(size)).astype(dtype)):
        columns = assign(cost)
        assert columns.shape == size[:1] and columns.dtype == np.int64
        assert (columns >= 0).sum() == min(size)
        expected = float(cost.astype(np.float64)[linear_sum_assignment(cost)].sum())
        assert total(cost, columns) == pytest.approx(expected, rel=TOLERANCE[dtype], abs=10 * TOLERANCE[dtype])


@dtypes
@pytest.mark.parametrize("size", [(1, 3), (3, 1), (2, 4), (3, 3), (4, 2)])
@pytest.mark.parametrize("max_cost", [None, 2.0, 0.0, -10.0])
def test_small_problems_are_solved_as_by_trying_all(
    rng: np.random.Generator, size: tuple[int, int], max_cost: float | None, dtype: Real
) -> None:
    for _ in range(20):
        cost = random_forbidden(rng, rng.integers(-3, 6, size).astype(dtype), 0.3)
        columns = assign(cost, max_cost=max_cost)
        made = cost[pairs_of(columns)].astype(np.float64)
        assert (made <= (np.inf if max_cost is None else max_cost)).all() and np.isfinite(made).all()
        assert (made - (1000.0 if max_cost is None else max_cost)).sum() == best_by_trying_all(cost, max_cost)


@dtypes
@pytest.mark.parametrize("size", SIZES + LARGER)
@pytest.mark.parametrize("share", [0.1, 0.7, 0.95])
def test_forbidden_pairs_are_avoided_with_as_many_pairs_as_possible(
    rng: np.random.Generator, size: tuple[int, int], share: float, dtype: Real
) -> None:
    cost = random_forbidden(rng, rng.normal(size=size).astype(dtype), share)
    got, expected = assign(cost), reference.assign(cost)
    assert (got >= 0).sum() == (expected >= 0).sum()
    assert total(cost, got) == pytest.approx(total(cost, expected), rel=1e-9, abs=1e-9)


@dtypes
@pytest.mark.parametrize("size", SIZES + LARGER)
@pytest.mark.parametrize("max_cost", [0.125, 0.5, 2.0])
def test_max_cost_trades_pairs_against_the_limit(
    rng: np.random.Generator, size: tuple[int, int], max_cost: float, dtype: Real
) -> None:
    cost = random_forbidden(rng, rng.random(size).astype(dtype), 0.2)
    got, expected = assign(cost, max_cost=max_cost), reference.assign(cost, max_cost=max_cost)
    gains = [(cost[pairs_of(columns)].astype(np.float64) - max_cost).sum() for columns in (got, expected)]
    assert (cost[pairs_of(got)] <= max_cost).all()
    assert gains[0] == pytest.approx(gains[1], rel=TOLERANCE[dtype], abs=10 * TOLERANCE[dtype])


@pytest.mark.parametrize("size", [(6, 6), (9, 14), (14, 9)])
def test_max_cost_is_the_cost_limit_of_lap(rng: np.random.Generator, size: tuple[int, int]) -> None:
    lap = pytest.importorskip("lap")
    cost = rng.random(size)
    _, columns, _ = lap.lapjv(cost, extend_cost=True, cost_limit=0.3)
    np.testing.assert_array_equal(assign(cost, max_cost=0.3), columns)


@dtypes
def test_a_pair_that_costs_max_cost_may_be_made_and_max_cost_has_the_costs_dtype(dtype: Real) -> None:
    cost = np.array([[0.3, 1.0], [1.0, 0.3]], dtype)
    for method in METHODS:
        assert assign(cost, max_cost=0.3, method=method).tolist() == [0, 1]
        assert assign(cost, max_cost=np.nextafter(dtype(0.3), dtype(0)), method=method).tolist() == [-1, -1]


@dtypes
@pytest.mark.parametrize("size", SIZES + LARGER)
@pytest.mark.parametrize("max_cost", [None, 2.0])
def test_greedy_equals_the_reference(
    rng: np.random.Generator, size: tuple[int, int], max_cost: float | None, dtype: Real
) -> None:
    for values in (rng.normal(size=size), rng.integers(-2, 5, size)):
        cost = random_forbidden(rng, values.astype(dtype), 0.3)
        expected = reference.assign(cost, max_cost=max_cost, method="greedy")
        np.testing.assert_array_equal(assign(cost, max_cost=max_cost, method="greedy"), expected)


@dtypes
def test_ties_go_to_a_free_column_and_then_to_the_lowest(dtype: Real) -> None:
    for size in (1, 5, 16, 40):
        np.testing.assert_array_equal(assign(np.full((size, size + 3), 2, dtype)), np.arange(size))
        np.testing.assert_array_equal(assign(np.zeros((size, size), dtype), method="greedy"), np.arange(size))
    assert assign(np.array([[0.0, -0.0, 1.0]], dtype)).tolist() == [0]
    assert assign(np.array([[0.0, -0.0, 1.0]], dtype), method="greedy").tolist() == [0]


@dtypes
@pytest.mark.parametrize("largest", [1e30, 3e38, 1e-40])
def test_the_range_of_costs_does_not_matter(rng: np.random.Generator, largest: float, dtype: Real) -> None:
    largest = largest if dtype is np.float32 or largest < 1 else largest**8 if largest == 1e30 else 1.7e308
    cost = (rng.random((12, 12)) * rng.choice([-1, 1], (12, 12)) * largest).astype(dtype)
    scaled = cost.astype(np.float64) / largest
    expected = scaled[linear_sum_assignment(scaled)].sum()
    assert total(scaled, assign(cost)) == pytest.approx(expected, rel=1e-5)


def test_small_costs_beside_huge_ones_still_give_a_whole_matching(rng: np.random.Generator) -> None:
    cost = np.exp(rng.uniform(-80, 80, (300, 300))).astype(np.float32)
    assert len(pairs_of(assign(cost))[0]) == 300


@dtypes
@pytest.mark.parametrize("max_cost", [None, 1.0, -np.inf])
def test_rows_and_columns_without_any_possible_pair_stay_alone(dtype: Real, max_cost: float | None) -> None:
    cost = np.full((4, 5), np.inf, dtype)
    for method in METHODS:
        assert assign(cost, max_cost=max_cost, method=method).tolist() == [-1] * 4
    cost[2, 3] = 0.5
    assert assign(cost).tolist() == [-1, -1, 3, -1]
    assert assign(cost.T).tolist() == [-1, -1, -1, 2, -1]


@methods
@pytest.mark.parametrize("size", [(6, 9), (9, 6), (0, 4), (4, 0)])
def test_batches_are_solved_one_by_one(rng: np.random.Generator, size: tuple[int, int], method: Matcher) -> None:
    cost = random_forbidden(rng, rng.random((3, 4, *size)).astype(np.float32), 0.2)
    got = assign(cost, max_cost=0.75, method=method)
    assert got.shape == (3, 4, size[0])
    for place in np.ndindex(3, 4):
        np.testing.assert_array_equal(got[place], assign(cost[place], max_cost=0.75, method=method))
    assert assign(cost[:, :0], method=method).shape == (3, 0, size[0])


@dtypes
@methods
def test_ragged_problems_are_solved_one_by_one(rng: np.random.Generator, method: Matcher, dtype: Real) -> None:
    rows, columns = rng.integers(0, 20, 60), rng.integers(0, 20, 60)
    problems = [random_forbidden(rng, rng.random(size).astype(dtype), 0.2) for size in zip(rows, columns, strict=True)]
    flat = np.concatenate([cost.ravel() for cost in problems])
    got = assign_ragged(flat, rows, columns.astype(np.int32), max_cost=0.75, method=method)
    expected = np.concatenate([assign(cost, max_cost=0.75, method=method) for cost in problems])
    np.testing.assert_array_equal(got, expected)
    if method == "greedy":
        limit = float(dtype(0.75))
        np.testing.assert_array_equal(got, reference.assign_ragged(flat, rows, columns, max_cost=limit, method=method))


def test_no_ragged_problems_give_an_empty_result() -> None:
    none = np.empty(0, np.int64)
    assert assign_ragged(np.empty(0, np.float32), none, none).shape == (0,)


@dtypes
@methods
def test_the_number_of_threads_does_not_matter(rng: np.random.Generator, method: Matcher, dtype: Real) -> None:
    cost = np.round(4 * rng.random((3000, 12, 12))).astype(dtype)
    results = []
    for threads in (1, 2, 5):
        ptfast.set_num_threads(threads)
        results.append(assign(cost, method=method))
    np.testing.assert_array_equal(results[1], results[0])
    np.testing.assert_array_equal(results[2], results[0])


def test_strided_and_integer_costs(rng: np.random.Generator) -> None:
    cost = rng.integers(0, 50, (14, 22))
    np.testing.assert_array_equal(assign(cost), assign(cost.astype(np.float64)))
    strided = cost.astype(np.float32)[::2, ::-1]
    np.testing.assert_array_equal(assign(strided), assign(strided.copy()))
    np.testing.assert_array_equal(assign(strided.T), assign(strided.T.copy()))


@methods
@pytest.mark.parametrize("max_cost", [None, 0.5])
@pytest.mark.parametrize(("bad", "text"), [(np.nan, "nan"), (-np.inf, "-inf")])
def test_a_bad_cost_is_named_with_its_position(method: Matcher, max_cost: float | None, bad: float, text: str) -> None:
    batch = np.zeros((2, 3, 4, 5), np.float32)
    batch[1, 2, 0, 4] = batch[1, 2, 3, 0] = bad
    with pytest.raises(ValueError, match=rf"^cost must not hold NaN or -inf, got {text} at \(1, 2, 0, 4\)$"):
        assign(batch, max_cost=max_cost, method=method)
    with pytest.raises(ValueError, match=rf"^cost must not hold NaN or -inf, got {text} at \(3, 0\)$"):
        assign(batch[1, 2, :, :1].copy(), max_cost=max_cost, method=method)
    flat = np.zeros(10)
    flat[9] = bad
    message = rf"^flat_costs must not hold NaN or -inf, got {text} at \(2, 1, 0\)$"
    with pytest.raises(ValueError, match=message):
        assign_ragged(flat, np.array([2, 0, 2]), np.array([4, 3, 1]), max_cost=max_cost, method=method)


def test_the_first_of_several_bad_problems_is_named() -> None:
    cost = np.zeros((5000, 4, 4), np.float32)
    cost[[700, 4000, 4999], 1, 2] = np.nan
    with pytest.raises(ValueError, match=r"got nan at \(700, 1, 2\)"):
        assign(cost)


def test_wrong_arguments_are_named() -> None:
    cost = np.zeros((3, 4))
    with pytest.raises(ValueError, match=r"^cost must have shape \(..., N, M\), got \(3,\)$"):
        assign(np.zeros(3))
    with pytest.raises(ValueError, match=r"""^method must be "hungarian" or "greedy", got 'jv'$"""):
        assign(cost, method="jv")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^max_cost must be a number, got nan$"):
        assign(cost, max_cost=float("nan"))
    with pytest.raises(TypeError, match=r"^cost must have dtype float32 or float64, got float16$"):
        assign(cost.astype(np.float16))
    rows = np.array([2, 1])
    with pytest.raises(ValueError, match=r"^flat_costs must hold sum\(rows \* columns\) = 7 costs, got 12$"):
        assign_ragged(cost.ravel(), rows, np.array([2, 3]))
    with pytest.raises(ValueError, match=r"^columns must have shape \(P,\) with P = 2, got \(3,\)$"):
        assign_ragged(cost.ravel(), rows, np.array([2, 3, 4]))
    with pytest.raises(ValueError, match=r"^columns must be at least 0, got -3 at \(1,\)$"):
        assign_ragged(cost.ravel(), rows, np.array([2, -3]))
    with pytest.raises(TypeError, match=r"^rows must hold integers, got float64$"):
        assign_ragged(cost.ravel(), rows / 1, rows)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@methods
def test_tensors_give_what_arrays_give(rng: np.random.Generator, method: Matcher, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    cost = random_forbidden(rng, rng.random((5, 9, 7)).astype(dtype), 0.2)
    tensor = torch.from_numpy(cost).requires_grad_()
    got = assign(tensor.transpose(1, 2), max_cost=0.5, method=method)
    assert got.dtype == torch.int64 and not got.requires_grad
    np.testing.assert_array_equal(got, assign(cost.swapaxes(1, 2), max_cost=0.5, method=method))
    sizes = torch.tensor([9] * 5), np.array([7] * 5)
    ragged = assign_ragged(tensor.flatten(), *sizes, max_cost=0.5, method=method)
    np.testing.assert_array_equal(ragged, assign(cost, max_cost=0.5, method=method).ravel())


def test_a_bad_tensor_is_named() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"^cost must not hold NaN or -inf, got nan at \(0, 1\)$"):
        assign(torch.tensor([[0.0, float("nan")]]))
    with pytest.raises(TypeError, match=r"^cost must have dtype float32 or float64, got float16$"):
        assign(torch.zeros(2, 2, dtype=torch.float16))


def test_opcheck() -> None:
    torch = pytest.importorskip("torch")
    assign(torch.zeros(1, 1))  # defines the operations
    for greedy in (False, True):
        torch.library.opcheck(torch.ops.ptfast.assign, (torch.rand(3, 4, 5), 0.5, greedy))
    sizes = torch.tensor([2, 1]), torch.tensor([3, 4])
    torch.library.opcheck(torch.ops.ptfast.assign_ragged, (torch.rand(10), *sizes, float("inf"), False))


def test_compiles_whole(rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    cost = torch.from_numpy(rng.random((4, 6, 8)))
    compiled = torch.compile(lambda x: assign(1 - x, max_cost=0.75), fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(cost), assign(1 - cost, max_cost=0.75))
