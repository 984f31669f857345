"""pckh_matrix's CUDA kernel, which gives the CPU's bits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ptfast.ops import pckh_matrix

SIZES = [(0, 3), (3, 0), (1, 1), (7, 20), (37, 67)]  # 37 and 67 are over a tile of the matrix


def inputs(*batch: int, n: int, m: int, k: int, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Poses in whole numbers, so that many distances equal the limit; one coordinate and one head are not numbers."""
    random = np.random.default_rng([n, m, k])
    whole = {"a": (*batch, n, k, 2), "b": (*batch, m, k, 2), "head_sizes": (*batch, m)}
    tensors = {name: torch.as_tensor(random.integers(0, 14, shape), dtype=dtype) for name, shape in whole.items()}
    for tensor in tensors.values():
        tensor.view(-1)[1:2] = torch.nan
    for name, count in (("a_visible", n), ("b_visible", m)):
        tensors[name] = torch.as_tensor(random.random((*batch, count, k)) < 0.6)
    return tensors


def same_bits(cuda, x: dict[str, Tensor]) -> None:
    """Fails unless the kernel gives what the CPU gives."""
    with cuda.aside():
        expected = pckh_matrix(**x)
    result = pckh_matrix(**{name: cuda(tensor) for name, tensor in x.items()})
    torch.testing.assert_close(result.cpu(), expected, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("masked", [(), ("a_visible",), ("a_visible", "b_visible")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_has_the_bits_of_the_cpu(cuda, n: int, m: int, dtype: torch.dtype, masked: tuple[str, ...]) -> None:
    x = inputs(n=n, m=m, k=15, dtype=dtype)
    same_bits(cuda, {name: tensor for name, tensor in x.items() if "visible" not in name or name in masked})


@pytest.mark.parametrize("k", [0, 1, 16, 32, 33, 133])  # 32 joints, or 16 of doubles, stand in shared memory at a time
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_of_any_number_of_joints(cuda, k: int, dtype: torch.dtype) -> None:
    same_bits(cuda, inputs(2, 3, n=5, m=40, k=k, dtype=dtype))


@pytest.mark.parametrize("masked", [False, True])
def test_large_matrices_are_cut_into_larger_tiles(cuda, masked: bool) -> None:
    x = inputs(2, n=700, m=760, k=3)
    same_bits(cuda, {name: tensor for name, tensor in x.items() if masked or "visible" not in name})


@pytest.mark.parametrize("order", ["reverse", "shuffled"])
def test_no_thread_depends_on_another_being_first(emulated_cuda, order: str) -> None:
    x = inputs(n=37, m=67, k=40)
    first = pckh_matrix(**x)
    emulated_cuda.control.set_order(order, 1)
    torch.testing.assert_close(pckh_matrix(**x), first, rtol=0, atol=0, equal_nan=True)
