"""The tube proposal network's layout, and the choice among its tubes."""

from __future__ import annotations

import torch

from ptfast.models.anchors import grid_anchors
from ptfast.models.proposals import TubeProposalNetwork, select_proposals

SIZE = (64, 96)


def still(boxes: list[list[float]]) -> torch.Tensor:
    return torch.tensor(boxes, dtype=torch.float32)


@torch.inference_mode()
def test_outputs_stand_in_the_order_of_the_anchors() -> None:
    net = TubeProposalNetwork(4, 2, temporal_kernel=1)
    features = torch.randn(2, 4, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    (logits,), (deltas,) = net([features])
    assert logits.shape == (2, 60) and deltas.shape == (2, 60, 3, 4)
    inner = net.conv(features).relu()
    raw, shifts = net.cls_logits(inner), net.bbox_pred(inner)
    clip, row, column, anchor = 1, 3, 4, 1
    place = (row * 6 + column) * 2 + anchor
    torch.testing.assert_close(logits[clip, place], raw[clip, anchor, :, row, column].mean())
    torch.testing.assert_close(deltas[clip, place], shifts[clip, 4 * anchor : 4 * anchor + 4, :, row, column].T)
    assert grid_anchors(torch.zeros(2, 4), 8, 5, 6)[place].tolist() == [32, 24, 32, 24]


def test_the_best_of_every_level_without_duplicates() -> None:
    boxes = still([[0, 0, 20, 20], [1, 0, 20, 20], [40, 10, 60, 50]])
    other = still([[0, 0, 20, 20], [70, 40, 96, 64]])
    tubes, scores = select_proposals(
        [torch.tensor([1.0, 3.0, 2.0]), torch.tensor([2.5, -1.0])],
        [torch.zeros(3, 2, 4), torch.zeros(2, 2, 4)],
        [boxes, other],
        SIZE,
        before=10,
        after=3,
    )
    assert scores.tolist() == [3.0, 2.5, 2.0]  # the first box yields to the second, but not to the other level's
    expected = torch.stack([boxes[1], other[0], boxes[2]])[:, None].expand(-1, 2, -1)
    torch.testing.assert_close(tubes, expected)


def test_before_counts_each_level() -> None:
    boxes = still([[0, 0, 20, 20], [40, 10, 60, 50]])
    deltas = torch.zeros(2, 1, 4)
    _, scores = select_proposals(
        [torch.tensor([1.0, 3.0]), torch.tensor([5.0, 2.0])], [deltas] * 2, [boxes] * 2, SIZE, before=1, after=9
    )
    assert scores.tolist() == [5.0, 3.0]


def test_overlap_is_the_mean_over_frames() -> None:
    box = still([[0, 0, 20, 20]] * 2)
    deltas = torch.zeros(2, 3, 4)
    deltas[1, 0, 0] = 1.0  # the second tube stands beside the first in one frame of three: IoU 2/3
    logits = torch.tensor([1.0, 0.0])
    for overlap, count in ((0.7, 2), (0.6, 1)):
        tubes, _ = select_proposals([logits], [deltas], [box], SIZE, before=9, after=9, overlap=overlap)
        assert len(tubes) == count


def test_tubes_are_cut_to_the_image_and_empty_ones_dropped() -> None:
    boxes = still([[-30, -10, 20, 20], [100, 10, 130, 50]])
    tubes, scores = select_proposals(
        [torch.tensor([1.0, 3.0])], [torch.zeros(2, 2, 4)], [boxes], SIZE, before=9, after=9
    )
    assert tubes.tolist() == [[[0, 0, 20, 20]] * 2] and scores.tolist() == [1.0]


def test_no_tube_at_all() -> None:
    boxes = still([[100, 10, 130, 50]])
    tubes, scores = select_proposals([torch.zeros(1)], [torch.zeros(1, 2, 4)], [boxes], SIZE, before=9, after=9)
    assert tubes.shape == (0, 2, 4) and scores.shape == (0,)
