"""assign's CUDA kernels, bit for bit beside the CPU's path."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ptfast.ops import assign, assign_ragged

METHODS = ("hungarian", "greedy")
SIZES = [(1, 1), (1, 7), (7, 1), (15, 15), (9, 17), (32, 32), (31, 32), (33, 20), (40, 64), (64, 64), (64, 33)]
LIMITS = [None, 0.5, 0.0]
dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
methods = pytest.mark.parametrize("method", METHODS)


def costs_of(kind: str, n: int, m: int, dtype: torch.dtype) -> Tensor:
    """Three problems."""
    random = np.random.default_rng([n, m])
    shape = (3, n, m)
    largest = torch.finfo(dtype).max
    values = {
        "real": lambda: random.normal(size=shape),
        "tied": lambda: np.round(2 * random.random(shape)) - 0.5,
        "zeros": lambda: random.choice([-0.0, 0.0], shape),
        "forbidden": lambda: np.where(random.random(shape) < 0.8, np.inf, random.integers(-2, 3, shape)),
        "huge": lambda: random.uniform(-1, 1, shape) * largest,
    }
    return torch.as_tensor(values[kind](), dtype=dtype)


@dtypes
@methods
@pytest.mark.parametrize("kind", ["real", "tied", "zeros", "forbidden", "huge"])
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_equals_the_cpu(cuda, n: int, m: int, kind: str, method: str, dtype: torch.dtype) -> None:
    cost = costs_of(kind, n, m, dtype)
    for limit in LIMITS:
        with cuda.aside():
            expected = assign(cost, max_cost=limit, method=method)
        got = assign(cuda(cost), max_cost=limit, method=method)
        assert got.dtype == torch.int64 and got.device == cuda(cost).device
        assert torch.equal(got.cpu(), expected), limit


def test_rounding_decides_as_on_the_cpu(cuda) -> None:
    """Tenths: many equal totals, told apart by sums that round."""
    cost = torch.as_tensor(np.random.default_rng(15).integers(0, 12, (200, 15, 15)), dtype=torch.float32) / 10
    with cuda.aside():
        expected = assign(cost)
    assert torch.equal(assign(cuda(cost)).cpu(), expected)


@methods
@pytest.mark.parametrize("limit", [-np.inf, -10.0, 3e38, 1e300])
def test_limits_that_no_cost_comes_near_are_as_on_the_cpu(cuda, method: str, limit: float) -> None:
    for kind in ("real", "forbidden", "huge"):
        for dtype in (torch.float32, torch.float64):
            cost = costs_of(kind, 6, 5, dtype)
            with cuda.aside():
                expected = assign(cost, max_cost=limit, method=method)
            assert torch.equal(assign(cuda(cost), max_cost=limit, method=method).cpu(), expected)


@dtypes
@methods
@pytest.mark.parametrize("bad", [np.nan, -np.inf])
@pytest.mark.parametrize("limit", [None, 0.5])
def test_a_problem_with_a_bad_cost_has_no_pairs(cuda, method: str, limit: float | None, bad: float, dtype) -> None:
    for n, m in ((5, 5), (40, 33)):
        cost = costs_of("real", n, m, dtype)
        with cuda.aside():
            expected = assign(cost, max_cost=limit, method=method)
        cost[1, n - 1, m - 2] = bad
        expected[1] = -1
        assert torch.equal(assign(cuda(cost), max_cost=limit, method=method).cpu(), expected)
        cost[:] = bad
        assert (assign(cuda(cost), max_cost=limit, method=method) == -1).all()


@methods
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 0, 4), (0, 5, 5), (2, 4, 0)])
def test_empty_problems_have_no_pairs(cuda, method: str, shape: tuple[int, ...]) -> None:
    got = assign(cuda(torch.zeros(shape)), method=method)
    assert got.shape == shape[:-1] and (got == -1).all()


@methods
def test_batches_and_strides(cuda, method: str) -> None:
    cost = torch.rand(2, 3, 12, 9, generator=torch.Generator().manual_seed(0))[..., ::2]
    for strided in (cost, cost.transpose(-1, -2), cost[:, :1].expand(2, 7, 12, 5)):
        with cuda.aside():
            expected = assign(strided, max_cost=0.75, method=method)
        got = assign(cuda(strided), max_cost=0.75, method=method)
        assert not got.requires_grad and torch.equal(got.cpu(), expected)


@methods
@pytest.mark.parametrize("order", ["reverse", "shuffled"])
def test_no_thread_depends_on_another_being_first(emulated_cuda, order: str, method: str) -> None:
    for n, m in ((20, 20), (64, 40)):
        cost = costs_of("tied", n, m, torch.float32)
        first = assign(cost, method=method)
        emulated_cuda.control.set_order(order, 1)
        assert torch.equal(assign(cost, method=method), first)


def test_a_problem_too_large_for_the_kernels_is_an_error(emulated_cuda) -> None:
    with pytest.raises(RuntimeError, match="assign failed on the GPU: invalid argument"):
        assign(torch.zeros(2, 65))


@pytest.mark.cuda
def test_a_problem_too_large_for_a_gpu_is_named() -> None:
    message = "cost must have at most 64 rows and columns on a GPU, got 3 x 65; move it to the CPU"
    with pytest.raises(ValueError, match=message):
        assign(torch.zeros(3, 65, device="cuda"))
    message = "assign_ragged has no CUDA kernel yet; move the costs to the CPU"
    with pytest.raises(RuntimeError, match=message):
        assign_ragged(torch.zeros(4, device="cuda"), torch.tensor([2]), torch.tensor([2]))


@pytest.mark.cuda
@methods
def test_more_problems_than_a_grid_holds_warps(method: str) -> None:
    cost = torch.rand(4_500_000, 2, 2, device="cuda")
    got = assign(cost, method=method)
    straight = cost[:, 0, 0] + cost[:, 1, 1] <= cost[:, 0, 1] + cost[:, 1, 0]
    if method == "greedy":
        straight = cost.flatten(1).argmin(1).isin(torch.tensor([0, 3], device="cuda"))
    assert (got.sum(1) == 1).all() and ((got[:, 0] == 0) == straight).float().mean() > 0.999  # sums may round to ties


@pytest.mark.cuda
@methods
def test_a_graph_that_captured_it_solves_new_costs(method: str) -> None:
    cost = torch.rand(100, 15, 15, device="cuda")
    assign(cost, method=method)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        got = assign(cost, method=method)
    cost.copy_(torch.rand(100, 15, 15))
    graph.replay()
    assert torch.equal(got, assign(cost, method=method))


@pytest.mark.cuda
def test_runs_on_the_tensors_device_and_stream() -> None:
    device = torch.device("cuda", torch.cuda.device_count() - 1)
    cost = torch.rand(50, 20, 20)
    with torch.cuda.stream(torch.cuda.Stream(device)):
        got = assign(cost.to(device))
    assert got.device == device and torch.equal(got.cpu(), assign(cost))


@pytest.mark.cuda
def test_opcheck_on_a_gpu() -> None:
    for greedy in (False, True):
        torch.library.opcheck(torch.ops.ptfast.assign, (torch.rand(3, 4, 5, device="cuda"), 0.5, greedy))
