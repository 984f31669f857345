"""Person detectors, pose networks and one-shot estimators by the name of their weights, or by file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

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
from ptfast.skeletons import COCO_17, Skeleton

POSE_NETWORKS = ("hrnet", "pose-resnet", "inception-pose", "movenet")  # that see crops of people
TUBE_SETTINGS = ("flip", "refine", "precision")  # of TubePoses


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
        return OneShotBoxes(multipose_of(weights, None, device))
    return load_mask_rcnn(weights, device=device)


def load_person_poses(
    weights: str | Path = "movenet-thunder",
    *,
    size: tuple[int, int] | None = None,
    skeleton: Skeleton | None = None,
    device: str | torch.device = "cpu",
    **settings: Any,
) -> SinglePose | TubePoses | OnnxPersonPoses:
    """A pose network on crops of people, with weights of a file, or those that come along.

    Args:
        weights: "movenet-thunder"; "clip-tracking-2d" or "clip-tracking"; the name of a published HRNet or PoseResNet,
            such as "hrnet-w32"; a *.safetensors file of one of these networks, with its card beside it; a *.pth file, a
            published HRNet, PoseResNet or CorrTrack's pose network; or a *.onnx file of a format that `load_onnx`
            knows.
        size: Height and width of an HRNet's or PoseResNet's crops, instead of those that suit the weights.
        skeleton: The joints of another program's weights, where they are not COCO's.
        device: Where the network runs.
        **settings: An HRNet's or PoseResNet's `flip`, `refine` and `precision`, as `TubePoses` has them, where they
            differ from what suits the weights.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is damaged, of a network that finds no joints or other ones, or of one that has no such
            size or settings.
    """
    if is_onnx(weights):
        check_no_settings(weights, {"size": size, **settings})
        return joints_of_onnx(weights, skeleton or COCO_17, device)
    network = network_of(weights)
    if network not in (None, *POSE_NETWORKS):
        raise ValueError(
            f"{weights}: network: expected one of {', '.join(map(repr, POSE_NETWORKS))}, found {network!r}"
        )
    if network == "movenet":
        check_no_settings(weights, {"size": size, **settings})
        single = load_movenet_weights(weights, skeleton=skeleton)
        return SinglePose(single.model, single.skeleton, device=device)
    loaded = load_pose_weights(weights, size=size, skeleton=skeleton)
    known = {name: loaded.settings[name] for name in TUBE_SETTINGS if name in loaded.settings}
    return TubePoses(loaded.model, loaded.size, loaded.skeleton, device=device, **known | settings)


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
        return multipose_of(weights, settings, device)
    found = load_onnx(weights, device=device)
    if isinstance(found, MultiPose):
        settings = settings or MultiPoseSettings()
        if settings.precision == "bfloat16":
            raise ValueError(f"{weights}: precision must be 'auto' or 'float32' for an ONNX file, got 'bfloat16'")
        return MultiPose(found.model, found.skeleton, replace(settings, precision="float32"), device)
    if isinstance(found, OnnxOneShot):
        return found
    raise ValueError(f"{weights}: expected a network that finds people and their joints, found one of either alone")


def multipose_of(weights: str | Path, settings: MultiPoseSettings | None, device: str | torch.device) -> MultiPose:
    """The MoveNet of these weights, which must be one that finds several people."""
    loaded = load_movenet_weights(weights)
    if not loaded.model.architecture.boxes:
        raise ValueError(
            f"{weights}: expected a MoveNet with boxes, as movenet-multipose, found one for a single person"
        )
    return MultiPose(loaded.model, loaded.skeleton, settings, device)


def is_onnx(weights: str | Path) -> bool:
    """Returns True for the name of an ONNX file."""
    return Path(weights).suffix.lower() == ".onnx"


def boxes_of_onnx(path: str | Path, device: str | torch.device) -> Detector:
    """The detector of an ONNX file, or the boxes of its one-shot estimator."""
    found = load_onnx(path, device=device)
    if isinstance(found, SinglePose | OnnxPersonPoses):
        raise ValueError(f"{path}: expected a network that finds people, found one that sees crops of them")
    return found if isinstance(found, OnnxDetector) else OneShotBoxes(found)


def joints_of_onnx(path: str | Path, skeleton: Skeleton, device: str | torch.device) -> SinglePose | OnnxPersonPoses:
    """The pose network of an ONNX file."""
    found = load_onnx(path, skeleton=skeleton, device=device)
    if isinstance(found, SinglePose | OnnxPersonPoses):
        return found
    raise ValueError(f"{path}: expected a pose network that sees crops of people, found one that sees whole images")


def check_no_settings(weights: str | Path, settings: dict[str, Any]) -> None:
    """Raises ValueError if there are settings that only HRNets and PoseResNets have."""
    given = [name for name, value in settings.items() if value is not None]
    if given:
        raise ValueError(f"{', '.join(given)} may be given for HRNets and PoseResNets alone, got {weights}")
