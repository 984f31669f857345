"""pyramid_tube_roi_align: the level that a tube is pooled from, and its gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from ptfast.ops import pyramid_tube_roi_align, tube_roi_align
from ptfast.ops.roi_align import _levels

SCALES = (1 / 4, 1 / 8, 1 / 16)


def maps(*shape: int, dtype: Any = np.float32, channels_last: bool = False) -> np.ndarray:
    """Features (B, C, T, H, W), laid out in memory either way."""
    features = np.random.default_rng(shape).standard_normal(shape).astype(dtype)
    if not channels_last:
        return features
    return np.ascontiguousarray(features.transpose(0, 2, 3, 4, 1)).transpose(0, 4, 1, 2, 3)


def indices(count: int, batch: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, batch, count)


def pyramid(dtype: Any = np.float32) -> list[np.ndarray]:
    return [maps(2, 5, 2, 64 // 2**i, 48 // 2**i, dtype=dtype, channels_last=i == 1) for i in range(3)]


def people(count: int, frames: int = 2, dtype: Any = np.float32) -> np.ndarray:
    """Tubes of sizes from 10 to 900 pixels."""
    random = np.random.default_rng(count)
    corner, side = random.uniform(0, 150, (count, frames, 2)), 10 ** random.uniform(1, 2.95, (count, frames, 1))
    return np.concatenate([corner, corner + side], -1).astype(dtype)


@pytest.mark.parametrize("convert", [np.asarray, torch.as_tensor])
def test_a_pyramid_pools_each_tube_from_its_level(convert: Any) -> None:
    features, tubes, index = pyramid(), people(30), indices(30, 2)
    level = _levels(tubes, tubes, list(SCALES), 224, 4)
    assert set(level) == {0, 1, 2}
    result = np.asarray(pyramid_tube_roi_align(
        [convert(x) for x in features], convert(tubes), convert(index), output_size=5, spatial_scales=SCALES
    ))  # fmt: skip
    for i in range(3):
        chosen = level == i
        alone = tube_roi_align(features[i], tubes[chosen], index[chosen], output_size=5, spatial_scale=SCALES[i])
        np.testing.assert_array_equal(result[chosen], alone)


def test_a_pyramid_of_tensors_takes_arrays_beside_them() -> None:
    features, tubes, index = pyramid(), people(5), indices(5, 2)
    options = {"output_size": 2, "spatial_scales": SCALES}
    mixed = pyramid_tube_roi_align([torch.as_tensor(x) for x in features], tubes, index, **options)
    np.testing.assert_array_equal(mixed.numpy(), pyramid_tube_roi_align(features, tubes, index, **options))


def test_a_level_follows_from_the_mean_area() -> None:
    sides = np.array(
        [[224, 224], [112, 112], [111.9, 112], [448, 448], [5, 5], [9999, 9999], [0, 0], [100, 300], [np.nan, 1]]
    )
    tubes = np.zeros((len(sides), 2, 4), np.float32)
    tubes[..., 2] = tubes[..., 3] = sides
    for convert in (np.asarray, torch.as_tensor):
        level = _levels(convert(tubes), convert(tubes), [1 / 4, 1 / 8, 1 / 16, 1 / 32], 224, 4)
        assert level.tolist() == [2, 1, 0, 3, 0, 3, 0, 1, 0]


def test_a_pyramid_has_gradients() -> None:
    features = [torch.as_tensor(x[:, :2, :, :8, :8].copy()).requires_grad_() for x in pyramid(np.float64)]
    tubes, index = torch.as_tensor(people(7, dtype=np.float64)), torch.as_tensor(indices(7, 2))
    options = {"output_size": 2, "spatial_scales": SCALES}
    assert torch.autograd.gradcheck(lambda *x: pyramid_tube_roi_align(x, tubes, index, **options), features)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": []}, "features must have 1 to 8 levels, got 0"),
        ({"spatial_scales": SCALES[:2]}, "spatial_scales must have one number a level, 3, got 2"),
        ({"spatial_scales": (1, 0, 1)}, r"spatial_scales\[1\] must be at least 1e-09, got 0"),
        ({"spatial_scales": (1, 0.5, 0.3)}, r"spatial_scales\[2\] must be half of spatial_scales\[1\], 0.25, got 0.3"),
        (
            {"features": [maps(1, 5, 2, 4, 4), maps(1, 6, 2, 4, 4), maps(1, 5, 2, 4, 4)]},
            r"features\[1\] must have shape \(1, 5, 2, H, W\), got \(1, 6, 2, 4, 4\)",
        ),
    ],
)
def test_bad_pyramids_are_named(change: dict, message: str) -> None:
    arguments = {"features": pyramid(), "tubes": people(3), "batch_index": np.zeros(3, int), "output_size": 3}
    with pytest.raises(ValueError, match=message):
        pyramid_tube_roi_align(**(arguments | {"spatial_scales": SCALES} | change))


def test_a_pyramid_equals_torchvision() -> None:
    ops = pytest.importorskip("torchvision.ops", exc_type=(ImportError, RuntimeError, OSError))
    features, tubes = [x[:, :, :1] for x in pyramid()], people(40, 1)
    index = np.sort(indices(40, 2))
    result = pyramid_tube_roi_align(features, tubes, index, output_size=7, spatial_scales=SCALES)
    pooler = ops.MultiScaleRoIAlign(["a", "b", "c"], 7, 2)
    named = {name: torch.as_tensor(x[:, :, 0].copy()) for name, x in zip("abc", features, strict=True)}
    expected = pooler(named, [torch.as_tensor(tubes[index == b, 0]) for b in (0, 1)], [(256, 192)] * 2)
    np.testing.assert_allclose(result[:, :, 0], expected.numpy(), rtol=1e-6, atol=4e-6)


def test_a_pyramid_compiles_with_its_gradients() -> None:
    def pooled(tubes: torch.Tensor, index: torch.Tensor, *levels: torch.Tensor) -> torch.Tensor:
        return pyramid_tube_roi_align(levels, tubes, index, output_size=2, spatial_scales=SCALES).square().sum()

    compiled = torch.compile(pooled, fullgraph=True, dynamic=True, backend="aot_eager")
    features = [torch.as_tensor(x).requires_grad_() for x in pyramid()]
    inputs = torch.as_tensor(people(7)), torch.as_tensor(indices(7, 2)), *features
    grads = [torch.autograd.grad(f(*inputs), features) for f in (compiled, pooled)]
    torch.testing.assert_close(*grads, rtol=0, atol=0)
