"""MoveNet's blocks: padding as TensorFlow's, and the same in strips as whole."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ptfast.models import movenet_layers
from ptfast.models.movenet_layers import InvertedResidual


def block(stride: int, out_channels: int = 12, *, expand: bool = True) -> InvertedResidual:
    torch.manual_seed(0)
    made = InvertedResidual(12, out_channels, stride=stride, expand=expand)
    for name, value in made.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.uniform_(value, 0.5, 1)  # so that padding before the expansion alone would show
    return made


def images() -> Tensor:
    return torch.randn(2, 12, 8, 6, generator=torch.Generator().manual_seed(1))


def plain(layer: InvertedResidual, x: Tensor) -> Tensor:
    """Layer after layer, with TensorFlow's padding: for stride 2, a row below and a column on the right."""
    y = x if layer.expand is None else layer.expand(x).clamp(0, 6)
    y = F.pad(y, (1, 1, 1, 1) if layer.stride == 1 else (0, 1, 0, 1))
    y = F.conv2d(y, layer.depthwise.weight, layer.depthwise.bias, layer.stride, groups=y.shape[1]).clamp(0, 6)
    return layer.project(y) + (x if layer.adds_input else 0)


@pytest.mark.parametrize("expand", [True, False])
@pytest.mark.parametrize(("stride", "out_channels"), [(1, 12), (1, 20), (2, 12)])
@torch.inference_mode()
def test_equals_layer_after_layer(stride: int, out_channels: int, expand: bool) -> None:
    layer = block(stride, out_channels, expand=expand)
    assert layer.adds_input == (stride == 1 and out_channels == 12)
    given = images()
    torch.testing.assert_close(layer(given), plain(layer, given))
    torch.testing.assert_close(given, images(), rtol=0, atol=0)  # nothing is written to


@pytest.mark.parametrize("rows", [1, 3, 4, 7])
@pytest.mark.parametrize("expand", [True, False])
@pytest.mark.parametrize(("stride", "out_channels"), [(1, 12), (1, 20), (2, 12)])
def test_in_strips_equals_whole(
    monkeypatch: pytest.MonkeyPatch, stride: int, out_channels: int, expand: bool, rows: int
) -> None:
    layer, given = block(stride, out_channels, expand=expand), images()
    whole = layer(given)
    whole.square().sum().backward()
    gradients = {name: value.grad.clone() for name, value in layer.named_parameters()}
    monkeypatch.setattr(InvertedResidual, "rows_at_a_time", lambda self, x: rows)
    layer.zero_grad()
    strips = layer(given)
    strips.square().sum().backward()
    torch.testing.assert_close(strips, whole)
    assert strips.is_contiguous(memory_format=torch.channels_last) or rows >= whole.shape[2]
    for name, value in layer.named_parameters():
        torch.testing.assert_close(value.grad, gradients[name], rtol=1e-4, atol=1e-4)


def test_strips_are_as_high_as_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    given = images()  # two of 8 rows of 6, which 72 channels show inside the block
    for stride, most, rows in ((1, 2**21, 2427), (1, 2 * 72 * 6 * 5, 5), (2, 2 * 72 * 6 * 10, 5), (1, 1, 4)):
        monkeypatch.setattr(movenet_layers, "MOST_VALUES", most)
        assert block(stride).rows_at_a_time(given) == rows


def test_a_gpu_takes_a_block_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movenet_layers, "MOST_VALUES", 1)
    assert block(1).rows_at_a_time(images().to("meta")) == 8
