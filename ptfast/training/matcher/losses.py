"""The loss of the matcher: cross entropy of its answers to questions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ptfast.models.matcher import TrackMatcher
from ptfast.models.observations import Observations
from ptfast.training.matcher.questions import Questions


class MatcherLoss(nn.Module):
    """A matcher and its loss as one module, around which the gradients of several processes are joined.

    Args:
        model: The matcher.
    """

    def __init__(self, model: TrackMatcher) -> None:
        super().__init__()
        self.model = model

    def forward(self, asked: list[tuple[Observations, Questions]]) -> Tensor:
        """The loss of a batch.

        Args:
            asked: For each video its N detections, and at least one question about them.

        Returns:
            (1,) float32 mean binary cross entropy of all questions; 0 if there are none.
        """
        if not asked:
            return 0.0 * torch.stack([parameter.sum() for parameter in self.parameters()]).sum().unsqueeze(0)
        logits = torch.cat([question_logits(self.model, *video) for video in asked])
        labels = torch.cat([questions.labels for _, questions in asked])
        total = F.binary_cross_entropy_with_logits(logits, labels, reduction="sum")
        return (total / len(labels)).unsqueeze(0)


def question_logits(matcher: TrackMatcher, observed: Observations, questions: Questions) -> Tensor:
    """(P,) log odds that the candidates of P questions are the same person, from N observed detections."""
    states = matcher.read(observed, questions.sequences, questions.steps).flatten(0, 1)
    last = observed[questions.sequences.flatten()[questions.place]]
    return matcher.pair_logits(states[questions.place], last, observed[questions.candidate], questions.ahead)
