"""Simple Baselines' published checkpoints."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import torch

from ptfast.models.adapters.filling import empty_model, shape_of_layer
from ptfast.models.adapters.state_dicts import Source, count_layers, fill_published, read_weights
from ptfast.models.images import IMAGE_MEAN, IMAGE_STD
from ptfast.models.pose_resnet import BLOCKS, PoseResnet, PoseResnetArchitecture


@torch.no_grad()
def load_pose_resnet(source: Source, *, bgr: bool = False) -> PoseResnet:
    """Loads Simple Baselines' published weights.

    Args:
        source: A file of the public code (pose_resnet of depth 50, 101 or 152) or of MMPose, or its content, as in
            `load_hrnet`. The number of transposed convolutions and their kernels are those of its tensors.
        bgr: The network was trained on images in OpenCV's order: blue, green, red, less the mean of red, green, blue
            in this order, and so for the deviation. So were all that the public code comes with, but not MMPose's.
            The order goes into the first convolution, and the mean into `architecture.image_mean`.

    Returns:
        The network, float32 and in eval mode.

    Raises:
        ValueError: The file holds no tensors by name, or one is missing, has a wrong shape, or is not one of the
            network's. The first such one is named.

    Source:
        Xiao, Wu and Wei 2018 (Simple Baselines), the public code.
    """
    place, weights = read_weights(source)
    base = shape_of_layer(place, weights, "conv1.weight", ("C", 3, 7, 7))[0]
    joints = shape_of_layer(place, weights, "final_layer.weight", ("K", "C", 1, 1))[0]
    found = tuple(count_layers(weights, f"layer{stage}.{{}}.conv1.weight") for stage in range(1, 5))
    depth = next((depth for depth, blocks in BLOCKS.items() if blocks == found), None)
    if depth is None:
        raise ValueError(f"{place} must have the blocks of a ResNet of depth 50, 101 or 152, got {found}")
    kernel = shape_of_layer(place, weights, "deconv_layers.0.weight", ("C", "D", "k", "k"))[2]
    architecture = PoseResnetArchitecture(
        depth=depth, width=base / 64, joints=joints, deconvolutions=count_deconvolutions(weights), kernel=kernel
    )
    if bgr:
        architecture = replace(architecture, image_mean=(IMAGE_MEAN[2], IMAGE_MEAN[1], IMAGE_MEAN[0]))
        deviation = torch.tensor(IMAGE_STD).view(3, 1, 1)
        weights["conv1.weight"] = weights["conv1.weight"].flip(1) * (deviation / deviation.flip(0))
    return fill_published(empty_model(PoseResnet, architecture, place), place, weights)


def count_deconvolutions(names: Iterable[str]) -> int:
    """Number of transposed convolutions, each of which has three layers: itself, a norm and a ReLU.

    The highest number of a layer counts, so that a layer which is missing is found to be.
    """
    layers = (re.match(r"deconv_layers\.([0-9]{1,3})\.", name) for name in names)
    return max((int(layer[1]) // 3 + 1 for layer in layers if layer), default=0)
