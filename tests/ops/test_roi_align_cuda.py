"""tube_roi_align's CUDA kernels, beside the CPU's path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ptfast.ops import pyramid_tube_roi_align, tube_roi_align

SCALE = 0.25
OPTIONS = {"output_size": (3, 4), "spatial_scale": SCALE}
BOXES = [
    [8, 12, 40, 52], [-30, -9, 20, 31], [50, 60, 90, 120], [300, 300, 400, 400], [20, 20, 20, 20], [40, 44, 8, 12],
    [10.1, 10.2, 10.9, 12], [-900, -800, 1200, 999], [-4, -4, 84, 68], [np.nan, 4, 8, 9], [0, 0, np.inf, 8],
]  # fmt: skip
# Both sides add the same terms, in another order and with other fused operations; halves are rounded once after that.
TOLERANCE = {torch.float32: 2e-6, torch.float64: 1e-14, torch.float16: 2**-10, torch.bfloat16: 2**-7}


def inputs(
    channels: int, count: int, dtype: torch.dtype = torch.float32, channels_last: bool = True
) -> tuple[Tensor, ...]:
    random = np.random.default_rng([channels, count])
    real = torch.float64 if dtype == torch.float64 else torch.float32
    features = torch.as_tensor(random.standard_normal((2, channels, 3, 15, 19))).to(dtype)
    tubes = torch.as_tensor(np.asarray(BOXES)[random.integers(0, len(BOXES), (count, 3))]).to(real)
    layout = torch.channels_last_3d if channels_last else torch.contiguous_format
    return features.contiguous(memory_format=layout), tubes, torch.as_tensor(random.integers(0, 2, count))


def both(cuda: Any, function: Any, *tensors: Tensor) -> tuple[Tensor, Tensor]:
    """The function's result on the CUDA path and on the CPU's, on the host."""
    with cuda.aside():
        expected = function(*tensors)
    return function(*map(cuda, tensors)).cpu(), expected


def check(result: Tensor, expected: Tensor) -> None:
    tolerance = TOLERANCE[expected.dtype]
    assert result.dtype == expected.dtype and result.stride() == expected.stride()
    torch.testing.assert_close(result, expected, rtol=tolerance, atol=4 * tolerance)


# 16 channels are read in packs, 40 too but end amid a slab of 32, 7 one at a time.
@pytest.mark.parametrize("channels", [7, 16, 40])
@pytest.mark.parametrize("dtype", list(TOLERANCE), ids=str)
@pytest.mark.parametrize("memory_format", ["channels_last", "contiguous"])
@pytest.mark.parametrize("channels_last", [True, False])
def test_equals_the_cpu(cuda, channels_last: bool, memory_format: str, dtype: torch.dtype, channels: int) -> None:
    options = {**OPTIONS, "memory_format": memory_format}
    x = inputs(channels, 11, dtype, channels_last)
    check(*both(cuda, lambda *x: tube_roi_align(*x, **options), *x))


@pytest.mark.parametrize("memory_format", ["channels_last", "contiguous"])
@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("sampling_ratio", [0, 1, 3, 50])
def test_options(cuda, sampling_ratio: int, aligned: bool, memory_format: str) -> None:
    options = {**OPTIONS, "sampling_ratio": sampling_ratio, "aligned": aligned, "memory_format": memory_format}
    check(*both(cuda, lambda *x: tube_roi_align(*x, **options), *inputs(8, 20)))


@pytest.mark.parametrize("memory_format", ["channels_last", "contiguous"])
@pytest.mark.parametrize("size", [1, 14, 40])  # 40 x 40 bins are too many to be turned in shared memory
def test_any_number_of_bins(cuda, size: int, memory_format: str) -> None:
    options = {"output_size": size, "spatial_scale": SCALE, "memory_format": memory_format}
    check(*both(cuda, lambda *x: tube_roi_align(*x, **options), *inputs(8, 3)))


def test_a_wrong_batch_index_gives_zeros(cuda) -> None:
    features, tubes, index = inputs(8, 6)
    tubes[:] = torch.tensor([8.0, 12, 40, 52])
    index[1], index[4] = -1, 2
    result = tube_roi_align(cuda(features), cuda(tubes), cuda(index), **OPTIONS).cpu()
    assert [bool(tube.any()) for tube in result] == [True, False, True, True, False, True]


def test_takes_features_of_any_strides(cuda) -> None:
    features, tubes, index = inputs(16, 9)
    strided = torch.zeros(2, 3, 2, 19, 15, 8).permute(0, 5, 1, 4, 3, 2)[..., 0].copy_(features[:, ::2])
    check(*both(cuda, lambda *x: tube_roi_align(*x, **OPTIONS), strided, tubes, index))


# 33 channels end amid a warp's lanes; the map's 15 x 19 pixels amid a patch of 4 x 16.
@pytest.mark.parametrize("channels", [3, 33])
@pytest.mark.parametrize("dtype", list(TOLERANCE), ids=str)
@pytest.mark.parametrize("memory_format", ["channels_last", "contiguous"])
@pytest.mark.parametrize("channels_last", [True, False])
def test_gradients_equal_those_on_the_cpu(
    cuda, channels_last: bool, memory_format: str, dtype: torch.dtype, channels: int
) -> None:
    def gradient(features: Tensor, *others: Tensor) -> Tensor:
        features = features.detach().requires_grad_()
        result = tube_roi_align(features, *others, **OPTIONS, memory_format=memory_format)
        return torch.autograd.grad(result, features, result.detach())[0]

    result, expected = both(cuda, gradient, *inputs(channels, 40, dtype, channels_last))
    assert result.stride() == expected.stride()
    tolerance = TOLERANCE[dtype]  # what comes in may differ by a rounding already
    torch.testing.assert_close(result, expected, rtol=2 * tolerance, atol=8 * tolerance)


@pytest.mark.parametrize("sampling_ratio", [0, 2])
def test_gradients_of_a_pyramid(cuda, sampling_ratio: int) -> None:
    features, _, index = inputs(8, 40)
    random = np.random.default_rng(0)
    corner, side = random.uniform(0, 60, (40, 3, 2)), 10 ** random.uniform(1, 2.5, (40, 3, 1))
    tubes = torch.as_tensor(np.concatenate([corner, corner + side], -1), dtype=torch.float32)
    levels = [features, features[..., ::2, ::2], features[..., ::4, ::4].contiguous()]
    scales = (SCALE, SCALE / 2, SCALE / 4)

    def gradients(tubes: Tensor, index: Tensor, *levels: Tensor) -> Tensor:
        maps = [x.detach().requires_grad_() for x in levels]
        result = pyramid_tube_roi_align(
            maps, tubes, index, output_size=5, spatial_scales=scales, sampling_ratio=sampling_ratio, canonical_level=3
        )
        return torch.cat([x.flatten() for x in torch.autograd.grad(result.square().sum(), maps)])

    result, expected = both(cuda, gradients, tubes, index, *levels)
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-4)


def test_gradients_of_many_bins_take_more_memory(cuda) -> None:
    features, tubes, index = inputs(2, 2, torch.float64)

    def gradient(features: Tensor) -> Tensor:
        features = features.detach().requires_grad_()
        result = tube_roi_align(
            features, cuda(tubes), cuda(index), output_size=300, spatial_scale=SCALE, sampling_ratio=1
        )
        return torch.autograd.grad(result.sum(), features)[0]

    result = gradient(cuda(features)).cpu()
    with cuda.aside():
        shape = tube_roi_align(features, tubes, index, output_size=300, spatial_scale=SCALE, sampling_ratio=1).sum()
    assert abs(float((result * features).sum() - shape)) < 1e-8 * 90000  # the operation is linear in the features


@pytest.mark.parametrize("order", ["reverse", "shuffled"])
@pytest.mark.parametrize("memory_format", ["channels_last", "contiguous"])
def test_no_thread_depends_on_another_being_first(emulated_cuda, memory_format: str, order: str) -> None:
    features, tubes, index = inputs(40, 11)
    features.requires_grad_()
    results = []
    for way in ("forward", order):
        emulated_cuda.control.set_order(way, 1)
        pooled = tube_roi_align(features, tubes, index, **OPTIONS, memory_format=memory_format)
        results.append((pooled, torch.autograd.grad(pooled.sum(), features)[0]))
    torch.testing.assert_close(*results, rtol=0, atol=0)
