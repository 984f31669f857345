"""iou_matrix's and tube_iou_matrix's CUDA kernels, which give the CPU's bits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ptfast.ops import iou_matrix, tube_iou_matrix

SIZES = [(0, 3), (3, 0), (1, 1), (7, 20), (37, 67)]  # 37 and 67 are over a tile of the matrix


def boxes(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> Tensor:
    """Boxes of which some overlap, some touch, some are empty, some inverted, and one is not a number."""
    random = np.random.default_rng([seed, *shape])
    corner = random.integers(0, 30, (*shape, 2))
    array = np.concatenate([corner, corner + random.integers(-2, 20, (*shape, 2))], -1) / 3
    array.reshape(-1)[2:3] = np.nan
    return torch.as_tensor(array, dtype=dtype)


def same_bits(cuda, operation, *inputs: Tensor | None) -> None:
    """Fails unless the kernels give what the CPU gives."""
    with cuda.aside():
        expected = operation(*inputs)
    result = operation(*[None if x is None else cuda(x) for x in inputs])
    torch.testing.assert_close(result.cpu(), expected, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_iou_matrix_has_the_bits_of_the_cpu(cuda, n: int, m: int, dtype: torch.dtype) -> None:
    same_bits(cuda, iou_matrix, boxes(n, dtype=dtype), boxes(m, dtype=dtype, seed=1))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("t", [0, 1, 3])
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_tube_iou_matrix_has_the_bits_of_the_cpu(cuda, n: int, m: int, t: int, masked: bool) -> None:
    random = np.random.default_rng(2)
    valid = [torch.as_tensor(random.random((size, t)) < 0.7) if masked else None for size in (n, m)]
    same_bits(cuda, tube_iou_matrix, boxes(n, t), boxes(m, t, seed=1), *valid)


def test_runs_over_batches_and_strides(cuda) -> None:
    a, b = boxes(2, 3, 5), boxes(2, 3, 80, seed=1)[:, :, ::2]
    same_bits(cuda, iou_matrix, a, b)
    valid = torch.arange(2 * 3 * 5 * 4).reshape(2, 3, 5, 4) % 3
    same_bits(cuda, tube_iou_matrix, boxes(2, 3, 5, 4), boxes(2, 3, 6, 4, seed=1), valid, None)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_large_matrices_are_cut_into_larger_tiles(cuda, dtype: torch.dtype) -> None:
    same_bits(cuda, iou_matrix, boxes(2, 700, dtype=dtype), boxes(2, 760, dtype=dtype, seed=1))


@pytest.mark.parametrize("order", ["reverse", "shuffled"])
def test_no_thread_depends_on_another_being_first(emulated_cuda, order: str) -> None:
    a, b = boxes(37, 3), boxes(67, 3, seed=1)
    first = tube_iou_matrix(a, b)
    emulated_cuda.control.set_order(order, 1)
    torch.testing.assert_close(tube_iou_matrix(a, b), first, rtol=0, atol=0, equal_nan=True)


@pytest.mark.cuda
def test_compiles_into_one_graph() -> None:
    a, b = boxes(5, 3).cuda(), boxes(7, 3, seed=1).cuda()
    both = lambda a, b: (iou_matrix(a[:, 0], b[:, 0]), tube_iou_matrix(a, b))  # noqa: E731
    compiled = torch.compile(both, fullgraph=True, dynamic=True, backend="aot_eager")
    torch.testing.assert_close(compiled(a, b), both(a, b), rtol=0, atol=0, equal_nan=True)
