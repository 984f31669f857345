"""Scores of a matcher: the questions that it answers correctly."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ptfast.models.matcher import TrackMatcher
from ptfast.structures import Poses
from ptfast.training.matcher.losses import question_logits
from ptfast.training.matcher.questions import questions_of


@torch.no_grad()
def matcher_figures(matcher: TrackMatcher, tracks: Sequence[Poses]) -> dict[str, float]:
    """Scores a matcher on videos with track ids.

    Args:
        matcher: The network; it stays on its device.
        tracks: Videos, NumPy, with frame_size.

    Returns:
        Percentages of the videos' questions: "no", those whose label is 0, and "right", those answered correctly.
    """
    device = next(matcher.parameters()).device
    logits, labels = [torch.zeros(0)], [torch.zeros(0)]
    for poses in tracks:
        questions = questions_of(poses)
        if len(questions.labels):
            logits.append(question_logits(matcher, matcher.observe(poses), questions.to(device)).cpu())
            labels.append(questions.labels)
    same = torch.cat(labels) > 0
    right = (torch.cat(logits) > 0) == same
    return {name: round(100 * share.double().mean().item(), 2) for name, share in {"no": ~same, "right": right}.items()}
