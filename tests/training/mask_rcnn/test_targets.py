"""Targets, by hand."""

from __future__ import annotations

import pytest
import torch

from ptfast.training.mask_rcnn.sampling import Sampling, sample
from ptfast.training.mask_rcnn.targets import keypoint_targets, label_anchors, label_proposals, mostly_ignored

BOX = [0.0, 0.0, 10.0, 10.0]


def test_anchors_are_labelled_by_tube_iou() -> None:
    # Of the first person in both frames; 0.8, then 0.25 of the person; 0.5; elsewhere.
    anchors = torch.tensor([BOX, [0, 0, 10, 8], [0, 0, 10, 2.5], [0, 0, 10, 5], [90, 90, 99, 99]])
    tubes = torch.tensor([[BOX, BOX]])
    labels, person = label_anchors(anchors, tubes, torch.ones(1, 2, dtype=torch.bool), Sampling())
    assert labels.tolist() == [1, 1, 0, -1, 0]
    assert person.tolist() == [0] * 5


def test_frames_without_the_person_count_nothing() -> None:
    present = torch.tensor([[True, False]])
    labels, _ = label_anchors(torch.tensor([BOX, [0, 0, 10, 7]]), torch.tensor([[BOX, BOX]]), present, Sampling())
    assert labels.tolist() == [1, -1]  # IoU 0.5, the best there is, and 0.35


def test_everybodys_best_anchors_are_positive_but_not_by_nothing() -> None:
    anchors = torch.tensor([[0, 0, 10, 4.0], [0, 6, 10, 10.0], [50, 50, 60, 60]])
    tubes = torch.tensor([[BOX], [[200.0, 200, 210, 210]]])
    labels, _ = label_anchors(anchors, tubes, torch.ones(2, 1, dtype=torch.bool), Sampling())
    assert labels.tolist() == [1, 1, 0]  # both share the best overlap, 0.4; nothing overlaps the second person


def test_nobody_makes_everything_negative() -> None:
    nobody, present = torch.zeros(0, 3, 4), torch.zeros(0, 3, dtype=torch.bool)
    assert label_anchors(torch.rand(4, 4), nobody, present, Sampling())[0].tolist() == [0] * 4
    assert label_proposals(torch.rand(4, 3, 4), nobody, present, Sampling())[0].tolist() == [False] * 4


def test_proposals_cover_from_half_on() -> None:
    proposals = torch.tensor([[BOX], [[0, 0, 10, 5]], [[0, 0, 10, 4.9]]])
    tubes = torch.tensor([[[50.0, 50, 60, 60]], [BOX]])
    covers, person = label_proposals(proposals, tubes, torch.ones(2, 1, dtype=torch.bool), Sampling())
    assert covers.tolist() == [True, True, False] and person.tolist() == [1, 1, 1]


@pytest.mark.parametrize(("positives", "negatives", "expected"), [(9, 9, (3, 9)), (1, 20, (1, 11)), (0, 2, (0, 2))])
def test_sampling_fills_up_with_negatives(positives: int, negatives: int, expected: tuple[int, int]) -> None:
    positive = torch.arange(positives + negatives) < positives
    chosen, rest = sample(positive, ~positive, 12, 0.25)
    assert (len(chosen), len(rest)) == expected
    assert positive[chosen].all() and not positive[rest].any()
    assert len({*chosen.tolist(), *rest.tolist()}) == sum(expected)


def test_sampling_depends_on_torchs_seed() -> None:
    positive = torch.arange(100) < 50
    torch.manual_seed(1)
    first = torch.cat(sample(positive, ~positive, 12, 0.25))
    torch.manual_seed(1)
    assert torch.equal(first, torch.cat(sample(positive, ~positive, 12, 0.25)))


def test_keypoints_fall_into_heatmap_pixels() -> None:
    boxes = torch.tensor([[[10.0, 20, 38, 76]]])  # half a pixel of the heatmap in x, a whole one in y
    points = torch.tensor([[[[10.0, 20], [10.6, 21.5], [38, 76], [38.1, 30], [20, 30]]]])
    labelled = torch.tensor([[[True, True, True, True, False]]])
    index, inside = keypoint_targets(points, labelled, boxes, 56)
    assert inside[0, :, 0].tolist() == [True, True, True, False, False]
    assert index[0, :3, 0].tolist() == [0, 1 * 56 + 1, 55 * 56 + 55]  # the far edge is in the last pixel


def test_tubes_over_ignored_pixels() -> None:
    ignored = torch.zeros(2, 8, 8, dtype=torch.bool)
    ignored[:, :4] = True
    tubes = torch.tensor([[0.0, 0, 4, 3.4], [0, 0, 4, 7.4], [-9, -9, 40, 3.4], [4, 5, 7, 7]])[:, None].repeat(1, 2, 1)
    assert mostly_ignored(tubes, ignored).tolist() == [True, False, True, False]
    ignored[1] = False  # in half of the frames: half of the tube
    assert not mostly_ignored(tubes, ignored).any()
    assert not mostly_ignored(tubes, None).any()
