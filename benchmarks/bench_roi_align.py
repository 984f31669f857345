"""RoIAlign of tubes, forward and backward, against torchvision's roi_align over the frames and grid_sample."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from peers import peer
from torch import Tensor
from torch.nn.functional import grid_sample

from ptfast.ops import tube_roi_align

CHANNELS, STRIDE, RATIO = 256, 8, 2
# Frames, side of the feature map, tubes, bins along a side.
CASES = {"T=3 64x64 100 tubes 7x7": (3, 64, 100, 7), "T=8 100x100 1000 tubes 14x14": (8, 100, 1000, 14)}
SMALL, LARGE = CASES
LAST, PLAIN = LAYOUTS = {"channels_last": torch.channels_last_3d, "contiguous": torch.contiguous_format}
# Memory formats of features and result: how many times torchvision's speed we mean to reach.
AT_LEAST = {
    SMALL: {(LAST, LAST): 25, (LAST, PLAIN): 10, (PLAIN, PLAIN): 8},
    LARGE: {(LAST, LAST): 20, (LAST, PLAIN): 10, (PLAIN, PLAIN): 8},
}  # fmt: skip


@cache
def scene(case: str) -> tuple[Tensor, Tensor]:
    """Features (1, C, T, H, W) and tubes (M, T, 4) of people who take 15 to 60 % of the frame's height and drift."""
    frames, side, count, _ = CASES[case]
    generator = torch.Generator().manual_seed(0)
    image = side * STRIDE
    features = torch.randn(1, CHANNELS, frames, side, side, generator=generator)
    height = image * (0.15 + 0.45 * torch.rand(count, 1, 1, generator=generator))
    half = torch.cat([height * (0.3 + 0.3 * torch.rand(count, 1, 1, generator=generator)), height], -1) / 2
    drift = torch.randn(count, 1, 2, generator=generator) * torch.arange(frames)[:, None] * 4
    centre = image * torch.rand(count, 1, 2, generator=generator) + drift
    return features, torch.cat([centre - half, centre + half], -1)


def by_torchvision(features: Tensor, tubes: Tensor, bins: int) -> Tensor:
    roi_align = peer("torchvision", exc_type=(ImportError, RuntimeError)).ops.roi_align
    return torch.stack(
        [
            roi_align(features[:, :, t], [tubes[:, t]], bins, 1 / STRIDE, RATIO)
            for t in range(tubes.shape[1])
        ],
        2,
    )  # fmt: skip


def by_grid_sample(features: Tensor, tubes: Tensor, bins: int) -> Tensor:
    """All samples of a frame's boxes as one image of them; exact inside the map alone."""
    side = features.shape[-1]
    steps = (torch.arange(bins * RATIO) + 0.5) / (bins * RATIO)
    out = []
    for t in range(tubes.shape[1]):
        low, size = tubes[:, t, :2] / STRIDE, (tubes[:, t, 2:] - tubes[:, t, :2]) / STRIDE
        x, y = (low[:, i, None] + size[:, i, None] * steps for i in (0, 1))
        grid = torch.stack(torch.broadcast_tensors(x[:, None, :], y[:, :, None]), -1) / (side - 1) * 2 - 1
        rows = grid.reshape(1, -1, bins * RATIO, 2)
        samples = grid_sample(features[:, :, t], rows, align_corners=True, padding_mode="border")[0]
        cells = samples.view(CHANNELS, len(tubes), bins, RATIO, bins, RATIO)
        out.append(cells.mean((3, 5)).transpose(0, 1))
    return torch.stack(out, 2)


PEERS = {"torchvision": by_torchvision, "grid_sample": by_grid_sample}


@cache
def peer_forward(peer: str, case: str, threads: int, median_seconds: Callable[..., float]) -> float:
    """Seconds of a peer, whose result is held against ours first."""
    features, tubes = scene(case)
    bins = CASES[case][3]
    result = PEERS[peer](features, tubes, bins)
    ours = tube_roi_align(features, tubes, torch.zeros(len(tubes), dtype=torch.int64), output_size=bins,
                          spatial_scale=1 / STRIDE, sampling_ratio=RATIO)  # fmt: skip
    low, high = tubes.amin((1, 2)), tubes.amax((1, 2))
    inside = (low >= 0) & (high <= (features.shape[-1] - 1) * STRIDE) if peer == "grid_sample" else low == low
    torch.testing.assert_close(result[inside], ours[inside], rtol=1e-4, atol=1e-4)
    return median_seconds(lambda: PEERS[peer](features, tubes, bins), 3 if case == SMALL else 1)


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("formats", AT_LEAST[SMALL], ids="-to-".join)
@pytest.mark.parametrize("case", CASES)
def test_forward(
    benchmark: Any, case: str, formats: tuple[str, str], peer: str, threads: int, bound_seconds: Callable,
    median_seconds: Callable[..., float], held_against: Callable[..., None],
) -> None:  # fmt: skip
    seconds = peer_forward(peer, case, threads, median_seconds)
    features, tubes = scene(case)
    frames, _, count, bins = CASES[case]
    laid_out = features.contiguous(memory_format=LAYOUTS[formats[0]])
    index = torch.zeros(len(tubes), dtype=torch.int64)
    options = {"output_size": bins, "spatial_scale": 1 / STRIDE, "memory_format": formats[1]}
    benchmark.group = f"tube_roi_align {case}, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["bound_s"] = bound_seconds(4 * (features.numel() + count * frames * CHANNELS * bins**2), 0)
    rounds = 21 if case == SMALL else 5
    benchmark.pedantic(tube_roi_align, (laid_out, tubes, index), options, rounds=rounds, warmup_rounds=1)
    held_against(seconds, AT_LEAST[case][formats] if peer == "torchvision" else 1, peer=peer)


def gradient(pool: Callable[[Tensor], Tensor], features: Tensor) -> Callable[[], Tensor]:
    """The backward pass alone, of a result and an incoming gradient made beforehand."""
    features = features.detach().requires_grad_()
    result = pool(features)
    incoming = torch.ones_like(result)
    return lambda: torch.autograd.grad(result, features, incoming, retain_graph=True)[0]


@cache
def peer_backward(threads: int, median_seconds: Callable[..., float]) -> tuple[float, Tensor]:
    features, tubes = scene(SMALL)
    backward = gradient(lambda x: by_torchvision(x, tubes, CASES[SMALL][3]), features)
    result = backward()
    return median_seconds(backward, 3), result


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_backward(
    benchmark: Any, layout: str, threads: int, median_seconds: Callable[..., float], held_against: Callable[..., None]
) -> None:
    seconds, expected = peer_backward(threads, median_seconds)
    features, tubes = scene(SMALL)
    index = torch.zeros(len(tubes), dtype=torch.int64)
    options = {"output_size": CASES[SMALL][3], "spatial_scale": 1 / STRIDE, "memory_format": layout}
    laid_out = features.contiguous(memory_format=LAYOUTS[layout])
    backward = gradient(lambda x: tube_roi_align(x, tubes, index, **options), laid_out)
    torch.testing.assert_close(backward(), expected, rtol=1e-4, atol=1e-4)
    benchmark.group = f"gradient of tube_roi_align {SMALL}, {threads} thread{'s' * (threads > 1)}"
    benchmark.pedantic(backward, rounds=21, warmup_rounds=1)
    held_against(seconds, 5, peer="torchvision")
