"""The feature pyramid against a hand-made sum, and inflated."""

from __future__ import annotations

import pytest
import torch

from ptfast.models import FeaturePyramid, inflate

SIZES = ((4, 13, 19), (6, 7, 10), (8, 4, 5))


def levels(frames: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, c, frames, h, w, generator=generator) for c, h, w in SIZES]


@torch.inference_mode()
def test_each_level_adds_the_coarser_ones() -> None:
    net = FeaturePyramid([1, 1], 1, temporal_kernel=3)
    for block in net.inner_blocks:
        block[0].weight.fill_(1)
    for block in net.layer_blocks:
        block[0].weight.zero_()
        block[0].weight[:, :, 1, 1, 1] = 2
    fine, coarse = torch.randn(1, 1, 2, 5, 3), torch.randn(1, 1, 2, 3, 2)
    enlarged = coarse.repeat_interleave(2, -2).repeat_interleave(2, -1)[..., :5, :3]
    got = net([fine, coarse])
    torch.testing.assert_close(got[0], 2 * (fine + enlarged))
    torch.testing.assert_close(got[1], 2 * coarse)
    torch.testing.assert_close(got[2], 2 * coarse[..., ::2, ::2])


@torch.inference_mode()
def test_center_inflation_keeps_every_frame() -> None:
    flat, deep = (FeaturePyramid([c for c, _, _ in SIZES], 16, temporal_kernel=k) for k in (1, 3))
    weights = {name: value.squeeze(2) if value.ndim == 5 else value for name, value in flat.state_dict().items()}
    deep.load_state_dict(inflate(weights, "center", target=deep))
    assert [block[0].kernel_size for block in deep.layer_blocks] == [(3, 3, 3)] * 3
    assert [block[0].kernel_size for block in deep.inner_blocks] == [(1, 1, 1)] * 3
    for got, expected in zip(deep(levels(4)), flat(levels(4)), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)


def test_levels_are_counted() -> None:
    with pytest.raises(ValueError, match="features must have 3 levels, got 2"):
        FeaturePyramid([4, 6, 8], 4)(levels(1)[:2])
