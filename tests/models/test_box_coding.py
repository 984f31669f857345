"""Encoding of boxes: known values, the way there and back, limits, and torchvision's."""

from __future__ import annotations

from math import log

import pytest
import torch

from ptfast.models.box_coding import BOX_WEIGHTS, PROPOSAL_WEIGHTS, clip_boxes, decode_boxes, encode_boxes

ANCHOR = torch.tensor([[10.0, 20.0, 30.0, 60.0]])


def random_boxes(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    corner, side = (torch.rand(*shape, 2, generator=generator) * 50 + 1 for _ in range(2))
    return torch.cat([corner, corner + side], -1)


def test_known_deltas() -> None:
    box = torch.tensor([[15.0, 10.0, 55.0, 50.0]])  # centre (35, 30), sides 40; the anchor's (20, 40), 20 and 40
    got = encode_boxes(box, ANCHOR, BOX_WEIGHTS)
    torch.testing.assert_close(got, torch.tensor([[10 * 15 / 20, 10 * -10 / 40, 5 * log(2), 0.0]]))
    torch.testing.assert_close(decode_boxes(got, ANCHOR, BOX_WEIGHTS), box)


@pytest.mark.parametrize("weights", [PROPOSAL_WEIGHTS, BOX_WEIGHTS])
def test_there_and_back_over_tubes(weights: tuple[float, float, float, float]) -> None:
    tubes, anchors = random_boxes(7, 3), random_boxes(7, 1, seed=1)
    deltas = encode_boxes(tubes, anchors, weights)
    assert deltas.shape == (7, 3, 4)
    torch.testing.assert_close(decode_boxes(deltas, anchors, weights), tubes, rtol=1e-5, atol=1e-4)


def test_sides_grow_at_most_62_5_times() -> None:
    got = decode_boxes(torch.tensor([[0.0, 0.0, 100.0, -100.0]]), ANCHOR, PROPOSAL_WEIGHTS)
    torch.testing.assert_close(got[0, 2] - got[0, 0], torch.tensor(20 * 62.5))
    assert got[0, 3] == got[0, 1] == 40


def test_clipping() -> None:
    boxes = torch.tensor([[[-5.0, -1.0, 200.0, 90.0], [3.0, 4.0, 5.0, 6.0]]])
    assert clip_boxes(boxes, (80, 120)).tolist() == [[[0, 0, 120, 80], [3, 4, 5, 6]]]


def test_torchvision_deltas() -> None:
    utils = pytest.importorskip("torchvision.models.detection._utils", exc_type=(ImportError, RuntimeError))
    boxes, anchors = random_boxes(20), random_boxes(20, seed=1)
    peer = utils.BoxCoder(BOX_WEIGHTS)
    deltas = encode_boxes(boxes, anchors, BOX_WEIGHTS)
    torch.testing.assert_close(deltas, peer.encode([boxes], [anchors])[0], rtol=1e-5, atol=1e-5)
    wild = deltas * 10
    torch.testing.assert_close(
        decode_boxes(wild, anchors, BOX_WEIGHTS), peer.decode(wild, [anchors])[:, 0], rtol=1e-5, atol=1e-3
    )
