"""HRNet's published checkpoints."""

from __future__ import annotations

import torch

from ptfast.models.adapters.filling import empty_model, shape_of_layer
from ptfast.models.adapters.state_dicts import Source, count_layers, fill_published, read_weights
from ptfast.models.hrnet import Hrnet, HrnetArchitecture


@torch.no_grad()
def load_hrnet(source: Source) -> Hrnet:
    """Loads HRNet's published weights, as the 2D network of this package, whose state dict `inflate` makes 3D.

    The tensors show its width, its joints and its numbers of modules and blocks.

    Args:
        source: A file of the public code (pose_hrnet) or of MMPose, or its content: tensors by name, with or without
            "module.", "backbone.", "head." or "keypoint_head." before them, or a dictionary that holds them as
            "state_dict" or "model".

    Returns:
        The network, float32 and in eval mode.

    Raises:
        ValueError: The file holds no tensors by name, or one is missing, has a wrong shape, or is not one of the
            network's. The first such one is named.

    Source:
        Sun et al. 2019 (HRNet), the public code.
    """
    place, weights = read_weights(source)
    stem = shape_of_layer(place, weights, "conv1.weight", ("C", 3, 3, 3))[0]
    joints, width = shape_of_layer(place, weights, "final_layer.weight", ("K", "C", 1, 1))[:2]
    shape_of_layer(place, weights, "stage2.0.branches.0.0.conv1.weight", (width, width, 3, 3))
    modules = [count_layers(weights, f"stage{stage}.{{}}.branches.0.0.conv1.weight") for stage in (2, 3, 4)]
    architecture = HrnetArchitecture(
        width=width,
        joints=joints,
        temporal_stages="none",
        stem=stem,
        stem_blocks=count_layers(weights, "layer1.{}.conv1.weight"),
        modules=tuple(modules[: modules.index(0)] if 0 in modules else modules),
        blocks=count_layers(weights, "stage2.0.branches.0.{}.conv1.weight"),
    )
    return fill_published(empty_model(Hrnet, architecture, place), place, weights)
