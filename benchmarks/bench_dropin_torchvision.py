"""torchvision's functions in ptfast.dropin, against torchvision: small calls, which go there, and larger ones."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from peers import peer
from torch import Tensor

from ptfast.dropin import torchvision as dropin

STRIDE, RATIO = 8, 2
# Channels, side of the map, boxes, bins; how many times torchvision's speed we mean to reach, at least. The first two
# go to torchvision, whose work takes less time than asking who does it.
ROI_ALIGN = {
    "16 channels of 16x16, 1 box, 7x7": (16, 16, 1, 7, 0.4),
    "256 channels of 100x100, 1 box, 7x7": (256, 100, 1, 7, 0.7),
    "256 channels of 16x16, 5 boxes, 7x7": (256, 16, 5, 7, 1.5),
    "256 channels of 50x50, 100 boxes, 14x14": (256, 50, 100, 14, 5),
    "256 channels of 64x64, 1000 boxes, 7x7": (256, 64, 1000, 7, 5),
}
NMS = {10: 1, 100: 1, 1000: 5, 5000: 5}
CLASSES = {"10 boxes of 3 classes": (10, 3, 1), "1000 boxes of 10 classes": (1000, 10, 3),
           "5000 boxes of 80 classes": (5000, 80, 2)}  # fmt: skip
IOU = {10: 1.5, 100: 3, 1000: 8}
LEVELS = {"5 boxes": (5, 0.7), "1000 boxes": (1000, 4)}
LARGE = ("100 boxes, 14x14", "1000 boxes", "1000 boxes, 7x7", "5000 boxes of 80 classes", "1000", "5000")


def on_threads(name: str, cases: Any) -> pytest.MarkDecorator:
    """Every case on one thread, those with work for two on two as well."""
    runs = [(case, count) for case in cases for count in (1, 2) if count == 1 or str(case).endswith(LARGE)]
    return pytest.mark.parametrize((name, "threads"), runs, indirect=["threads"])


@pytest.fixture
def torchvision() -> ModuleType:
    return peer("torchvision.ops")


@pytest.fixture
def compare(
    benchmark: Any, threads: int, median_seconds: Callable[..., float], held_against: Callable[..., None]
) -> Callable:
    """compare(group, ours, theirs, at_least, **tolerance) holds the results against each other, then the times."""

    def run(
        group: str, ours: Callable[[], Tensor], theirs: Callable[[], Tensor], at_least: float, **tolerance: float
    ) -> None:
        torch.testing.assert_close(ours(), theirs(), **(tolerance or {"rtol": 0, "atol": 0}))
        benchmark.group = f"torchvision's {group}, {threads} thread{'s' * (threads > 1)}"
        benchmark(ours)
        once = median_seconds(theirs, 1)
        held_against(median_seconds(theirs, 3 if once > 0.1 else 7), at_least, peer="torchvision")

    return run


def corners(count: int, width: float, smallest: float, largest: float) -> Tensor:
    """(count, 4) boxes with sides of so many pixels, in an image of that width and height."""
    generator = torch.Generator().manual_seed(count)
    side = smallest + (largest - smallest) * torch.rand(count, 2, generator=generator)
    corner = (width - side) * torch.rand(count, 2, generator=generator)
    return torch.cat([corner, corner + side], 1)


@on_threads("case", ROI_ALIGN)
def test_roi_align(threads: int, torchvision: ModuleType, compare: Callable, case: str) -> None:
    channels, side, count, bins, at_least = ROI_ALIGN[case]
    features = torch.randn(1, channels, side, side, generator=torch.Generator().manual_seed(0))
    width = side * STRIDE
    arguments = features, [corners(count, width, width / 10, width / 2)], bins, 1 / STRIDE, RATIO
    compare(f"roi_align, {case}", *_calls("roi_align", torchvision, arguments), at_least, rtol=1e-4, atol=1e-4)


@on_threads("case", LEVELS)
def test_multi_scale_roi_align(threads: int, torchvision: ModuleType, compare: Callable, case: str) -> None:
    count, at_least = LEVELS[case]
    generator = torch.Generator().manual_seed(0)
    maps = {str(i): torch.randn(1, 256, 128 >> i, 128 >> i, generator=generator) for i in range(4)}
    arguments = maps, [corners(count, 512, 16, 400)], [(512, 512)]
    ours, theirs = (library.MultiScaleRoIAlign(list(maps), 7, RATIO) for library in (dropin, torchvision))
    group = f"MultiScaleRoIAlign of {case}"
    compare(group, lambda: ours(*arguments), lambda: theirs(*arguments), at_least, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
def test_gradient(threads: int, torchvision: ModuleType, compare: Callable) -> None:
    features = torch.randn(1, 256, 64, 64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    arguments = features, [corners(100, 512, 50, 250)], 7, 1 / STRIDE, RATIO
    pooled = [library.roi_align(*arguments) for library in (dropin, torchvision)]
    incoming = torch.ones_like(pooled[0])
    ours, theirs = (lambda x=x: torch.autograd.grad(x, features, incoming, retain_graph=True)[0] for x in pooled)
    compare("roi_align's gradient, 100 boxes", ours, theirs, 5, rtol=1e-4, atol=1e-4)


@on_threads("count", NMS)
def test_nms(threads: int, torchvision: ModuleType, compare: Callable, count: int) -> None:
    scores = torch.rand(count, generator=torch.Generator().manual_seed(1))
    arguments = corners(count, 8 * count**0.5 + 100, 30, 100), scores, 0.5
    compare(f"nms of {count} boxes", *_calls("nms", torchvision, arguments), NMS[count])


@on_threads("case", CLASSES)
def test_batched_nms(threads: int, torchvision: ModuleType, compare: Callable, case: str) -> None:
    count, classes, at_least = CLASSES[case]
    generator = torch.Generator().manual_seed(1)
    scores, idxs = torch.rand(count, generator=generator), torch.randint(0, classes, (count,), generator=generator)
    calls = _calls("batched_nms", torchvision, (corners(count, 500, 30, 100), scores, idxs, 0.5))
    compare(f"batched_nms of {case}", *calls, at_least)


@on_threads("count", IOU)
def test_box_iou(threads: int, torchvision: ModuleType, compare: Callable, count: int) -> None:
    boxes = corners(count, 500, 30, 100)
    group = f"box_iou of {count} x {count} boxes"
    compare(group, *_calls("box_iou", torchvision, (boxes, boxes + 5)), IOU[count])


def _calls(name: str, torchvision: ModuleType, arguments: tuple[Any, ...]) -> list[Callable[[], Tensor]]:
    ours, theirs = getattr(dropin, name), getattr(torchvision, name)
    return [lambda: ours(*arguments), lambda: theirs(*arguments)]
