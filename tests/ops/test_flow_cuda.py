"""sample_flow's CUDA kernels, beside the CPU's path and the reference."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ptfast.ops import sample_flow
from ptfast.reference import flow as reference

TOLERANCE = {torch.float32: {"rtol": 0, "atol": 2e-4}, torch.float64: {"rtol": 0, "atol": 1e-12}}  # coordinates < 100


def inputs(count: int, height: int, width: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """A flow field and points in and around it, some on pixels and one without a place."""
    random = np.random.default_rng([count, height, width])
    points = random.uniform(-0.2, 1.2, (count, 2)) * (width, height)
    points = np.where(random.random((count, 1)) < 0.3, np.round(points), points)
    points[:1] = np.nan
    return torch.as_tensor(random.normal(0, 5, (height, width, 2)), dtype=dtype), torch.as_tensor(points, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (37, 53), (0, 5)])
@pytest.mark.parametrize("count", [0, 1, 131])  # 131 is over a block of threads
def test_equals_reference(cuda, count: int, size: tuple, dtype: torch.dtype) -> None:
    flow, points = inputs(count, *size, dtype)
    values, inside = (x.cpu() for x in sample_flow(cuda(flow), cuda(points)))
    expected, expected_inside = reference.sample_flow(flow.numpy(), points.numpy())
    assert values.dtype == dtype and inside.dtype == torch.bool
    np.testing.assert_array_equal(inside, expected_inside)
    np.testing.assert_allclose(values, expected, **TOLERANCE[dtype])


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (37, 53), (0, 5)])
@pytest.mark.parametrize("count", [0, 1, 131])
def test_gradients_equal_those_on_the_cpu(cuda, count: int, size: tuple) -> None:
    arrays = inputs(count, *size, torch.float64)
    weights = torch.rand(count, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def gradients(move) -> list[Tensor]:
        own = [move(x).clone().requires_grad_() for x in arrays]
        return [x.cpu() for x in torch.autograd.grad((sample_flow(*own)[0] * move(weights)).sum(), own)]

    with cuda.aside():
        expected = gradients(lambda tensor: tensor)
    torch.testing.assert_close(gradients(cuda), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.cuda
def test_deterministic_algorithms_give_the_same_bits_every_time() -> None:
    flow, points = (x.cuda().requires_grad_() for x in inputs(20_000, 9, 11, torch.float32))
    torch.use_deterministic_algorithms(True)
    try:
        first, second = (torch.autograd.grad(sample_flow(flow, points)[0].sum(), flow) for _ in range(2))
    finally:
        torch.use_deterministic_algorithms(False)
    torch.testing.assert_close(first, second, rtol=0, atol=0)


@pytest.mark.cuda
def test_runs_in_a_graph() -> None:
    arrays = tuple(x.cuda() for x in inputs(131, 37, 53, torch.float32))
    expected = sample_flow(*arrays)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = sample_flow(*arrays)
    graph.replay()
    torch.testing.assert_close(captured, expected, rtol=0, atol=0)
