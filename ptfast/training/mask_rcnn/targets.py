"""Targets of the tube proposal network and of the heads."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ptfast.ops import tube_iou_matrix
from ptfast.training.mask_rcnn.sampling import Sampling

IGNORED_SHARE = 0.7  # of a tube over ignored pixels, from which it is no negative (TRAIN.CROWD_FILTER_THRESH there)


@dataclass(frozen=True, eq=False)
class Targets:
    """The people of one clip, as tensors.

    Attributes:
        tubes: (G, T, 4) xyxy.
        present: (G, T) bool.
        keypoints: (G, T, K, 2) pixels.
        labelled: (G, T, K) bool.
        ignored: (T, H, W) bool pixels of people who are not annotated one by one, or None.
    """

    tubes: Tensor
    present: Tensor
    keypoints: Tensor
    labelled: Tensor
    ignored: Tensor | None = None


def label_anchors(anchors: Tensor, tubes: Tensor, present: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """Labels anchors, and finds the person that each stands for.

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
    """(M,) bool of proposals (M, T, 4) that cover a person, and (M,) that person; arguments as in `label_anchors`."""
    if len(tubes) == 0:
        empty = torch.zeros(len(proposals), dtype=torch.int64, device=proposals.device)
        return empty.bool(), empty
    best, person = tube_iou_matrix(proposals, tubes, b_valid=present).max(1)
    return best >= sampling.proposal_overlap, person


def mostly_ignored(tubes: Tensor, ignored: Tensor | None) -> Tensor:
    """Tubes over people who are not annotated one by one, so that nothing is known about them.

    Args:
        tubes: (N, T, 4) xyxy.
        ignored: (T, H, W) bool pixels, or None.

    Returns:
        (N,) bool: at least 70 % of the tube, the mean over its frames, are ignored pixels.
    """
    if ignored is None:
        return torch.zeros(len(tubes), dtype=torch.bool, device=tubes.device)
    length, height, width = ignored.shape
    sums = F.pad(ignored.double().cumsum(1).cumsum(2), (1, 0, 1, 0))  # (T, H + 1, W + 1) of all pixels above and left
    x1, y1, x2, y2 = ((tubes + 0.5).round().long().clamp(min=0)).unbind(-1)  # pixel i ranges from i - 0.5 to i + 0.5
    x1, x2, y1, y2 = x1.clamp(max=width), x2.clamp(max=width), y1.clamp(max=height), y2.clamp(max=height)
    t = torch.arange(length, device=tubes.device)
    covered = sums[t, y2, x2] - sums[t, y1, x2] - sums[t, y2, x1] + sums[t, y1, x1]
    area = ((x2 - x1) * (y2 - y1)).clamp(min=1)
    return (covered / area).mean(1) >= IGNORED_SHARE


def keypoint_targets(keypoints: Tensor, labelled: Tensor, tubes: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The heatmap pixel that each joint lies in.

    Args:
        keypoints: (M, T, K, 2) image pixels.
        labelled: (M, T, K) bool.
        tubes: (M, T, 4) xyxy, over which the heatmaps are spread.
        size: Side of the heatmaps.

    Returns:
        (M, K, T) int64 index row * size + column, and (M, K, T) bool of joints that are labelled and lie in the box.

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
