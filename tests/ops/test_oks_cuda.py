"""oks_matrix's CUDA kernels, beside the CPU's path and the reference."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ptfast.ops import oks_matrix
from ptfast.reference import oks as reference
from ptfast.skeletons import COCO_17

SIGMAS = torch.tensor(COCO_17.sigmas)
SIZES = [(0, 3), (3, 0), (1, 1), (7, 20), (37, 67)]  # 37 and 67 are over a tile of the matrix
TOLERANCE = {torch.float32: {"rtol": 4e-6, "atol": 4e-7}, torch.float64: {"rtol": 1e-13, "atol": 1e-15}}


def inputs(n: int, m: int, k: int, dtype: torch.dtype, batch: tuple[int, ...] = ()) -> dict[str, Tensor]:
    """Poses near and far from each other, a third of their joints hidden and then not a number."""
    random = np.random.default_rng([n, m, k])
    body = random.uniform(-50, 50, (k, 2))
    arrays = {"body": body}
    for name, count in (("a", n), ("b", m)):
        shape = (*batch, count)
        shown = random.random((*shape, k)) < 0.67
        poses = random.uniform(0, 100, (*shape, 1, 2)) + body + random.normal(0, 4, (*shape, k, 2))
        arrays |= {name: np.where(shown[..., None], poses, np.nan), f"{name}_visible": shown}
        arrays[f"area_{name}"] = random.uniform(1e3, 2e4, shape)
    return {
        name: torch.as_tensor(array, dtype=None if array.dtype == bool else dtype) for name, array in arrays.items()
    }


def options(x: dict[str, Tensor], pair: bool, masked: bool, sigmas: Tensor) -> dict:
    visible = {name: x[name] for name in ("a_visible", "b_visible")} if masked else {}
    return {"area": (x["area_a"], x["area_b"]) if pair else x["area_b"], "sigmas": sigmas, **visible}


@pytest.mark.parametrize("pair", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_equals_reference(cuda, n: int, m: int, dtype: torch.dtype, masked: bool, pair: bool) -> None:
    x = inputs(n, m, 17, dtype)
    if not masked:
        x["a"], x["b"] = x["a"].nan_to_num(), x["b"].nan_to_num()
    expected = reference.oks_matrix(
        x["a"].numpy(), x["b"].numpy(), **options({k: v.numpy() for k, v in x.items()}, pair, masked, SIGMAS.numpy())
    )
    x = {name: cuda(tensor) for name, tensor in x.items()}
    result = oks_matrix(x["a"], x["b"], **options(x, pair, masked, cuda(SIGMAS)))
    assert result.dtype == dtype and result.device == x["a"].device
    np.testing.assert_allclose(result.cpu(), expected, **TOLERANCE[dtype])


@pytest.mark.parametrize("k", [0, 1, 32, 33, 133])  # 32 joints stand in shared memory at a time
def test_of_any_number_of_joints(cuda, k: int) -> None:
    x = inputs(5, 40, k, torch.float64, batch=(2, 3))
    sigmas = torch.full((k,), 0.1)
    with cuda.aside():
        expected = oks_matrix(x["a"], x["b"], **options(x, True, True, sigmas))
    x = {name: cuda(tensor) for name, tensor in x.items()}
    result = oks_matrix(x["a"], x["b"], **options(x, True, True, cuda(sigmas)))
    torch.testing.assert_close(result.cpu(), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("pair", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("n", "m", "k"), [(5, 40, 33), (700, 760, 3)])  # large matrices are cut into larger tiles
def test_of_many_joints_and_large_matrices(cuda, n: int, m: int, k: int, masked: bool, pair: bool) -> None:
    x, sigmas = inputs(n, m, k, torch.float32, batch=(2,)), torch.full((k,), 0.1)
    if not masked:
        x["a"], x["b"] = x["a"].nan_to_num(), x["b"].nan_to_num()
    with cuda.aside():
        expected = oks_matrix(x["a"], x["b"], **options(x, pair, masked, sigmas))
    x = {name: cuda(tensor) for name, tensor in x.items()}
    result = oks_matrix(x["a"], x["b"], **options(x, pair, masked, cuda(sigmas)))
    torch.testing.assert_close(result.cpu(), expected, **TOLERANCE[torch.float32])


@pytest.mark.parametrize("area", [0.0, -3.0, torch.nan])
def test_an_area_that_is_not_positive_asks_for_equality(cuda, area: float) -> None:
    a = inputs(4, 4, 17, torch.float32)["a"].nan_to_num()
    b = a.clone()
    b[1, 2, 0] += 1
    result = oks_matrix(cuda(a), cuda(b), area=cuda(torch.full((4,), area)), sigmas=cuda(SIGMAS))
    torch.testing.assert_close(result.cpu(), torch.diag(torch.tensor([1.0, 0, 1, 1])), rtol=0, atol=0)


@pytest.mark.parametrize("pair", [False, True])
@pytest.mark.parametrize(("n", "m"), [(0, 3), (1, 1), (13, 300)])  # 300 is over a block of rows
def test_gradients_equal_those_on_the_cpu(cuda, n: int, m: int, pair: bool) -> None:
    x = inputs(n, m, 17, torch.float64)
    weights = torch.rand(n, m, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def gradients(move) -> list[Tensor]:
        own = {name: move(tensor) for name, tensor in x.items()}
        poses = [own[name].clone().requires_grad_() for name in ("a", "b")]
        result = oks_matrix(*poses, **options(own, pair, True, move(SIGMAS)))
        return [grad.cpu() for grad in torch.autograd.grad((result * move(weights)).sum(), poses)]

    with cuda.aside():
        expected = gradients(lambda tensor: tensor)
    torch.testing.assert_close(gradients(cuda), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("order", ["reverse", "shuffled"])
def test_no_thread_depends_on_another_being_first(emulated_cuda, order: str) -> None:
    x = inputs(37, 67, 40, torch.float32)
    first = oks_matrix(x["a"], x["b"], **options(x, True, True, torch.full((40,), 0.1)))
    emulated_cuda.control.set_order(order, 1)
    second = oks_matrix(x["a"], x["b"], **options(x, True, True, torch.full((40,), 0.1)))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
