"""Networks that tell from joints alone whether two poses are of one person, by name or file."""

from __future__ import annotations

from pathlib import Path

import torch

from ptfast.pipeline.weights import load_entailment_weights
from ptfast.tracking import MatchScorer


def load_match_scorer(weights: str | Path = "keytrack", *, device: str | torch.device = "cpu") -> MatchScorer:
    """A `ptfast.models.PoseEntailment` with weights of a file, or those that come along.

    Args:
        weights: "keytrack", or a *.safetensors file of such a network, with its card beside it.
        device: Where it runs.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is damaged, or of another network.
    """
    return load_entailment_weights(weights, device=device)
