"""Simple Baselines' network over clips; the published one stands in test_published.py."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ptfast.models import PoseResnet, PoseResnetArchitecture

SMALL = PoseResnetArchitecture(width=0.0625, joints=3)


def clips(frames: int, batch: int = 1) -> torch.Tensor:
    return torch.randn(batch, 3, frames, 64, 32, generator=torch.Generator().manual_seed(1))


def network() -> PoseResnet:
    torch.manual_seed(0)
    return PoseResnet(SMALL)


@torch.inference_mode()
def test_each_frame_by_itself() -> None:
    net = network().eval()
    torch.nn.init.normal_(net.final_layer.weight)
    for layer in net.deconv_layers[::3]:
        torch.nn.init.kaiming_normal_(layer.weight)
    given = clips(3, batch=2)
    together = net(given)
    assert together.shape == (2, 3, 3, 16, 8)
    for frame in range(3):
        alone = net(given[:, :, frame : frame + 1])[:, :, 0]
        torch.testing.assert_close(together[:, :, frame], alone, rtol=1e-4, atol=1e-5)
    assert float((together[:, :, 0] - together[:, :, 1]).abs().max()) > 0.01
    with torch.autocast("cpu", torch.bfloat16):
        assert net(given).dtype == torch.float32


def test_training_reaches_every_parameter() -> None:
    net = network()
    heatmaps = net(clips(2, batch=2))
    assert float(heatmaps.detach().abs().max()) < 0.1  # targets are nearly everywhere 0
    (heatmaps - 1).square().mean().backward()
    for name, weight in net.named_parameters():
        assert weight.grad is not None and weight.grad.isfinite().all() and weight.grad.any(), name


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"depth": 34}, "depth must be 50, 101 or 152, got 34"),
        ({"width": 0.01}, r"width must make 64 \* width a positive whole number, got 0\.01"),
        ({"joints": 0}, "joints must be between 1 and"),
        ({"image_mean": (0.5,)}, r"image_mean must be three numbers, got \(0\.5,\)"),
    ],
)
def test_errors(entries: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PoseResnet(PoseResnetArchitecture(**entries))


def test_errors_of_sizes() -> None:
    with pytest.raises(ValueError, match="clips must have a height and a width of multiples of 32, got 64 and 30"):
        network()(clips(1)[..., :30])
