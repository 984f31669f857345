"""Scores of a matcher: the pairs that it classifies correctly."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ptfast.models.matcher import TrackMatcher
from ptfast.structures import Poses
from ptfast.training.matcher.losses import pair_logits
from ptfast.training.matcher.pairs import pairs_of


@torch.no_grad()
def matcher_figures(matcher: TrackMatcher, tracks: Sequence[Poses]) -> dict[str, float]:
    """Scores a matcher on videos with track ids.

    Args:
        matcher: The network; it stays on its device.
        tracks: Videos, NumPy, with frame_size.

    Returns:
        Percentages of the videos' pairs: "no", those of different people, and "right", those classified correctly.
    """
    device = next(matcher.parameters()).device
    logits, labels = [torch.zeros(0)], [torch.zeros(0)]
    for poses in tracks:
        pairs = pairs_of(poses)
        if len(pairs.labels):
            logits.append(pair_logits(matcher, matcher.observe(poses), pairs.to(device)).cpu())
            labels.append(pairs.labels)
    same = torch.cat(labels) > 0
    right = (torch.cat(logits) > 0) == same
    return {name: round(100 * share.double().mean().item(), 2) for name, share in {"no": ~same, "right": right}.items()}
