"""From boxes to joints in tubes, with networks whose outputs are known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ptfast.models import Hrnet, HrnetArchitecture, estimate_tubes
from ptfast.models.images import IMAGE_MEAN
from ptfast.skeletons import Skeleton

SIZE = (128, 96)
MAPS = (32, 24)
THREE = Skeleton("three", ("head", "left_hand", "right_hand"), (), ((1, 2),), (0.05,) * 3)
ONE = Skeleton("one", ("dot",), (), (), (0.05,))
ARCHITECTURE = SimpleNamespace(image_mean=IMAGE_MEAN)
BOXES = np.array([[100.0, 60, 160, 140], [30, 50, 130, 90]], np.float32)


def regions(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres (M, 2) and widths (M,) of what crops of 128x96 show: the box widened to that aspect, a quarter larger."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return (boxes[:, :2] + boxes[:, 2:]) / 2, 1.25 * np.maximum(sides[:, 0], 0.75 * sides[:, 1])


class Painter:
    """Gives the next of the heatmaps (M, K, T, H, W), whatever it sees."""

    architecture = ARCHITECTURE

    def __init__(self, heatmaps: Tensor) -> None:
        self.heatmaps, self.shapes = heatmaps, []

    def __call__(self, crops: Tensor) -> Tensor:
        self.shapes.append(tuple(crops.shape))
        now, self.heatmaps = self.heatmaps.split([len(crops), len(self.heatmaps) - len(crops)])
        return now


@pytest.mark.parametrize("batch", [1, 2, 16])
def test_painted_places_come_back(batch: int) -> None:
    rng = np.random.default_rng(0)
    m, t, k = 5, 3, 3
    boxes = np.concatenate([BOXES, BOXES[::-1] + 7.5, BOXES[:1] * 0.5])
    columns, rows = rng.integers(2, 22, (m, t, k)), rng.integers(2, 30, (m, t, k))
    heatmaps, heights = torch.zeros(m, k, t, *MAPS), rng.uniform(0.5, 1, (m, t, k)).astype(np.float32)
    for i, j, joint in np.ndindex(m, t, k):
        row, column = rows[i, j, joint], columns[i, j, joint]
        heatmaps[i, joint, j, row, column] = float(heights[i, j, joint])
        heatmaps[i, joint, j, row, column + 1] = 0.4  # a quarter to the right
        heatmaps[i, joint, j, row - 1, column] = 0.3  # and upwards
    painter: Any = Painter(heatmaps)
    keypoints, scores = estimate_tubes(
        painter, np.zeros((4, 200, 200, 3), np.uint8), boxes, np.ones((m, t), np.int64),
        size=SIZE, skeleton=THREE, flip=False, batch=batch,
    )  # fmt: skip
    assert painter.shapes == [(min(batch, m - i), 3, t, *SIZE) for i in range(0, m, batch)]
    centres, widths = regions(boxes)
    places = np.stack([columns + 0.25, rows - 0.25], -1) - (MAPS[1] / 2, MAPS[0] / 2)
    expected = centres[:, None, None] + places * (widths / MAPS[1])[:, None, None, None]
    assert keypoints.dtype == scores.dtype == np.float32
    np.testing.assert_allclose(keypoints, expected, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(scores, heights)


@pytest.mark.parametrize("size", [(64, 64), (64, 96), (96, 48)])
def test_regions_have_the_crops_aspect(size: tuple[int, int]) -> None:
    """Of these sizes each crop shows the box 60 wide and 80 high at 16 of its pixels for 25 of the image."""
    height, width = size[0] // 4, size[1] // 4
    heatmaps = torch.zeros(1, 1, 1, height, width)
    heatmaps[..., 3, 5] = 1
    painter: Any = Painter(heatmaps)
    keypoints, _ = estimate_tubes(
        painter, np.zeros((1, 200, 200, 3), np.uint8), BOXES[:1], np.zeros((1, 1), np.int64), size=size, skeleton=ONE,
        flip=False,
    )  # fmt: skip
    expected = (130 + 6.25 * (5 - width / 2), 100 + 6.25 * (3 - height / 2))
    np.testing.assert_allclose(keypoints[0, 0, 0], expected, atol=1e-4)


def test_the_networks_own_mean_is_subtracted() -> None:
    seen = []

    def network(crops: Tensor) -> Tensor:
        seen.append(crops)
        return every_fourth(crops)

    network.architecture = SimpleNamespace(image_mean=(0.2, 0.4, 0.6))  # type: ignore[attr-defined]
    frames = np.full((1, 200, 200, 3), (51, 102, 153), np.uint8)
    chosen: Any = network
    estimate_tubes(chosen, frames, BOXES[:1], np.zeros((1, 1), np.int64), size=SIZE, skeleton=ONE, flip=False)
    torch.testing.assert_close(seen[0], torch.zeros(1, 3, 1, *SIZE), rtol=0, atol=1e-5)


def every_fourth(crops: Tensor) -> Tensor:
    """A network that finds what is bright in red: heatmap pixel p stands for the crop's pixel 4 p."""
    return crops[:, :1, :, ::4, ::4]


every_fourth.architecture = ARCHITECTURE


