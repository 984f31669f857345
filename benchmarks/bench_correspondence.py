"""Affinity maps of CorrTrack: all joints of a frame at once, against the released code's loop over them.

The figures of a whole pair of frames: 20 people of 15 joints, in maps of 128 x 128 pixels and 32 channels, as the
embeddings of images of 512 x 512 pixels are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from plain_correspondence import plain_affinity_maps
from torch import Tensor

from ptfast.models import affinity_maps

PEOPLE, JOINTS, CHANNELS, SIDE = 20, 15, 32, 128
NORMALISATIONS = {"l2": False, "published": True}  # whether the norm is squared
one_and_two_threads = pytest.mark.parametrize("threads", [1, 2], indirect=True)


@pytest.fixture(scope="module")
def pair() -> tuple[Tensor, Tensor, Tensor]:
    """Two embeddings (1, C, h, w), the second moved by a few pixels and disturbed, and joints (1, P, K, 2)."""
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(1, CHANNELS, SIDE, SIDE, generator=generator)
    second = first.roll((3, 2), (2, 3)) + 0.3 * torch.randn(first.shape, generator=generator)
    return first, second, torch.randint(0, SIDE, (1, PEOPLE, JOINTS, 2), generator=generator)


def work() -> tuple[float, float, float]:
    """Bytes, flops and exponentials that the result needs: both embeddings read and the maps written, and a product."""
    pixels = SIDE * SIDE
    maps = PEOPLE * JOINTS * pixels
    return 4 * (2 * CHANNELS * pixels + maps), 2 * 9 * CHANNELS * maps, maps


@one_and_two_threads
@pytest.mark.parametrize("normalise", NORMALISATIONS)
@torch.inference_mode()
def test_against_the_loop(
    benchmark: Any, pair: tuple[Tensor, ...], normalise: str, threads: int, median_seconds: Callable[..., float],
    held_against: Callable[..., None], roofline: Callable[..., None],
) -> None:  # fmt: skip
    first, second, queries = pair
    loop = lambda: plain_affinity_maps(first[0], second[0], queries[0], NORMALISATIONS[normalise])  # noqa: E731
    torch.testing.assert_close(affinity_maps(*pair, normalise=normalise)[0], loop(), rtol=1e-4, atol=1e-8)
    benchmark.group = f"affinity maps, {normalise}, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = "ptfast"
    benchmark.pedantic(affinity_maps, pair, {"normalise": normalise}, rounds=9, warmup_rounds=2)
    roofline(*work())
    held_against(median_seconds(loop, 3), at_least=10, peer="the released code's loop")


@one_and_two_threads
@torch.inference_mode()
def test_in_bfloat16(benchmark: Any, pair: tuple[Tensor, ...], threads: int, roofline: Callable[..., None]) -> None:
    """Beside "roofline", whose peaks are float32's: "same_peaks", the share of joints whose peak is the same."""
    exact, rough = (affinity_maps(*pair, precision=precision).flatten(3) for precision in ("float32", "bfloat16"))
    same = (exact.argmax(3) == rough.argmax(3)).double().mean().item()
    assert same > 0.95
    benchmark.group = f"affinity maps, l2, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info |= {"library": "ptfast, bfloat16", "same_peaks": same}
    benchmark.pedantic(affinity_maps, pair, {"precision": "bfloat16"}, rounds=9, warmup_rounds=2)
    roofline(*work())
