"""torchvision's RAFT checkpoints."""

from __future__ import annotations

import torch

from ptfast.models.adapters.filling import fill, shape_of_layer
from ptfast.models.adapters.state_dicts import Source, read_weights
from ptfast.models.raft import Raft, torchvision_raft

STEM = "feature_encoder.convnormrelu.0.weight"


@torch.no_grad()
def load_raft(source: Source) -> Raft:
    """Loads torchvision's RAFT, the large or the small one, which the tensors show.

    Args:
        source: A file of raft_large or raft_small, or its content: tensors by name.

    Returns:
        The network, float32 and in eval mode.

    Raises:
        ImportError: torchvision is not installed, or does not fit the installed torch.
        ValueError: The file holds no tensors by name, or one is missing, has a wrong shape, or is not one of the
            network's. The first such one is named.
    """
    place, weights = read_weights(source)
    stem = shape_of_layer(place, weights, STEM, ("C", 3, 7, 7))[0]
    network = torchvision_raft(stem)
    fill(network, place, weights, lambda name: name, lambda _name, weight, _shape: weight)
    return Raft(network.eval()).eval()
