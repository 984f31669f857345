"""FlowNet2-S: the published names, shapes and flow, its checkpoints, and narrower ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ptfast.models import FlowNet2S, FlowNetArchitecture, load_flownet
from ptfast.models.adapters import FLOWNET, network_of
from ptfast.models.flownet import normalised

from .by_rule import compare, picture, read_record, weights_by_rule

NARROW = FlowNetArchitecture(width=0.0625)


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    return read_record("flownet2s")["flownet2s"]


@pytest.fixture(scope="module")
def published(record: dict[str, Any]) -> FlowNet2S:
    return load_flownet({"state_dict": weights_by_rule(record["state_dict"])})


def test_names_and_shapes_are_the_published_ones(record: dict[str, Any]) -> None:
    with torch.device("meta"):
        state = FlowNet2S().state_dict()
    assert {name: list(value.shape) for name, value in state.items()} == record["state_dict"]


@torch.inference_mode()
def test_recorded_flow(record: dict[str, Any], published: FlowNet2S) -> None:
    first = picture(128, 192) * 255
    second = first.roll((3, 5), (2, 3))
    assert compare(published.flows(first, second)[0], record["flow2"]) < 1e-4
    assert compare(published(first, second), record["flow"]) < 1e-4
    # Another input gives another flow: the images the other way round, another shift, and other colours.
    for other in ((second, first), (first, first.roll((4, 5), (2, 3))), (first.flip(1), second.flip(1))):
        assert compare(published.flows(*other)[0], record["flow2"]) > 1e-2


def narrow_weights() -> dict[str, Tensor]:
    with torch.device("meta"):
        state = FlowNet2S(NARROW).state_dict()
    return weights_by_rule(state)


def test_every_wrapping_of_the_weights(tmp_path: Path) -> None:
    weights = narrow_weights()
    path = tmp_path / "FlowNet2-S_checkpoint.pth.tar"
    spread = {f"module.{name}": value for name, value in weights.items()}
    torch.save({"epoch": 3, "arch": "FlowNet2S", "state_dict": weights, "best_EPE": 2.5}, path)
    for source in (weights, {"state_dict": weights}, spread, path, str(path)):
        model = load_flownet(source)
        assert model.architecture == NARROW and not model.training
        assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert network_of(weights) == FLOWNET


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("conv1.0.weight", None, "weights must have conv1.0.weight, which is missing"),
        ("conv3_1.0.bias", None, "weights must have conv3_1.0.bias, which is missing"),
        ("conv_redir.0.weight", torch.zeros(3), "weights: conv_redir.0.weight is not part of the network"),
        ("conv1.0.weight", torch.zeros(4, 12, 7, 7), "weights: conv1.0.weight must have shape (C, 6, 7, 7), got "),
        ("deconv5.0.weight", torch.zeros(2), "weights: deconv5.0.weight must fit deconv5.0.weight of shape (64, 32, "),
    ],
)
def test_weights_are_complete(name: str, value: Tensor | None, message: str) -> None:
    weights = narrow_weights()
    weights.pop(name, None)
    if value is not None:
        weights[name] = value
    with pytest.raises(ValueError) as error:
        load_flownet(weights)
    assert str(error.value).startswith(message)


def test_images_lose_their_common_mean_alone() -> None:
    first = torch.tensor([[10.0, 20.0], [0.0, 0.0], [255.0, 255.0]]).view(1, 3, 1, 2)
    second = torch.tensor([[30.0, 40.0], [0.0, 4.0], [255.0, 255.0]]).view(1, 3, 1, 2)
    expected = torch.tensor([-15.0, -5, -1, -1, 0, 0, 5, 15, -1, 3, 0, 0]).view(1, 6, 1, 2) / 255
    torch.testing.assert_close(normalised(first, second), expected)


def test_a_quarter_of_the_width_is_a_sixteenth_of_the_weights() -> None:
    with torch.device("meta"):
        full, quarter = (sum(p.numel() for p in FlowNet2S(FlowNetArchitecture(w)).parameters()) for w in (1, 0.25))
    assert 15.5 < full / quarter < 16.5


def test_training_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    network, images = FlowNet2S(NARROW), torch.rand(2, 3, 64, 128) * 255
    flows = network.flows(images, images.roll(2, 3))
    assert [tuple(flow.shape) for flow in flows] == [(2, 2, 64 >> n, 128 >> n) for n in (2, 3, 4, 5, 6)]
    sum((flow - 1).square().mean() for flow in flows).backward()  # type: ignore[union-attr]
    for name, weight in network.named_parameters():
        assert weight.grad is not None and weight.grad.isfinite().all() and weight.grad.any(), name


@pytest.mark.parametrize("width", [0, -1, 0.01, 1 / 128])
def test_errors_of_widths(width: float) -> None:
    with pytest.raises(ValueError, match="width must "):
        FlowNet2S(FlowNetArchitecture(width))


def test_errors_of_images() -> None:
    network, images = FlowNet2S(NARROW), torch.zeros(1, 3, 64, 64)
    with pytest.raises(ValueError, match="first must have a height and a width of multiples of 64, got 64 and 60"):
        network(images[..., :60], images[..., :60])
    with pytest.raises(ValueError, match=r"second must have shape \(B, 3, H, W\) with B = 1, H = 64, W = 64, got"):
        network(images, images[..., :60])
    with pytest.raises(ValueError, match=r"first must have shape \(B, 3, H, W\), got \(1, 6, 64, 64\)"):
        network(images.repeat(1, 2, 1, 1), images)
