"""The estimators that come along, by quality and by the names of their networks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import torch

from ptfast.methods.online.config import Config
from ptfast.pipeline import (
    Fused,
    MultiPose,
    MultiPoseSettings,
    TopDown,
    load_detector,
    load_one_shot,
    load_person_poses,
)
from ptfast.pipeline.onnx import OnnxOneShot
from ptfast.pipeline.weights import thresholds_of

Weights = str | Path
Quality = Literal["fast", "full"]
MULTIPOSE, DETECTOR, POSE = "movenet-multipose", "nanodet-g", "movenet-thunder"


@dataclass(frozen=True)
class Parts:
    """The networks of an estimator, by their weights; None where it has no such network.

    Attributes:
        multipose: Finds people and their joints in one pass: MultiPose, or another network in an ONNX file.
        detector: Finds people's boxes.
        pose: Finds the joints of a person in a box.
    """

    multipose: Weights | None
    detector: Weights | None = None
    pose: Weights | None = None


def parts_of(
    quality: str | None = None,
    weights: Weights | None = None,
    detector: Weights | None = None,
    pose: Weights | None = None,
) -> Parts:
    """The networks that an estimator has; those that are not named are the ones that come along.

    Args:
        quality: "fast" is MultiPose alone; "full" is all three. None is a detector and a pose network where one of
            these is named, and otherwise "fast".
        weights: The one-shot network's.
        detector: The detector's.
        pose: The pose network's.

    Raises:
        ValueError: The quality is unknown, or has no network that is named.
    """
    if quality not in (None, "fast", "full"):
        raise ValueError(f"quality must be 'fast' or 'full', got {quality!r}")
    named = detector is not None or pose is not None
    if quality == "fast" and named:
        raise ValueError("detector and pose are for quality 'full', or without quality, not for 'fast'")
    if quality is None and named and weights is not None:
        raise ValueError("weights with detector or pose are for quality 'full', which has all three networks")
    if quality == "full":
        return Parts(weights or MULTIPOSE, detector or DETECTOR, pose or POSE)
    return Parts(None, detector or DETECTOR, pose or POSE) if named else Parts(weights or MULTIPOSE)


def load_estimator(
    parts: Parts, settings: dict[str, Any], device: str | torch.device
) -> tuple[MultiPose | OnnxOneShot | TopDown | Fused, Config]:
    """An estimator, and the settings that suit it: the thresholds are those of the last of its networks' card.

    Args:
        parts: Its networks.
        settings: Entries of Config that differ.
        device: Where the networks run.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: A file is damaged or of another kind, a setting is out of range or of a network that is not there,
            or the one-shot network and the pose network find other joints.
    """
    # Where MultiPose is one of three, the others compute in float32, and take most of the time.
    usual = {"precision": "float32"} if parts.multipose and parts.pose else {}
    config = Config(**(usual | thresholds_of(parts.pose or parts.multipose or MULTIPOSE) | settings))
    first = None if parts.multipose is None else _one_shot(parts.multipose, config, device)
    if not isinstance(first, MultiPose):
        _check_settings(settings, parts)
    if first is not None and (parts.detector is None or parts.pose is None):
        return first, config
    detector = load_detector(parts.detector or DETECTOR, device=device)
    person_poses = load_person_poses(parts.pose or POSE, device=device)
    skeleton = person_poses.skeleton
    if first is None:
        return TopDown(detector, person_poses, skeleton, max_oks=config.max_oks), config
    if skeleton != first.skeleton:
        found = f"{skeleton.name}, not {first.skeleton.name}"
        raise ValueError(f"pose must find the joints of weights for quality 'full', got {found}; without quality, any")
    return Fused(first, detector, person_poses), config


def _one_shot(weights: Weights, config: Config, device: str | torch.device) -> MultiPose | OnnxOneShot:
    own = {item.name: getattr(config, item.name) for item in fields(MultiPoseSettings)}
    return load_one_shot(weights, settings=MultiPoseSettings(**own), device=device)


def _check_settings(given: dict[str, Any], parts: Parts) -> None:
    """Raises ValueError if one is MultiPose's, which is not there."""
    others = {"max_oks"} if parts.multipose is None else set()  # top-down has it too
    for name in sorted({item.name for item in fields(MultiPoseSettings)} - others):
        if given.get(name) is not None:
            raise ValueError(f"{name} is for MultiPose, which is not among the networks, got {given[name]!r}")
