"""Scores of pose entailment: the pairs that it classifies correctly."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional as F

from ptfast.models.pose_entailment import PoseEntailment
from ptfast.training.entailment.examples import LabelledPairs


@torch.no_grad()
def entailment_figures(model: PoseEntailment, examples: Sequence[LabelledPairs]) -> dict[str, float]:
    """Scores a network on pairs with their classes.

    Args:
        model: The network, in evaluation mode; it stays on its device.
        examples: At least one.

    Returns:
        Percentages of the pairs that are classified correctly: "right" of all, "matched" of those of one person and
        "parted" of the others; and "entropy", the mean cross entropy.
    """
    device = next(model.parameters()).device
    logits = torch.cat([model(example.pairs.to(device)).float().cpu() for example in examples])
    labels = torch.cat([example.labels for example in examples])
    right, same = (logits.argmax(1) == labels).double(), labels > 0
    shares = {"right": right, "matched": right[same], "parted": right[~same]}
    figures = {name: round(100 * share.mean().item(), 2) for name, share in shares.items()}
    return figures | {"entropy": round(F.cross_entropy(logits, labels).item(), 4)}
