"""Losses: by hand with a network whose outputs are given, and of a real one."""

from __future__ import annotations

from dataclasses import replace
from math import log
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from ptfast.models import Limits, MaskRcnn3d
from ptfast.training.mask_rcnn import MaskRcnnConfig
from ptfast.training.mask_rcnn.batches import tensors
from ptfast.training.mask_rcnn.head_losses import smooth_l1
from ptfast.training.mask_rcnn.losses import LOSSES, MaskRcnnLoss
from ptfast.training.mask_rcnn.sampling import Sampling
from ptfast.training.mask_rcnn.targets import Targets

EVERYTHING = Sampling(anchors=100, anchor_positives=1.0, proposals=100, proposal_positives=1.0)


class Given(nn.Module):
    """Stands in for the network: two anchors, outputs of zeros, heatmaps of 4 x 4."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length
        self.one = nn.Parameter(torch.zeros(()))

    def features(self, clips: Tensor) -> list[Tensor]:
        return [clips]

    def proposals(self, features: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        return [self.one.expand(1, 2)], [self.one.expand(1, 2, self.length, 4)]

    def anchors(self, features: list[Tensor]) -> list[Tensor]:
        return [torch.tensor([[0.0, 0, 10, 10], [20.0, 20, 30, 30]])]

    def boxes(self, features: list[Tensor], tubes: Tensor, batch_index: Tensor) -> tuple[Tensor, Tensor]:
        return self.one.expand(len(tubes), 2), self.one.expand(len(tubes), self.length, 4)

    def heatmaps(self, features: list[Tensor], tubes: Tensor, batch_index: Tensor) -> Tensor:
        return self.one.expand(len(tubes), 2, self.length, 4, 4)


def given_losses(target: Targets, length: int) -> dict[str, float]:
    model: Any = Given(length)
    limits = Limits(proposals_before=10, proposals_after=10)
    values = MaskRcnnLoss(model, EVERYTHING, limits)(torch.zeros(1, 3, length, 40, 40), [target])
    return dict(zip(LOSSES, values.tolist(), strict=True))


def person(length: int, box: list[float]) -> Targets:
    """One person, who stands in `box` in every frame and has a joint in its middle; the other joint is not labelled."""
    tubes = torch.tensor(box).expand(1, length, 4)
    middle = (tubes[..., :2] + tubes[..., 2:]) / 2
    labelled = torch.tensor([True, False]).expand(1, length, 2)
    return Targets(
        tubes, torch.ones(1, length, dtype=torch.bool), middle[..., None, :].expand(1, length, 2, 2), labelled
    )


@pytest.mark.parametrize("length", [1, 3])
def test_values_by_hand_whatever_the_length(length: int) -> None:
    # The person is a tenth of the first anchor's width to its right: IoU 9 / 11, shift dx 0.1.
    found = given_losses(person(length, [1.0, 0, 11, 10]), length)
    assert found["proposal_class"] == pytest.approx(log(2), rel=1e-6)
    # Smooth L1 of 0.1 under 1/9 is 0.1^2 / (2/9); of one anchor of two; mean over time.
    assert found["proposal_box"] == pytest.approx(0.1**2 / (2 / 9) / 2, rel=1e-5)
    # Three tubes: the anchors, and the person as annotated, for whom there is nothing to shift.
    assert found["box_class"] == pytest.approx(log(2), rel=1e-6)
    # The first anchor's shift is 10 times dx here: 1, whose smooth L1 is 0.5; of three tubes.
    assert found["box"] == pytest.approx(0.5 / 3, rel=1e-5)
    assert found["keypoint"] == pytest.approx(log(16), rel=1e-6)


def test_nobody_leaves_only_background() -> None:
    none = torch.zeros(0, 1)
    nobody = Targets(none[..., None].expand(0, 1, 4), none.bool(), torch.zeros(0, 1, 2, 2), torch.zeros(0, 1, 2).bool())
    found = given_losses(nobody, 1)
    assert found["box"] == found["keypoint"] == found["proposal_box"] == 0
    assert found["box_class"] == found["proposal_class"] == pytest.approx(log(2), rel=1e-6)


def test_what_is_ignored_is_no_negative() -> None:
    target = person(1, [0.0, 0, 10, 10])
    ignored = torch.zeros(1, 40, 40, dtype=torch.bool)
    ignored[:, 18:32, 18:32] = True  # over the second anchor
    model: Any = Given(1)
    loss = MaskRcnnLoss(model, EVERYTHING, Limits(proposals_before=10, proposals_after=10))
    _, _, counts = loss.sample_proposals([model.anchors([])[0][:, None]], [target])
    assert counts == [2]
    _, _, counts = loss.sample_proposals([model.anchors([])[0][:, None]], [replace(target, ignored=ignored)])
    assert counts == [1]


def test_smooth_l1_is_the_mean_over_frames() -> None:
    deltas, wanted = torch.tensor([[[2.0, 0, 0, 0], [0.5, 0, 0, 0], [9, 9, 9, 9]]]), torch.zeros(1, 3, 4)
    present = torch.tensor([[True, True, False]])
    assert smooth_l1(deltas, wanted, present, 1.0).item() == pytest.approx((1.5 + 0.125) / 3)
    assert smooth_l1(deltas[:0], wanted[:0], present[:0], 1.0).item() == 0


def test_every_parameter_has_a_gradient_even_without_people(tiny: MaskRcnnConfig, clips: Dataset) -> None:
    torch.manual_seed(0)
    loss = MaskRcnnLoss(MaskRcnn3d(tiny.architecture), tiny.sampling, tiny.proposals)
    clip = clips[0]
    empty = replace(
        clip, tubes=clip.tubes[:0], present=clip.present[:0], keypoints=clip.keypoints[:0], labelled=clip.labelled[:0]
    )
    values = loss(*tensors([empty], 8, torch.device("cpu")))
    values.sum().backward()
    assert [name for name, parameter in loss.named_parameters() if parameter.grad is None] == []
    assert torch.isfinite(values).all()


def test_losses_fall_on_one_clip(tiny: MaskRcnnConfig, clips: Dataset) -> None:
    torch.manual_seed(0)
    loss = MaskRcnnLoss(MaskRcnn3d(tiny.architecture), tiny.sampling, tiny.proposals)
    optimizer = torch.optim.AdamW(loss.parameters(), lr=5e-3)
    batch = tensors([clips[0]], 8, torch.device("cpu"))
    rows = []
    for _ in range(20):
        values = loss(*batch)
        optimizer.zero_grad()
        values.sum().backward()
        optimizer.step()
        rows.append(values.detach())
    first, last = torch.stack(rows[:3]).mean(0), torch.stack(rows[-3:]).mean(0)
    names = dict(zip(LOSSES, zip(first.tolist(), last.tolist(), strict=True), strict=True))
    assert all(names[name][1] < 0.9 * names[name][0] for name in ("proposal_class", "proposal_box", "box_class"))
    assert names["keypoint"][1] < names["keypoint"][0] - 0.3  # from about log(56 * 56)
