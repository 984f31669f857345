"""Simple Baselines' network over clips; the published one stands in test_published.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from ptfast.models import PoseResnet, PoseResnetArchitecture, estimate_tubes
from ptfast.skeletons import Skeleton

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


@pytest.mark.parametrize("kernel", [2, 3, 4])
@pytest.mark.parametrize(("count", "stride"), [(1, 16), (2, 8), (3, 4), (4, 2), (5, 1)])
def test_heatmaps_double_with_each_transposed_convolution(count: int, stride: int, kernel: int) -> None:
    net = PoseResnet(replace(SMALL, deconvolutions=count, kernel=kernel)).eval()
    with torch.inference_mode():
        assert net(clips(1)).shape == (1, 3, 1, 64 // stride, 32 // stride)
    assert net.stride == stride


class Planted(PoseResnet):
    """A network of this architecture whose heatmaps have one peak, a little higher to its right and above it."""

    row, column = 3, 2

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        heatmaps = torch.zeros_like(super().forward(clips))
        heatmaps[..., self.row, self.column] = 1
        heatmaps[..., self.row, self.column + 1] = 0.4
        heatmaps[..., self.row - 1, self.column] = 0.3
        return heatmaps


@pytest.mark.parametrize(("count", "stride"), [(2, 8), (3, 4)])
def test_a_planted_peak_is_where_its_stride_says(count: int, stride: int) -> None:
    """A crop 32 wide and 64 high shows the box 40 wide and 80 high, a quarter larger: 25 image pixels for 16."""
    skeleton = Skeleton("three", ("a", "b", "c"), (), (), (0.05,) * 3)
    keypoints, scores = estimate_tubes(
        Planted(replace(SMALL, deconvolutions=count)).eval(), np.zeros((1, 200, 200, 3), np.uint8),
        np.array([[100, 60, 140, 140]], np.float32), np.zeros((1, 1), np.int64), size=(64, 32), skeleton=skeleton,
        flip=False,
    )  # fmt: skip
    in_crop = stride * (Planted.column + 0.25), stride * (Planted.row - 0.25)  # a quarter to the higher neighbour
    expected = 120 + (in_crop[0] - 16) * 25 / 16, 100 + (in_crop[1] - 32) * 25 / 16
    np.testing.assert_allclose(keypoints[0, 0], [expected] * 3, rtol=0, atol=1e-4)
    assert (scores == 1).all()


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
        ({"deconvolutions": 0}, "deconvolutions must be between 1 and 5, got 0"),
        ({"deconvolutions": 6}, "deconvolutions must be between 1 and 5, got 6"),
        ({"kernel": 1}, "kernel must be between 2 and 4, got 1"),
        ({"kernel": 5}, "kernel must be between 2 and 4, got 5"),
        ({"image_mean": (0.5,)}, r"image_mean must be three numbers, got \(0\.5,\)"),
    ],
)
def test_errors(entries: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PoseResnet(PoseResnetArchitecture(**entries))


def test_errors_of_sizes() -> None:
    with pytest.raises(ValueError, match="clips must have a height and a width of multiples of 32, got 64 and 30"):
        network()(clips(1)[..., :30])