@pytest.mark.parametrize("flip", [False, True])
def test_bright_dots_are_found_where_they_are(flip: bool) -> None:
    places = np.array([[120.3, 90.8], [131.7, 112.4], [100.2, 70.5]])  # within both boxes' regions
    y, x = np.mgrid[:200, :220]
    frames = np.stack([255 * np.exp(-((x - u) ** 2 + (y - v) ** 2) / 2 / 6**2) for u, v in places])
    frames = np.repeat(frames.astype(np.uint8)[..., None], 3, -1)
    index = np.array([[0, 2, 1, 0], [2, 2, 1, 0]])
    keypoints, scores = estimate_tubes(
        every_fourth, frames, BOXES, index, size=SIZE, skeleton=ONE, flip=flip
    )  # fmt: skip
    _, widths = regions(BOXES)
    away = np.abs(keypoints[:, :, 0] - places[index]).max((1, 2))
    # Half a heatmap pixel, less the quarter that is made up for; a mirrored crop is a quarter of a pixel off.
    assert (away <= (0.27 + 0.125 * flip) * widths / MAPS[1]).all()
    assert (scores > 1).all()


def symmetric(crops: Tensor) -> Tensor:
    """A network that says the same of mirrored crops, in heatmaps one column on: the sum of pixels 4 p - 1 and 4 p.

    The second joint is in the left half, the third in the right one; mirrored, they swap.
    """
    red = crops[:, :1, :, ::4]
    head = torch.zeros_like(red[..., ::4])
    head[..., 1:] = red[..., 4::4] + red[..., 3:-1:4]
    middle = head.shape[-1] // 2
    left, right = head.clone(), head.clone()
    left[..., middle:] = 0
    right[..., : middle + 1] = 0
    return torch.cat([head, left, right], 1)


symmetric.architecture = ARCHITECTURE


def test_averaging_a_symmetric_network_changes_nothing() -> None:
    frames = torch.randint(0, 256, (3, 200, 200, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    network: Any = symmetric
    index = np.broadcast_to(np.arange(3), (2, 3))
    plain = estimate_tubes(network, frames, BOXES, index, size=SIZE, skeleton=THREE, flip=False)
    mean = estimate_tubes(network, frames, BOXES, index, size=SIZE, skeleton=THREE)
    for a, b in zip(plain, mean, strict=True):
        np.testing.assert_array_equal(a, b)
    unpaired = Skeleton("unpaired", THREE.joints, (), (), THREE.sigmas)
    wrong = estimate_tubes(network, frames, BOXES, index, size=SIZE, skeleton=unpaired)
    assert np.abs(wrong[0] - plain[0]).max() > 1


@pytest.mark.parametrize(("m", "t"), [(0, 9), (0, 1), (1, 1), (3, 1), (2, 5)])
def test_counts(m: int, t: int) -> None:
    network = Hrnet(HrnetArchitecture(8, 3, "early", stem=4, stem_blocks=1, modules=(1,), blocks=1)).eval()
    frames = torch.randint(0, 256, (5, 60, 80, 3), dtype=torch.uint8)
    boxes, index = torch.rand(m, 4) * 20 + torch.tensor([0, 0, 30, 30]), torch.randint(0, 5, (m, t))
    options: dict[str, Any] = {"size": (64, 48), "skeleton": THREE}
    with torch.autocast("cpu", torch.bfloat16):
        keypoints, scores = estimate_tubes(network, frames, boxes, index, **options)
    assert keypoints.shape == (m, t, 3, 2) and scores.shape == (m, t, 3)
    assert keypoints.dtype == scores.dtype == torch.float32 and keypoints.isfinite().all()
    arrays = estimate_tubes(network, frames.numpy(), boxes.numpy(), index.numpy(), **options)
    assert all(isinstance(array, np.ndarray) for array in arrays)
    for array, tensor in zip(arrays, estimate_tubes(network, frames, boxes, index, **options), strict=True):
        np.testing.assert_array_equal(array, tensor.numpy())


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"frames": np.zeros((3, 20, 20, 3), np.float32)}, TypeError, "frames must have dtype uint8, got float32"),
        ({"boxes": BOXES[0]}, ValueError, r"boxes must have shape \(M, 4\), got \(4,\)"),
        (
            {"frame_index": np.zeros((3, 2), np.int64)},
            ValueError,
            r"frame_index must have shape \(M, T\) with M = 2, got \(3, 2\)",
        ),
        (
            {"frame_index": np.full((2, 2), 3)},
            ValueError,
            r"frame_index must be at least 0 and below 3.*got 3 at \(0, 0\)",
        ),
        ({"size": (0, 96)}, ValueError, r"size\[0\] must be between 1 and"),
        ({"batch": 0}, ValueError, "batch must be between 1 and"),
        (
            {"skeleton": THREE},
            ValueError,
            r"heatmaps must have shape \(M, T, K, h, w\) with M = 2, T = 2, K = 3, got \(2, 2, 1, 32, 24\)",
        ),
    ],
)
def test_errors(change: dict[str, Any], error: type[Exception], message: str) -> None:
    given: dict[str, Any] = {
        "frames": np.zeros((3, 20, 20, 3), np.uint8),
        "boxes": BOXES,
        "frame_index": np.zeros((2, 2), np.int64),
        "size": SIZE,
        "skeleton": ONE,
    } | change
    with pytest.raises(error, match=message):
        estimate_tubes(every_fourth, **given)
