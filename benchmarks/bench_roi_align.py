"""RoIAlign of tubes, forward and backward, against torchvision's roi_align over the frames and grid_sample."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from peers import peer
from torch import Tensor
from torch.nn.functional import grid_sample

from ptfast.ops import pyramid_tube_roi_align, tube_roi_align

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
    roi_align = peer("torchvision.ops").roi_align
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


def pooling(features: Tensor, values: int) -> tuple[float, float]:
    """Bytes and flops for the roofline: the features and the result, of so many values.

    The mean of bilinear samples is a product of a matrix for the rows and one for the columns; of either a value needs
    two entries or more, so four multiplications and four additions are the fewest.
    """
    return 4 * (features.numel() + values), 8 * values


ASKED = 100  # tubes that grid_sample is asked for; its time for all of them follows from theirs


@cache
def peer_forward(library: str, case: str, threads: int, median_seconds: Callable[..., float]) -> float:
    """Seconds of a peer, whose result is held against ours; those of that one call where it takes long."""
    if library == "torchvision" and threads > 1:  # its RoIAlign on the CPU knows but one thread
        return peer_forward(library, case, 1, median_seconds)
    features, tubes = scene(case)
    bins, count = CASES[case][3], len(tubes)
    tubes = tubes[:ASKED] if library == "grid_sample" else tubes
    started = time.perf_counter()
    result = PEERS[library](features, tubes, bins)
    seconds = (time.perf_counter() - started) * count / len(tubes)
    ours = tube_roi_align(features, tubes, torch.zeros(len(tubes), dtype=torch.int64), output_size=bins,
                          spatial_scale=1 / STRIDE, sampling_ratio=RATIO)  # fmt: skip
    low, high = tubes.amin((1, 2)), tubes.amax((1, 2))
    inside = (low >= 0) & (high <= (features.shape[-1] - 1) * STRIDE) if library == "grid_sample" else low == low
    for some in torch.nonzero(inside)[:, 0].split(100):
        torch.testing.assert_close(result[some], ours[some], rtol=1e-4, atol=1e-4)
    return median_seconds(lambda: PEERS[library](features, tubes, bins), 3) if case == SMALL else seconds


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("library", PEERS)
@pytest.mark.parametrize("formats", AT_LEAST[SMALL], ids="-to-".join)
@pytest.mark.parametrize("case", CASES)
def test_forward(
    benchmark: Any, case: str, formats: tuple[str, str], library: str, threads: int, roofline: Callable[..., None],
    median_seconds: Callable[..., float], held_against: Callable[..., None],
) -> None:  # fmt: skip
    seconds = peer_forward(library, case, threads, median_seconds)
    features, tubes = scene(case)
    frames, _, count, bins = CASES[case]
    laid_out = features.contiguous(memory_format=LAYOUTS[formats[0]])
    index = torch.zeros(len(tubes), dtype=torch.int64)
    options = {"output_size": bins, "spatial_scale": 1 / STRIDE, "memory_format": formats[1]}
    benchmark.group = f"tube_roi_align {case}, {threads} thread{'s' * (threads > 1)}"
    rounds = 21 if case == SMALL else 3
    benchmark.pedantic(tube_roi_align, (laid_out, tubes, index), options, rounds=rounds, warmup_rounds=1)
    roofline(*pooling(features, count * frames * CHANNELS * bins**2))
    asked = {"peer_tubes": min(ASKED, count)} if library == "grid_sample" else {}
    held_against(seconds, AT_LEAST[case][formats] if library == "torchvision" else 1, peer=library, **asked)


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
    benchmark: Any, layout: str, threads: int, roofline: Callable[..., None],
    median_seconds: Callable[..., float], held_against: Callable[..., None],
) -> None:  # fmt: skip
    seconds, expected = peer_backward(threads, median_seconds)
    features, tubes = scene(SMALL)
    index = torch.zeros(len(tubes), dtype=torch.int64)
    options = {"output_size": CASES[SMALL][3], "spatial_scale": 1 / STRIDE, "memory_format": layout}
    laid_out = features.contiguous(memory_format=LAYOUTS[layout])
    backward = gradient(lambda x: tube_roi_align(x, tubes, index, **options), laid_out)
    torch.testing.assert_close(backward(), expected, rtol=1e-4, atol=1e-4)
    benchmark.group = f"gradient of tube_roi_align {SMALL}, {threads} thread{'s' * (threads > 1)}"
    benchmark.pedantic(backward, rounds=21, warmup_rounds=1)
    frames, _, count, bins = CASES[SMALL]
    roofline(*pooling(features, count * frames * CHANNELS * bins**2))
    held_against(seconds, 5, peer="torchvision")


def by_multi_scale(levels: list[Tensor], tubes: Tensor, image: int) -> Callable[[], Tensor]:
    pool = peer("torchvision.ops").MultiScaleRoIAlign([str(i) for i in range(len(levels))], 7, RATIO)
    frames = [{str(i): level[:, :, t] for i, level in enumerate(levels)} for t in range(tubes.shape[1])]
    return lambda: torch.stack([pool(x, [tubes[:, t]], [(image, image)]) for t, x in enumerate(frames)], 2)


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("library", ["ptfast", "torchvision"])
def test_pyramid(benchmark: Any, library: str, threads: int, roofline: Callable[..., None]) -> None:
    """A feature pyramid of four levels, against torchvision's MultiScaleRoIAlign frame by frame."""
    _, tubes = scene(SMALL)  # a tube's boxes are of one size, so that its frames lie on one level in torchvision, too
    image, generator = CASES[SMALL][1] * STRIDE, torch.Generator().manual_seed(1)
    sides = [image // 4 // 2**i for i in range(4)]
    levels = [torch.randn(1, CHANNELS, tubes.shape[1], side, side, generator=generator) for side in sides]
    laid_out = [level.contiguous(memory_format=torch.channels_last_3d) for level in levels]
    index, scales = torch.zeros(len(tubes), dtype=torch.int64), [side / image for side in sides]
    ours = lambda: pyramid_tube_roi_align(laid_out, tubes, index, output_size=7, spatial_scales=scales)  # noqa: E731
    call = ours if library == "ptfast" else by_multi_scale(levels, tubes, image)
    torch.testing.assert_close(call(), ours(), rtol=1e-4, atol=1e-4)
    benchmark.group = f"pyramid_tube_roi_align of 4 levels, T=3 100 tubes 7x7, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = library
    benchmark(call)
    if library == "ptfast":
        # Of the features only what the boxes cover must be read, which hangs on the tubes: the result alone is counted.
        roofline(*pooling(torch.empty(0), tubes.shape[0] * tubes.shape[1] * CHANNELS * 7**2))
