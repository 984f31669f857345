"""The loss of the matcher: cross entropy of its pairs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ptfast.models.matcher import TrackMatcher
from ptfast.models.observations import Observations
from ptfast.training.matcher.pairs import Pairs


class MatcherLoss(nn.Module):
    """A matcher and its loss as one module, around which the gradients of several processes are joined.

    Args:
        model: The matcher.
    """

    def __init__(self, model: TrackMatcher) -> None:
        super().__init__()
        self.model = model

    def forward(self, videos: list[tuple[Observations, Pairs]]) -> Tensor:
        """The loss of a batch.

        Args:
            videos: N detections of each video, and at least one pair of them.

        Returns:
            (1,) float32 mean binary cross entropy of all pairs; 0 if there are none.
        """
        if not videos:
            return 0.0 * torch.stack([parameter.sum() for parameter in self.parameters()]).sum().unsqueeze(0)
        logits = torch.cat([pair_logits(self.model, *video) for video in videos])
        labels = torch.cat([pairs.labels for _, pairs in videos])
        total = F.binary_cross_entropy_with_logits(logits, labels, reduction="sum")
        return (total / len(labels)).unsqueeze(0)


def pair_logits(matcher: TrackMatcher, observed: Observations, pairs: Pairs) -> Tensor:
    """(P,) log odds that P pairs of N observed detections are the same person."""
    states = matcher.read(observed, pairs.sequences, pairs.steps).flatten(0, 1)
    last = observed[pairs.sequences.flatten()[pairs.state]]
    return matcher.pair_logits(states[pairs.state], last, observed[pairs.candidate], pairs.ahead)
