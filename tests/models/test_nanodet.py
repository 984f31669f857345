"""NanoDet beside the published graph, whose outputs on one picture are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ptfast.models import NanoDet, NanoDetArchitecture, decode_nanodet
from ptfast.pipeline.weights import load_nanodet_weights

SMALL = NanoDetArchitecture(classes=3, channels=4)
Golden = dict[str, np.ndarray]
Picture = Callable[..., Tensor]


def small() -> NanoDet:
    torch.manual_seed(0)
    return NanoDet(SMALL).eval()


def images(batch: int = 1, height: int = 64, width: int = 96) -> Tensor:
    return torch.randint(0, 256, (batch, 3, height, width), generator=torch.Generator().manual_seed(1)).byte()


def logits(maps: list[Tensor]) -> Tensor:
    """(B, A, C) of all cells, stride after stride."""
    return torch.cat([level.flatten(2) for level in maps], 2).transpose(1, 2)


@torch.inference_mode()
def test_equals_the_published_graph(hopper: Picture, golden: Golden) -> None:
    net = load_nanodet_weights("nanodet-g")
    found = logits(net(hopper(416)))[0]
    assert golden["nanodet_person"].max() > 0.5
    np.testing.assert_allclose(found[:, 0].sigmoid(), golden["nanodet_person"], rtol=0, atol=2e-5)
    np.testing.assert_allclose(found[golden["nanodet_top"], 80:], golden["nanodet_logits"], rtol=0, atol=2e-4)


@pytest.mark.parametrize("change", [lambda image: image.flip(3), lambda image: image.flip(1), lambda image: image // 2])
@torch.inference_mode()
def test_parity_is_that_of_this_picture_alone(hopper: Picture, golden: Golden, change: Callable) -> None:
    net = load_nanodet_weights("nanodet-g")
    found = logits(net(change(hopper(416))))[0]
    assert np.abs(found[:, 0].sigmoid().numpy() - golden["nanodet_person"]).max() > 1e-3
    assert np.abs(found[golden["nanodet_top"], 80:].numpy() - golden["nanodet_logits"]).max() > 0.1


@torch.inference_mode()
def test_a_batch_is_its_images_one_by_one(hopper: Picture) -> None:
    net = load_nanodet_weights("nanodet-g")
    alone = hopper(416)
    batch = torch.cat([alone, torch.zeros_like(alone), hopper(208).tile(1, 1, 2, 2)])
    together = decode_nanodet(net(batch))
    counts = [len(scores) for _, scores in together]
    assert counts[0] >= 1 and counts[1] == 0 and counts[2] >= 4
    for found, image in zip(together, batch, strict=True):
        (expected,) = decode_nanodet(net(image[None]))
        torch.testing.assert_close(found, expected, rtol=0, atol=2e-3)


@torch.inference_mode()
def test_bfloat16_moves_boxes_by_less_than_a_pixel(hopper: Picture) -> None:
    net = load_nanodet_weights("nanodet-g")
    ((exact, exact_scores),) = decode_nanodet(net(hopper(416)), min_score=0.5)
    with torch.autocast("cpu", torch.bfloat16):
        maps = net(hopper(416))
    assert all(level.dtype == torch.float32 for level in maps)
    ((boxes, scores),) = decode_nanodet(maps, min_score=0.5)
    assert boxes.shape == exact.shape == (1, 4)
    assert 0 < float((boxes - exact).abs().max()) < 1
    assert float((scores - exact_scores).abs().max()) < 0.02


def test_compiles_as_one_graph() -> None:
    net, given = small(), images()
    with torch.inference_mode():
        expected = net(given)
        found = torch.compile(net, fullgraph=True, backend="aot_eager")(given)
    torch.compiler.reset()
    for level, wanted in zip(found, expected, strict=True):
        torch.testing.assert_close(level, wanted)


@torch.inference_mode()
def test_memory_formats_and_dtypes_of_images_give_the_same() -> None:
    net, given = small(), images()
    expected = net(given)
    assert net.stages[0].enter.weight.is_contiguous(memory_format=torch.channels_last)
    for other in (given.float(), given.contiguous(memory_format=torch.channels_last), given.double(), given.int()):
        for level, wanted in zip(net(other), expected, strict=True):
            torch.testing.assert_close(level, wanted)


@torch.inference_mode()
def test_weights_in_bfloat16_give_float32_maps() -> None:
    net = small().bfloat16()
    assert all(values.dtype == torch.float32 and bool(values.isfinite().all()) for values in net(images()))


@torch.inference_mode()
def test_maps_have_their_strides() -> None:
    shapes = [tuple(level.shape) for level in small()(images(2))]
    assert shapes == [(2, 47, 8, 12), (2, 47, 4, 6), (2, 47, 2, 3)]


def test_training_reaches_every_parameter() -> None:
    net = small().train()
    torch.stack([(level - 1).square().mean() for level in net(images(2))]).sum().backward()
    for name, weight in net.named_parameters():
        assert weight.grad is not None and weight.grad.isfinite().all() and weight.grad.any(), name


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"classes": 0}, "classes must be between 1 and"),
        ({"channels": 0}, "channels must be between 2 and"),
        ({"channels": 3}, "channels must be even, got 3"),
    ],
)
def test_errors_of_the_architecture(entries: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NanoDet(NanoDetArchitecture(**entries))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3, 64, 40), "images must have a height and a width of multiples of 32, got 64 and 40"),
        ((1, 1, 32, 32), r"images must have shape \(B, 3, H, W\), got \(1, 1, 32, 32\)"),
    ],
)
def test_errors_of_images(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small()(torch.zeros(shape))
