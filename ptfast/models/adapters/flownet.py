"""FlowNet2-S's published checkpoints."""

from __future__ import annotations

import torch

from ptfast.models.adapters.filling import empty_model, shape_of_layer
from ptfast.models.adapters.state_dicts import Source, fill_published, read_weights
from ptfast.models.flownet import NARROWEST, FlowNet2S, FlowNetArchitecture


@torch.no_grad()
def load_flownet(source: Source) -> FlowNet2S:
    """Loads FlowNet2-S's published weights, or those of a narrower one.

    Args:
        source: A file of the public code (FlowNet2S without batch norms), or its content: tensors by name, with or
            without "module." before them, or a dictionary that holds them as "state_dict" or "model".

    Returns:
        The network, float32 and in eval mode.

    Raises:
        ValueError: The file holds no tensors by name, or one is missing, has a wrong shape, or is not one of the
            network's. The first such one is named.

    Source:
        Ilg et al. 2017 (FlowNet 2.0), the public PyTorch code.
    """
    place, weights = read_weights(source)
    channels = shape_of_layer(place, weights, "conv1.0.weight", ("C", 6, 7, 7))[0]
    architecture = FlowNetArchitecture(width=channels / NARROWEST)
    return fill_published(empty_model(FlowNet2S, architecture, place), place, weights)
