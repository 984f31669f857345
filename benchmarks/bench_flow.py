"""Optical flow at the joints of people, against OpenCV, torch, SciPy and NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates
from torch.nn.functional import grid_sample

from ptfast.ops import sample_flow

HEIGHT, WIDTH = 1080, 1920
COUNTS = {"20 people of 17 joints": 340, "100000 points": 100_000}


def scene(count: int) -> tuple[np.ndarray, np.ndarray]:
    """A smooth flow field and points, some outside."""
    rng = np.random.default_rng(0)
    flow = cv2.resize(rng.normal(0, 10, (27, 48, 2)).astype(np.float32), (WIDTH, HEIGHT))
    return flow, (rng.uniform(-0.02, 1.02, (count, 2)) * (WIDTH, HEIGHT)).astype(np.float32)


def within(points: np.ndarray) -> np.ndarray:
    return ((points >= 0) & (points <= (WIDTH - 1, HEIGHT - 1))).all(-1)


def with_ptfast(flow: np.ndarray, points: np.ndarray) -> Callable:
    return lambda: sample_flow(flow, points)


def with_opencv(flow: np.ndarray, points: np.ndarray) -> Callable:
    cv2.setNumThreads(torch.get_num_threads())

    def remapping() -> tuple[np.ndarray, np.ndarray]:
        inside = within(points)
        # Its images have fewer than 32768 rows and columns.
        values = [cv2.remap(flow, part[:, None], None, cv2.INTER_LINEAR)[:, 0] for part in np.split(points, pieces)]
        return np.concatenate(values) * inside[:, None], inside

    pieces = range(32000, len(points), 32000)
    return remapping


def with_torch(flow: np.ndarray, points: np.ndarray) -> Callable:
    image, places = torch.as_tensor(flow).permute(2, 0, 1)[None], torch.as_tensor(points)
    ends = torch.tensor([WIDTH - 1, HEIGHT - 1])

    def sampling() -> tuple[torch.Tensor, torch.Tensor]:
        inside = ((places >= 0) & (places <= ends)).all(-1)
        values = grid_sample(image, (places * (2 / ends) - 1)[None, None], align_corners=True)
        return values[0, :, 0].T * inside[:, None], inside

    return sampling


def with_scipy(flow: np.ndarray, points: np.ndarray) -> Callable:
    def sampling() -> tuple[np.ndarray, np.ndarray]:
        inside = within(points)
        values = [map_coordinates(flow[..., c], points.T[::-1], order=1) for c in (0, 1)]
        return np.stack(values, -1) * inside[:, None], inside

    return sampling


def with_numpy(flow: np.ndarray, points: np.ndarray) -> Callable:
    def indexing() -> tuple[np.ndarray, np.ndarray]:
        inside = within(points)
        x, y = np.where(inside[:, None], points, 0).T
        column, row = np.minimum(x.astype(int), WIDTH - 2), np.minimum(y.astype(int), HEIGHT - 2)
        fx, fy = (x - column)[:, None], (y - row)[:, None]
        upper = flow[row, column] * (1 - fx) + flow[row, column + 1] * fx
        lower = flow[row + 1, column] * (1 - fx) + flow[row + 1, column + 1] * fx
        return (upper * (1 - fy) + lower * fy) * inside[:, None], inside

    return indexing


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("library", [with_ptfast, with_opencv, with_torch, with_scipy, with_numpy])
def test_flow(benchmark: Any, library: Callable, count: str, threads: int, roofline: Callable[..., None]) -> None:
    flow, points = scene(COUNTS[count])
    call, (expected, inside) = library(flow, points), sample_flow(flow, points)
    values, also_inside = (np.asarray(x) for x in call())
    np.testing.assert_array_equal(also_inside, inside)
    # OpenCV rounds positions to 1/32 pixel, and from pixel to pixel the flow changes by some 1.5 at most.
    np.testing.assert_allclose(values, expected, atol=0.05)
    benchmark.group = f"flow at {count}, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = library.__name__.removeprefix("with_")
    benchmark(call)
    if library is with_ptfast:
        # A point: its place, four pixels of two numbers each, the result; three interpolations of three flops in
        # either number, four comparisons with the edges and two fractions of a pixel.
        roofline(5 * points.nbytes + expected.nbytes + inside.nbytes, 24 * len(points))
