"""IoU between all boxes of two sets, and the mean IoU between tubes, against broadcasting and other libraries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from peers import peer

from ptfast.ops import iou_matrix, tube_iou_matrix

SHAPES = {"20x20": (1, 20), "1000x1000": (1, 1000), "1000 frames of 20x20": (1000, 20)}
threads = pytest.mark.parametrize("threads", [1, 2], indirect=True)
FLOPS = 12  # a pair of boxes: 4 of minimum and maximum, 2 differences, 2 clamps, the area, union's 2, the quotient


def boxes(*shape: int, seed: int = 0) -> np.ndarray:
    """(*shape, 4) float32 in pixels of a HD frame."""
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 1, (*shape, 2)) * (1800, 900)
    return np.concatenate([corner, corner + rng.uniform(20, 120, (*shape, 2)) * (1, 2)], -1).astype(np.float32)


def with_ptfast(a: np.ndarray, b: np.ndarray) -> Callable:
    return lambda: iou_matrix(a, b)


def with_numpy(a: np.ndarray, b: np.ndarray) -> Callable:
    def broadcasting() -> np.ndarray:
        corner = np.minimum(a[:, :, None, 2:], b[:, None, :, 2:]) - np.maximum(a[:, :, None, :2], b[:, None, :, :2])
        common = corner.clip(0).prod(-1)
        areas = [(x[..., 2] - x[..., 0]) * (x[..., 3] - x[..., 1]) for x in (a, b)]
        return common / (areas[0][:, :, None] + areas[1][:, None] - common)

    return broadcasting


def with_torch(a: np.ndarray, b: np.ndarray) -> Callable:
    one, two = torch.as_tensor(a), torch.as_tensor(b)

    def broadcasting() -> torch.Tensor:
        low = torch.maximum(one[:, :, None, :2], two[:, None, :, :2])
        common = (torch.minimum(one[:, :, None, 2:], two[:, None, :, 2:]) - low).clamp(min=0).prod(-1)
        areas = [(x[..., 2] - x[..., 0]) * (x[..., 3] - x[..., 1]) for x in (one, two)]
        return common / (areas[0][:, :, None] + areas[1][:, None] - common)

    return broadcasting


def with_torchvision(a: np.ndarray, b: np.ndarray) -> Callable:
    box_iou = peer("torchvision.ops").box_iou
    frames = [(torch.as_tensor(one), torch.as_tensor(two)) for one, two in zip(a, b, strict=True)]
    return lambda: torch.stack([box_iou(one, two) for one, two in frames])


def with_pycocotools(a: np.ndarray, b: np.ndarray) -> Callable:
    return coco_iou("pycocotools.mask", a, b)


def with_faster_coco_eval(a: np.ndarray, b: np.ndarray) -> Callable:
    return coco_iou("faster_coco_eval.core.mask", a, b)


def coco_iou(module: str, a: np.ndarray, b: np.ndarray) -> Callable:
    iou = peer(module).iou
    sizes = [np.concatenate([x[..., :2], x[..., 2:] - x[..., :2]], -1, dtype=np.float64) for x in (a, b)]
    frames, crowd = list(zip(*sizes, strict=True)), [0] * b.shape[1]
    return lambda: np.stack([iou(one, two, crowd) for one, two in frames])


@threads
@pytest.mark.parametrize("size", SHAPES)
@pytest.mark.parametrize(
    "library", [with_ptfast, with_torch, with_numpy, with_torchvision, with_faster_coco_eval, with_pycocotools]
)
def test_iou(benchmark: Any, library: Callable, size: str, threads: int, roofline: Callable[..., None]) -> None:
    a, b = boxes(*SHAPES[size]), boxes(*SHAPES[size], seed=1)
    call, expected = library(a, b), iou_matrix(a, b)
    np.testing.assert_allclose(np.asarray(call()), expected, atol=1e-5)
    benchmark.group = f"IoU {size}, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = library.__name__.removeprefix("with_")
    benchmark(call)
    if library is with_ptfast:
        roofline(a.nbytes + b.nbytes + expected.nbytes, FLOPS * expected.size)


@threads
@pytest.mark.parametrize("library", ["ptfast", "torch"])
def test_tube_iou(benchmark: Any, library: str, threads: int, roofline: Callable[..., None]) -> None:
    """No library has an overlap of tubes: torch's broadcasting, the mean over the frames."""
    a, b = boxes(500, 8), boxes(500, 8, seed=1)
    frames = with_torch(a.swapaxes(0, 1), b.swapaxes(0, 1))
    call = {"ptfast": lambda: tube_iou_matrix(a, b), "torch": lambda: frames().mean(0)}[library]
    expected = tube_iou_matrix(a, b)
    np.testing.assert_allclose(np.asarray(call()), expected, atol=1e-6)
    benchmark.group = f"tube IoU 500x500, 8 frames, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = library
    benchmark(call)
    if library == "ptfast":
        roofline(a.nbytes + b.nbytes + expected.nbytes, (FLOPS + 1) * expected.size * a.shape[1])  # 1: the mean's sum
