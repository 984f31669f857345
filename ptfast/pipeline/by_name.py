"""Person detectors and pose networks by the name of their weights, or by file."""

from __future__ import annotations

from pathlib import Path

import torch

from ptfast.pipeline.detectors import Detector
from ptfast.pipeline.mask_rcnn import load_mask_rcnn
from ptfast.pipeline.nanodet_boxes import NanoDetBoxes
from ptfast.pipeline.one_shot import MultiPose, OneShotBoxes
from ptfast.pipeline.person_poses import SinglePose
from ptfast.pipeline.pose_networks import TubePoses
from ptfast.pipeline.weights import (
    load_movenet_weights,
    load_nanodet_weights,
    load_pose_weights,
    network_of,
)


def load_detector(weights: str | Path = "nanodet-g", *, device: str | torch.device = "cpu") -> Detector:
    """A person detector with weights of a file, or those that come along.

    Args:
        weights: "nanodet-g", or "movenet-multipose", whose poses' boxes count; "detect-and-track",
            "detect-and-track-2d" or another Mask R-CNN that `load_mask_rcnn` takes; or a *.safetensors file of one of
            these networks, with its card beside it.
        device: Where the network runs.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is damaged, or of a network that finds no boxes.
    """
    network = network_of(weights)
    if network == "nanodet":
        return NanoDetBoxes(load_nanodet_weights(weights), device=device)
    if network == "movenet":
        loaded = load_movenet_weights(weights)
        return OneShotBoxes(MultiPose(loaded.model, loaded.skeleton, device=device))
    return load_mask_rcnn(weights, device=device)


def load_person_poses(
    weights: str | Path = "movenet-thunder", *, device: str | torch.device = "cpu"
) -> SinglePose | TubePoses:
    """A pose network on crops of people, with weights of a file, or those that come along.

    Args:
        weights: "movenet-thunder"; "clip-tracking-2d" or "clip-tracking"; a *.safetensors file of one of these
            networks, with its card beside it; or a *.pth file, a published HRNet or PoseResNet.
        device: Where the network runs.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is damaged, or of a network that finds no joints.
    """
    if network_of(weights) == "movenet":
        single = load_movenet_weights(weights)
        return SinglePose(single.model, single.skeleton, device=device)
    loaded = load_pose_weights(weights)
    known = {name: loaded.settings[name] for name in ("flip", "refine", "precision") if name in loaded.settings}
    return TubePoses(loaded.model, loaded.size, loaded.skeleton, device=device, **known)
