"""Heads over tubes: shapes, what is a mean over time, gradients, and nobody at all."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ptfast.models.heads import BlockBoxHead, BoxPredictor, KeypointHead, MlpBoxHead


def features(people: int, frames: int, size: int = 7, channels: int = 4) -> torch.Tensor:
    return torch.randn(people, channels, frames, size, size, generator=torch.Generator().manual_seed(people))


def block_head(depth: int = 18, temporal_kernel: int = 3) -> BlockBoxHead:
    return BlockBoxHead(
        4, 8, blocks=2, stride=2, depth=depth, normalisation="group", temporal_kernel=temporal_kernel
    ).eval()


@pytest.mark.parametrize(("depth", "channels"), [(18, 8), (50, 32)])
@torch.inference_mode()
def test_block_head(depth: int, channels: int) -> None:
    head = block_head(depth)
    got = head(features(5, 3))
    assert head.channels == channels and got.shape == (5, 3, channels)
    torch.testing.assert_close(got, head.blocks(features(5, 3)).mean((-2, -1)).transpose(1, 2))


@torch.inference_mode()
def test_mlp_head_takes_each_frame_channels_first() -> None:
    head = MlpBoxHead(4, 6)
    given = features(5, 3)
    got = head(given)
    assert got.shape == (5, 3, 6)
    for frame in range(3):
        expected = F.relu(head.fc7(F.relu(head.fc6(given[:, :, frame].reshape(5, -1)))))
        torch.testing.assert_close(got[:, frame], expected)


@torch.inference_mode()
def test_the_class_is_the_mean_over_frames() -> None:
    predictor = BoxPredictor(6)
    given = torch.randn(5, 3, 6, generator=torch.Generator().manual_seed(0))
    logits, deltas = predictor(given)
    assert deltas.shape == (5, 3, 4) and logits.shape == (5, 2)
    torch.testing.assert_close(logits, predictor.cls_score(given.mean(1)))
    torch.testing.assert_close(deltas[:, 1], predictor.bbox_pred(given[:, 1]))


@pytest.mark.parametrize("upsampling", ["deconv", "bilinear"])
@torch.inference_mode()
def test_heatmaps_of_frames_alone(upsampling: str) -> None:
    head = KeypointHead(4, 6, 2, 5, temporal_kernel=1, upsampling=upsampling)
    given = features(3, 4, size=14)
    got = head(given)
    assert got.shape == (3, 5, 4, 56, 56)
    for frame in range(4):
        torch.testing.assert_close(got[:, :, frame : frame + 1], head(given[:, :, frame : frame + 1]))


@torch.inference_mode()
def test_bilinear_enlargement_is_of_the_heatmaps() -> None:
    head = KeypointHead(4, 6, 0, 5, temporal_kernel=1, upsampling="bilinear")
    head.heatmaps = nn.ConvTranspose2d(4, 5, 4, stride=2, padding=1)
    given = features(3, 1, size=14)
    expected = F.interpolate(head.heatmaps(given[:, :, 0]), size=(56, 56), mode="bilinear")
    torch.testing.assert_close(head(given)[:, :, 0], expected)


def test_gradients_reach_every_weight() -> None:
    head, keypoints = block_head().train(), KeypointHead(4, 6, 2, 5, temporal_kernel=3)
    predictor = BoxPredictor(head.channels)
    logits, deltas = predictor(head(features(5, 3)))
    heatmaps = keypoints(features(2, 3, size=14))
    (logits.square().sum() + deltas.square().sum() + heatmaps.square().sum()).backward()
    for network in (predictor, keypoints):
        assert all(weight.grad is not None and weight.grad.any() for weight in network.parameters())


@torch.inference_mode()
def test_nobody() -> None:
    assert block_head()(features(0, 3)).shape == (0, 3, 8)
    assert MlpBoxHead(4, 6)(features(0, 3)).shape == (0, 3, 6)
    for upsampling in ("deconv", "bilinear"):
        head = KeypointHead(4, 6, 2, 5, temporal_kernel=3, upsampling=upsampling)
        assert head(features(0, 3, size=14)).shape == (0, 5, 3, 56, 56)
