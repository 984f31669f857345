"""PCKh between all poses of two sets, against broadcasting in NumPy and torch: no library has it for pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from ptfast.ops import pckh_matrix

SHAPES = {"20x20x15": (1, 20), "1000x1000x15": (1, 1000), "1000 frames of 20x20x15": (1000, 20)}


def with_ptfast(a: np.ndarray, b: np.ndarray, heads: np.ndarray) -> Callable:
    return lambda: pckh_matrix(a, b, head_sizes=heads)


def with_numpy(a: np.ndarray, b: np.ndarray, heads: np.ndarray) -> Callable:
    def broadcasting() -> np.ndarray:
        squared = ((a[:, :, None] - b[:, None]) ** 2).sum(-1)
        return (squared <= (0.5 * heads[:, None, :, None]) ** 2).mean(-1, dtype=np.float32)

    return broadcasting


def with_torch(a: np.ndarray, b: np.ndarray, heads: np.ndarray) -> Callable:
    one, two, sizes = (torch.as_tensor(x) for x in (a[:, :, None], b[:, None], heads[:, None, :, None]))

    def broadcasting() -> torch.Tensor:
        squared = (one[..., 0] - two[..., 0]).pow(2) + (one[..., 1] - two[..., 1]).pow(2)
        return (squared <= (0.5 * sizes).pow(2)).float().mean(-1)

    return broadcasting


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("size", SHAPES)
@pytest.mark.parametrize("library", [with_ptfast, with_torch, with_numpy])
def test_pckh(benchmark: Any, library: Callable, size: str, threads: int, roofline: Callable[..., None]) -> None:
    frames, people = SHAPES[size]
    rng = np.random.default_rng(0)
    # Whole pixels: every library then finds the same distances, even those equal to the limit.
    a = rng.integers(0, 300, (frames, people, 15, 2)).astype(np.float32)
    b = a + rng.integers(-30, 30, a.shape).astype(np.float32)
    heads = rng.integers(10, 60, (frames, people)).astype(np.float32)
    call, expected = library(a, b, heads), pckh_matrix(a, b, head_sizes=heads)
    np.testing.assert_allclose(np.asarray(call()), expected, atol=1e-6)
    benchmark.group = f"PCKh {size}, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = library.__name__.removeprefix("with_")
    benchmark(call)
    if library is with_ptfast:
        terms = expected.size * a.shape[2]  # each: two differences, their squares, a sum, a comparison, a count
        roofline(a.nbytes + b.nbytes + heads.nbytes + expected.nbytes, 7 * terms)
