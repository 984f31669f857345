"""detect: what it keeps, batches, and clips with nobody in them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ptfast.models import Architecture, Limits, MaskRcnn3d, detect
from ptfast.models.detection import suppress

PLAIN = Architecture(width=0.125, box_channels=8, keypoint_convs=1, keypoint_channels=8, joints=3, output_stride=16)
PYRAMID = replace(PLAIN, pyramid_channels=8, anchor_sizes=(8.0, 16.0, 32.0, 64.0, 128.0), box_head="mlp")
LIMITS = Limits(proposals_before=40, proposals_after=30, max_detections=5)


def network(architecture: Architecture) -> MaskRcnn3d:
    torch.manual_seed(0)
    net = MaskRcnn3d(architecture).eval()
    with torch.no_grad():
        for weight in net.parameters():
            if weight.ndim > 1:
                weight.normal_(0, (1.5 / weight[0].numel()) ** 0.5)
        net.box_predictor.cls_score.weight.mul_(0.1)  # so that scores are neither 0 nor 1
        net.box_predictor.bbox_pred.weight.mul_(0.1)
        net.proposals.bbox_pred.weight.mul_(0.1)
    return net


def clips(batch: int) -> torch.Tensor:
    return torch.randn(batch, 3, 2, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("architecture", [PLAIN, PYRAMID], ids=["plain", "pyramid"])
def test_a_clip_is_the_same_alone_and_in_a_batch(architecture: Architecture) -> None:
    net = network(architecture)
    together = detect(net, clips(3), limits=LIMITS)
    assert len(together) == 3
    for index, found in enumerate(together):
        (alone,) = detect(net, clips(3)[index : index + 1], limits=LIMITS)
        assert len(alone.scores) > 0
        torch.testing.assert_close(found.boxes, alone.boxes, rtol=1e-4, atol=1e-3)
        torch.testing.assert_close(found.scores, alone.scores, rtol=1e-4, atol=1e-5)
        reach = float(alone.heatmaps.abs().max())
        torch.testing.assert_close(found.heatmaps, alone.heatmaps, rtol=1e-4, atol=1e-4 * reach)


def test_shapes_order_and_limits() -> None:
    (found,) = detect(network(PLAIN), clips(1), size=(60, 50), limits=LIMITS)
    count = len(found.scores)
    assert 0 < count <= 5
    assert found.boxes.shape == (count, 2, 4) and found.heatmaps.shape == (count, 3, 2, 56, 56)
    assert (found.scores > 0.05).all() and torch.equal(found.scores, found.scores.sort(descending=True).values)
    assert (found.boxes >= 0).all() and (found.boxes[..., 2] <= 50).all() and (found.boxes[..., 3] <= 60).all()
    sides = found.boxes[..., 2:] - found.boxes[..., :2]
    assert (sides >= 1e-2).all()


@pytest.mark.parametrize("architecture", [PLAIN, PYRAMID], ids=["plain", "pyramid"])
def test_nobody_is_good_enough(architecture: Architecture) -> None:
    for found in detect(network(architecture), clips(2), limits=replace(LIMITS, min_score=1.0)):
        assert found.boxes.shape == (0, 2, 4) and found.scores.shape == (0,)
        assert found.heatmaps.shape == (0, 3, 2, 56, 56)


@pytest.mark.parametrize("normalisation", ["frozen", "group"])
def test_no_proposals(normalisation: str) -> None:
    net = network(replace(PLAIN, normalisation=normalisation))
    with torch.no_grad():
        net.proposals.bbox_pred.bias.view(-1, 4)[:, 0] = 1e4  # every tube lies far to the right of the image
    for found in detect(net, clips(2), limits=LIMITS):
        assert len(found.boxes) == len(found.scores) == len(found.heatmaps) == 0


def test_proposals_in_one_clip_only() -> None:
    net = network(PLAIN)
    given = torch.cat([clips(1), clips(1)])
    features = net.features(given)
    boxes = torch.tensor([[[4.0, 4.0, 40.0, 40.0]] * 2])
    shifted = net.heatmaps(features, boxes, torch.tensor([1]))
    torch.testing.assert_close(shifted, net.heatmaps(features, boxes, torch.tensor([0])), rtol=1e-4, atol=1e-4)


def test_suppression() -> None:
    boxes = torch.tensor([[0, 0, 10, 10], [1, 0, 10, 10], [20, 20, 40, 40], [50, 50, 50, 60], [5, 5, 9, 30.0]])[:, None]
    scores = torch.tensor([0.6, 0.7, 0.9, 0.99, 0.04])
    kept, kept_scores = suppress(boxes, scores, Limits())
    assert kept.tolist() == [boxes[2].tolist(), boxes[1].tolist()]
    torch.testing.assert_close(kept_scores, torch.tensor([0.9, 0.7]))
    assert len(suppress(boxes, scores, Limits(max_detections=1))[0]) == 1
    assert len(suppress(boxes, scores, Limits(overlap=0.95))[0]) == 3
