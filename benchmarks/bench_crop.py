"""Normalised crops of people from 1080p frames, against OpenCV's warpAffine with NumPy and torch's grid_sample.

The boxes of crops, which the data sets of HRNet and others make one by one, are held against NumPy person by person.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch.nn.functional import grid_sample

from ptfast.ops import box_to_crop, crop_tubes

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZES = {"256x192": (256, 192), "384x288": (384, 288)}
CROPS, FRAMES, HEIGHT, WIDTH = 64, 8, 1080, 1920


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames of noise, the boxes (CROPS, 1, 4) around people of 100 to 600 pixels in them, and their frames."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (FRAMES, HEIGHT, WIDTH, 3), dtype=np.uint8)
    height = rng.uniform(100, 600, (CROPS, 1))
    half = np.stack([height * rng.uniform(0.15, 0.3, (CROPS, 1)), height / 2], -1)
    centre = half + rng.uniform(0, 1, (CROPS, 1, 2)) * ((WIDTH, HEIGHT) - 2 * half)
    boxes = np.concatenate([centre - half, centre + half], -1).astype(np.float32)
    return frames, box_to_crop(boxes, aspect=192 / 256), np.sort(rng.integers(0, FRAMES, (CROPS, 1)), axis=0)


def with_ptfast(frames: np.ndarray, tubes: np.ndarray, index: np.ndarray, size: tuple[int, int]) -> Callable:
    return lambda: crop_tubes(frames, tubes, index, size=size, mean=MEAN, std=STD)


def with_opencv(frames: np.ndarray, tubes: np.ndarray, index: np.ndarray, size: tuple[int, int]) -> Callable:
    cv2.setNumThreads(torch.get_num_threads())
    mean, std, (height, width) = np.float32(MEAN), np.float32(STD), size

    def warping() -> np.ndarray:
        out = np.empty((len(tubes), 3, 1, *size), np.float32)
        for crop, (x1, y1, x2, y2), frame in zip(out, tubes[:, 0].astype(float), index[:, 0], strict=True):
            scale = width / (x2 - x1), height / (y2 - y1)
            affine = np.array([[scale[0], 0, -x1 * scale[0]], [0, scale[1], -y1 * scale[1]]])
            warped = cv2.warpAffine(frames[frame], affine, (width, height), flags=cv2.INTER_LINEAR)
            crop[:, 0] = ((warped.astype(np.float32) / 255 - mean) / std).transpose(2, 0, 1)
        return out

    return warping


def with_torch(frames: np.ndarray, tubes: np.ndarray, index: np.ndarray, size: tuple[int, int]) -> Callable:
    images, boxes, frame_of = (torch.as_tensor(x) for x in (frames, tubes[:, 0], index[:, 0]))
    mean, std = (torch.tensor(x).view(3, 1, 1) for x in (MEAN, STD))
    steps = [torch.arange(count) / count for count in size]
    ends = torch.tensor([WIDTH - 1, HEIGHT - 1])

    def sampling() -> torch.Tensor:
        out = []
        for frame in frame_of.unique():
            x1, y1, x2, y2 = boxes[frame_of == frame].T[..., None]
            x, y = x1 + (x2 - x1) * steps[1], y1 + (y2 - y1) * steps[0]
            grid = torch.stack(torch.broadcast_tensors(x[:, None, :], y[:, :, None]), -1) * (2 / ends) - 1
            image = images[frame].permute(2, 0, 1).float().expand(len(x), -1, -1, -1)
            out.append((grid_sample(image, grid, align_corners=True) / 255 - mean) / std)
        return torch.cat(out)[:, :, None]

    return sampling


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("library", [with_ptfast, with_opencv, with_torch])
def test_crops(benchmark: Any, library: Callable, size: str, threads: int, roofline: Callable[..., None]) -> None:
    frames, tubes, index = scene()
    call = library(frames, tubes, index, SIZES[size])
    expected = crop_tubes(frames, tubes, index, size=SIZES[size], mean=MEAN, std=STD)
    levels = np.abs(np.asarray(call()) - expected) * np.reshape(STD, (3, 1, 1, 1)) * 255
    assert levels.max() < 1
    benchmark.group = f"{CROPS} crops of {size} from 1080p, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = library.__name__.removeprefix("with_")
    benchmark(call)
    if library is with_ptfast:
        inside = np.clip(tubes, 0, (WIDTH, HEIGHT, WIDTH, HEIGHT))
        shown = np.prod(inside[..., 2:] - inside[..., :2], -1).sum() * 3  # bytes of the frames that crops show
        # A value: three interpolations of a difference, a product and a sum; mean and standard deviation.
        roofline(expected.nbytes + min(shown, frames.nbytes), 11 * expected.size)


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("library", ["ptfast", "numpy, box by box"])
def test_box_to_crop(benchmark: Any, library: str, threads: int, roofline: Callable[..., None]) -> None:
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 1000, (1000, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(20, 600, (1000, 2))], 1)

    def one_by_one() -> np.ndarray:
        made = []
        for x1, y1, x2, y2 in boxes:
            centre, width, height = np.array([(x1 + x2) / 2, (y1 + y2) / 2]), x2 - x1, y2 - y1
            half = np.array([1, 4 / 3]) * max(width, 0.75 * height) * (1.25 / 2)
            made.append(np.concatenate([centre - half, centre + half]))
        return np.array(made)

    call = {"ptfast": lambda: box_to_crop(boxes, aspect=0.75), "numpy, box by box": one_by_one}[library]
    np.testing.assert_allclose(call(), box_to_crop(boxes, aspect=0.75), rtol=1e-12)
    benchmark.group = f"crops' boxes of 1000 people, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = library
    benchmark(call)
    if library == "ptfast":
        # A box: the centre's 4, the sides' 2, the longer one's 3, the height's 1, the corners' 4.
        roofline(2 * boxes.nbytes, 14 * len(boxes))
