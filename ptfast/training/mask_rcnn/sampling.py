"""Anchors, proposals and people that a step learns from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sampling:
    """Numbers and thresholds of a step's examples. The defaults are those of Detect-and-Track's code.

    Attributes:
        anchors: Anchors of a clip.
        anchor_positives: Largest share of positives among them.
        anchor_high: Tube IoU from which an anchor is positive, as is the best of each person.
        anchor_low: Tube IoU under which an anchor is negative.
        proposals: Tubes of a clip for the box head.
        proposal_positives: Largest share of positives among them.
        proposal_overlap: Tube IoU from which a proposal is positive.
        keypoint_tubes: Largest number of positive tubes of a clip for the keypoint head.
    """

    anchors: int = 256
    anchor_positives: float = 0.5
    anchor_high: float = 0.7
    anchor_low: float = 0.3
    proposals: int = 512
    proposal_positives: float = 0.25
    proposal_overlap: float = 0.5
    keypoint_tubes: int = 128


def sample(positive: Tensor, negative: Tensor, count: int, share: float) -> tuple[Tensor, Tensor]:
    """Draws positives, at most `share` of `count`, and negatives for the rest.

    Args:
        positive: (N,) bool.
        negative: (N,) bool.
        count: Number of both together, if there are as many.
        share: Largest share of positives.

    Returns:
        Indices of positives and of negatives.
    """
    there, others = positive.nonzero().flatten(), negative.nonzero().flatten()
    wanted = min(len(there), int(count * share))
    chosen = there[torch.randperm(len(there), device=there.device)[:wanted]]
    rest = others[torch.randperm(len(others), device=others.device)[: count - wanted]]
    return chosen, rest
