"""What the tube proposal network and the heads ought to say about a clip."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ptfast.ops import tube_iou_matrix


@dataclass(frozen=True)
class Sampling:
    """Which anchors, proposals and people a step learns from. The defaults are those of Detect-and-Track's code.

    Attributes:
        anchors: Anchors of a clip.
        anchor_positives: Share of them that may be positive.
        anchor_high: Tube IoU from which an anchor is positive, as is the best of each person.
        anchor_low: Tube IoU under which an anchor is negative.
        proposals: Tubes of a clip for the box head.
        proposal_positives: Share of them that may be positive.
        proposal_overlap: Tube IoU from which a proposal is positive.
        keypoint_tubes: Positive tubes of a clip for the keypoint head, at most.
    """

    anchors: int = 256
    anchor_positives: float = 0.5
    anchor_high: float = 0.7
    anchor_low: float = 0.3
    proposals: int = 512
    proposal_positives: float = 0.25
    proposal_overlap: float = 0.5
    keypoint_tubes: int = 128


IGNORED_SHARE = 0.7  # of a tube over ignored pixels, from which it is no negative (TRAIN.CROWD_FILTER_THRESH there)


def label_anchors(anchors: Tensor, tubes: Tensor, present: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """Which person each anchor stands for.

    Args:
        anchors: (N, 4) xyxy, which stand still in time.
        tubes: (G, T, 4) annotated people.
        present: (G, T) bool.
        sampling: The thresholds.

    Returns:
        (N,) labels: 1 positive, 0 negative, -1 neither; and (N,) the person with the highest tube IoU.
    """
    if len(tubes) == 0:
        empty = torch.zeros(len(anchors), dtype=torch.int64, device=anchors.device)
        return empty, empty
    still = anchors[:, None].expand(-1, tubes.shape[1], -1)
    overlaps = tube_iou_matrix(still, tubes, b_valid=present)
    best, person = overlaps.max(1)
    labels = torch.full_like(person, -1)
    labels[best < sampling.anchor_low] = 0
    # All anchors that share a person's best overlap, unless nothing overlaps that person at all.
    highest = overlaps.max(0).values
    best_of_person = (overlaps == highest) & (highest > 0)
    labels[(best >= sampling.anchor_high) | best_of_person.any(1)] = 1
    return labels, person


def label_proposals(proposals: Tensor, tubes: Tensor, present: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """(M,) bool, which proposals (M, T, 4) cover a person, and (M,) which one; arguments as in label_anchors."""
    if len(tubes) == 0:
        empty = torch.zeros(len(proposals), dtype=torch.int64, device=proposals.device)
        return empty.bool(), empty
    best, person = tube_iou_matrix(proposals, tubes, b_valid=present).max(1)
    return best >= sampling.proposal_overlap, person


def mostly_ignored(tubes: Tensor, ignored: Tensor | None) -> Tensor:
    """Which tubes lie over people who are not annotated one by one, so that nothing is known about them.

    Args:
        tubes: (N, T, 4) xyxy.
        ignored: (T, H, W) bool pixels, or None.

    Returns:
        (N,) bool: at least 70 % of the tube, the mean over its frames, are ignored pixels.
    """
    if ignored is None:
        return torch.zeros(len(tubes), dtype=torch.bool, device=tubes.device)
    length, height, width = ignored.shape
    sums = F.pad(ignored.double().cumsum(1).cumsum(2), (1, 0, 1, 0))  # (T, H + 1, W + 1) of what is above and left
    x1, y1, x2, y2 = ((tubes + 0.5).round().long().clamp(min=0)).unbind(-1)  # pixel i ranges from i - 0.5 to i + 0.5
    x1, x2, y1, y2 = x1.clamp(max=width), x2.clamp(max=width), y1.clamp(max=height), y2.clamp(max=height)
    t = torch.arange(length, device=tubes.device)
    covered = sums[t, y2, x2] - sums[t, y1, x2] - sums[t, y2, x1] + sums[t, y1, x1]
    area = ((x2 - x1) * (y2 - y1)).clamp(min=1)
    return (covered / area).mean(1) >= IGNORED_SHARE


def sample(positive: Tensor, negative: Tensor, count: int, share: float) -> tuple[Tensor, Tensor]:
    """Random positives, at most `share` of `count`, and negatives for the rest.

    Args:
        positive: (N,) bool.
        negative: (N,) bool.
        count: How many, if there are as many.
        share: Of positives, at most.

    Returns:
        Indices of positives and of negatives.
    """
    there, others = positive.nonzero().flatten(), negative.nonzero().flatten()
    wanted = min(len(there), int(count * share))
    chosen = there[torch.randperm(len(there), device=there.device)[:wanted]]
    rest = others[torch.randperm(len(others), device=others.device)[: count - wanted]]
    return chosen, rest


def keypoint_targets(keypoints: Tensor, labelled: Tensor, tubes: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The heatmap pixel that each joint lies in.

    Args:
        keypoints: (M, T, K, 2) image pixels.
        labelled: (M, T, K) bool.
        tubes: (M, T, 4) xyxy, over which the heatmaps are spread.
        size: Side of the heatmaps.

    Returns:
        (M, K, T) int64 index row * size + column, and (M, K, T) bool, whether there is a joint and it lies in the box.

    Source:
        He et al. 2017 (Mask R-CNN), section 5; x = floor((x - x1) * size / width), as in its code.
    """
    corner, sides = tubes[..., None, :2], tubes[..., None, 2:] - tubes[..., None, :2]
    place = ((keypoints - corner) * size / sides.clamp(min=1e-3)).floor().long()
    # A joint on the far edge belongs to the last pixel.
    place = torch.where(keypoints == tubes[..., None, 2:], size - 1, place)
    inside = ((place >= 0) & (place < size)).all(-1) & labelled
    index = place[..., 1].clamp(0, size - 1) * size + place[..., 0].clamp(0, size - 1)
    return index.transpose(1, 2), inside.transpose(1, 2)
