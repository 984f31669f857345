"""The heatmaps' CUDA kernels, beside the CPU's path and the reference."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ptfast.ops import flip_average, heatmap_peaks, heatmap_to_image
from ptfast.reference import heatmap as reference
from ptfast.skeletons import COCO_17

REFINEMENTS = ["none", "quarter", "taylor"]
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
# 700 pixels leave lanes without a load, 1517 are aligned in every fourth map alone, 4608 are several rounds of loads.
SHAPES = [(0, 5, 7), (1, 1), (5, 1, 9), (2, 3, 35, 20), (5, 37, 41), (2, 96, 48)]


def bumps(*shape: int, dtype: torch.dtype, noise: float = 0.01, seed: int = 0) -> Tensor:
    """Heatmaps as a network makes them: a bump a map, in places outside it, and noise."""
    random = np.random.default_rng([seed, *shape])
    *maps, height, width = shape
    x, y = (random.uniform(-1, size, (*maps, 1, 1)) for size in (width, height))
    rows, columns = np.mgrid[:height, :width]
    bump = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8) * random.uniform(0.1, 1, (*maps, 1, 1))
    return torch.from_numpy(bump + random.normal(0, noise, shape)).to(dtype)


def check(cuda, maps: Tensor, tolerance: float, **options: object) -> None:
    coordinates, scores = heatmap_peaks(cuda(maps), **options)
    wide = maps.double().numpy()
    expected, expected_scores = reference.heatmap_peaks(wide, **options)
    assert coordinates.dtype == scores.dtype == (torch.float64 if maps.dtype == torch.float64 else torch.float32)
    np.testing.assert_array_equal(scores.cpu(), expected_scores)
    # The way that a nearly singular Hessian sends a peak is as uncertain as it is far.
    way = np.abs(expected - reference.heatmap_peaks(wide)[0]).max(initial=1)
    np.testing.assert_allclose(coordinates.cpu(), expected, rtol=0, atol=tolerance * way)


@pytest.mark.parametrize("refine", REFINEMENTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_equals_reference(cuda, shape: tuple[int, ...], dtype: torch.dtype, refine: str) -> None:
    check(cuda, bumps(*shape, dtype=dtype), 1e-10 if dtype == torch.float64 else 8e-6, refine=refine)


@pytest.mark.parametrize("refine", REFINEMENTS)
def test_many_maps_are_read_by_a_warp_each(cuda, refine: str) -> None:
    check(cuda, bumps(2049, 6, 7, dtype=torch.float32), 4e-6, refine=refine)


@pytest.mark.parametrize("blur_kernel", [3, 11, 31])
@pytest.mark.parametrize("noise", [0, 1])
def test_taylor_is_darks_where_the_scale_counts(cuda, noise: float, blur_kernel: int) -> None:
    maps = bumps(4, 20, 133, dtype=torch.float64, noise=noise)  # wider than a tile of the blurred map
    maps[0] = -3
    maps[0, 10, 100] = 1  # the blurred map is negative everywhere
    check(cuda, maps, 1e-10, refine="taylor", blur_kernel=blur_kernel)


@pytest.mark.parametrize("refine", REFINEMENTS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
@pytest.mark.parametrize("value", [1.0, -0.0, -1.0, torch.inf, -torch.inf])
def test_ties_nan_and_infinity_are_as_on_the_cpu(cuda, value: float, dtype: torch.dtype, refine: str) -> None:
    maps = torch.full((4, 30, 37), -torch.inf, dtype=dtype)
    maps[0, 20, 20], maps[0, 20, 21], maps[0, 3, 9] = value, value, value
    maps[1] = torch.nan
    maps[1, 29, 36] = value
    maps[2] = torch.nan
    maps[3, 10:, ::3] = 0.0
    maps[3, 20, 30] = value
    with cuda.aside():
        expected = heatmap_peaks(maps, refine=refine)
    result = [x.cpu() for x in heatmap_peaks(cuda(maps), refine=refine)]
    torch.testing.assert_close(tuple(result), expected, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("shift", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(0, 17, 5, 7), (17, 1, 1), (2, 17, 9, 3), (17, 9, 31), (2, 17, 8, 48)])
def test_flip_average_equals_the_cpus_and_decodes_alike(cuda, shape: tuple[int, ...], dtype, shift: bool) -> None:
    maps, flipped = (bumps(*shape, dtype=dtype, noise=0.3, seed=seed) for seed in (0, 1))
    with cuda.aside():
        expected = flip_average(maps, flipped, COCO_17.flip_pairs, shift)
    maps, flipped = cuda(maps), cuda(flipped)
    average = flip_average(maps, flipped, COCO_17.flip_pairs, shift)
    torch.testing.assert_close(average.cpu(), expected, rtol=0, atol=0)
    for refine in REFINEMENTS:
        fused = heatmap_peaks(maps, refine=refine, flipped=flipped, flip_pairs=COCO_17.flip_pairs, shift=shift)
        torch.testing.assert_close(fused, heatmap_peaks(average, refine=refine), rtol=0, atol=0)


def test_views_off_the_alignment_are_read_as_copies(cuda) -> None:
    flat = cuda(bumps(1 + 6 * 35 * 20, 1, dtype=torch.float32).flatten())
    view = flat[1:].view(6, 35, 20)
    torch.testing.assert_close(heatmap_peaks(view), heatmap_peaks(view.clone()), rtol=0, atol=0)


@pytest.mark.parametrize("convention", ["hrnet", "roi"])
def test_heatmap_to_image_equals_the_cpus(cuda, convention: str) -> None:
    coordinates, boxes = torch.rand(5, 17, 2) * 60, torch.rand(5, 4) * 100
    options = {"heatmap_size": (64, 48), "convention": convention}
    with cuda.aside():
        expected = heatmap_to_image(coordinates, boxes, **options)
    torch.testing.assert_close(heatmap_to_image(cuda(coordinates), cuda(boxes), **options).cpu(), expected)


@pytest.mark.parametrize("order", ["reverse", "shuffled"])
@pytest.mark.parametrize("shape", [(7, 33, 29), (2050, 6, 6)])
def test_no_thread_depends_on_another_being_first(emulated_cuda, shape: tuple[int, ...], order: str) -> None:
    maps, flipped = (bumps(*shape, dtype=torch.float32, noise=1, seed=seed) for seed in (0, 1))
    options = {"refine": "taylor", "blur_kernel": 3}
    if shape[0] == 7:
        options |= {"flipped": flipped, "flip_pairs": [(0, 1), (2, 3)]}
    first = heatmap_peaks(maps, **options)
    emulated_cuda.control.set_order(order, 1)
    torch.testing.assert_close(heatmap_peaks(maps, **options), first, rtol=0, atol=0)


@pytest.mark.cuda
@pytest.mark.parametrize("refine", REFINEMENTS)
def test_survives_capture_in_a_graph(refine: str) -> None:
    maps, flipped = (bumps(4, 17, 64, 48, dtype=torch.float32, seed=seed).cuda() for seed in (0, 1))
    options = {"refine": refine, "flipped": flipped, "flip_pairs": COCO_17.flip_pairs}
    heatmap_peaks(maps, **options)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = heatmap_peaks(maps, **options)
        average = flip_average(maps, flipped, COCO_17.flip_pairs)
    maps.copy_(bumps(4, 17, 64, 48, dtype=torch.float32, seed=2))
    graph.replay()
    torch.testing.assert_close(result, heatmap_peaks(maps, **options), rtol=0, atol=0)
    torch.testing.assert_close(average, flip_average(maps, flipped, COCO_17.flip_pairs), rtol=0, atol=0)
