"""Person detectors, pose networks and one-shot estimators by the name of their weights, or by file."""

from __future__ import annotations

from pathlib import Path

import torch

from ptfast.pipeline.detectors import Detector
from ptfast.pipeline.mask_rcnn import load_mask_rcnn
from ptfast.pipeline.nanodet_boxes import NanoDetBoxes
from ptfast.pipeline.one_shot import MultiPose, MultiPoseSettings, OneShotBoxes
from ptfast.pipeline.onnx import OnnxDetector, OnnxOneShot, OnnxPersonPoses, load_onnx
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
            "detect-and-track-2d" or another Mask R-CNN that `load_mask_rcnn` takes; a *.safetensors file of one of
            these networks, with its card beside it; or a *.onnx file of a format that `load_onnx` knows.
        device: Where the network runs.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is damaged, or of a network that finds no boxes.
    """
    if is_onnx(weights):
        return boxes_of_onnx(weights, device)
    network = network_of(weights)
    if network == "nanodet":
        return NanoDetBoxes(load_nanodet_weights(weights), device=device)
    if network == "movenet":
        loaded = load_movenet_weights(weights)
        return OneShotBoxes(MultiPose(loaded.model, loaded.skeleton, device=device))
    return load_mask_rcnn(weights, device=device)


def load_person_poses(
    weights: str | Path = "movenet-thunder", *, device: str | torch.device = "cpu"
) -> SinglePose | TubePoses | OnnxPersonPoses:
    """A pose network on crops of people, with weights of a file, or those that come along.

    Args:
        weights: "movenet-thunder"; "clip-tracking-2d" or "clip-tracking"; a *.safetensors file of one of these
            networks, with its card beside it; a *.pth file, a published HRNet or PoseResNet; or a *.onnx file of a
            format that `load_onnx` knows.
        device: Where the network runs.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is damaged, or of a network that finds no joints.
    """
    if is_onnx(weights):
        return joints_of_onnx(weights, device)
    if network_of(weights) == "movenet":
        single = load_movenet_weights(weights)
        return SinglePose(single.model, single.skeleton, device=device)
    loaded = load_pose_weights(weights)
    known = {name: loaded.settings[name] for name in ("flip", "refine", "precision") if name in loaded.settings}
    return TubePoses(loaded.model, loaded.size, loaded.skeleton, device=device, **known)


def load_one_shot(
    weights: str | Path = "movenet-multipose",
    *,
    settings: MultiPoseSettings | None = None,
    device: str | torch.device = "cpu",
) -> MultiPose | OnnxOneShot:
    """A one-shot estimator with weights of a file, or those that come along.

    Args:
        weights: "movenet-multipose"; a *.safetensors file of such a network, with its card beside it; or a *.onnx file
            of a format that `load_onnx` knows.
        settings: How a MoveNet runs; other networks have none of these.
        device: Where the network runs.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is damaged, or of a network that does not find people and their joints by itself.
    """
    if not is_onnx(weights):
        loaded = load_movenet_weights(weights)
        return MultiPose(loaded.model, loaded.skeleton, settings, device)
    found = load_onnx(weights, device=device)
    if isinstance(found, MultiPose):
        return MultiPose(found.model, found.skeleton, settings, device)
    if isinstance(found, OnnxOneShot):
        return found
    raise ValueError(f"{weights}: expected a network that finds people and their joints, found one of either alone")


def is_onnx(weights: str | Path) -> bool:
    """Returns True for the name of an ONNX file."""
    return Path(weights).suffix.lower() == ".onnx"


def boxes_of_onnx(path: str | Path, device: str | torch.device) -> Detector:
    """The detector of an ONNX file, or the boxes of its one-shot estimator."""
    found = load_onnx(path, device=device)
    if isinstance(found, SinglePose | OnnxPersonPoses):
        raise ValueError(f"{path}: expected a network that finds people, found one that sees crops of them")
    return found if isinstance(found, OnnxDetector) else OneShotBoxes(found)


def joints_of_onnx(path: str | Path, device: str | torch.device) -> SinglePose | OnnxPersonPoses:
    """The pose network of an ONNX file."""
    found = load_onnx(path, device=device)
    if isinstance(found, SinglePose | OnnxPersonPoses):
        return found
    raise ValueError(f"{path}: expected a pose network that sees crops of people, found one that sees whole images")
