"""Which format a network's outputs have."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from ptfast._check import format_shape
from ptfast.pipeline.one_shot import MultiPose, MultiPoseSettings
from ptfast.pipeline.onnx import movenet, rtmdet, simcc, yolo, yolox
from ptfast.pipeline.onnx.estimators import Format, OnnxDetector, OnnxOneShot, OnnxPersonPoses, OnnxSettings
from ptfast.pipeline.onnx.network import OnnxNetwork
from ptfast.pipeline.person_poses import SinglePose
from ptfast.skeletons import COCO_17, Skeleton

RTMDET = Format("RTMDet", rtmdet.normalised, lambda outputs, size, s: rtmdet.boxes(outputs, s.min_score))
YOLOX = Format("YOLOX", yolox.raw_colours, RTMDET.decode)
YOLOX_CELLS = Format(
    "YOLOX", yolox.raw_colours, lambda outputs, size, s: yolox.boxes(only(outputs), size, s.min_score, s.overlap)
)
RTMO = Format("RTMO", yolox.raw_colours, lambda outputs, size, s: rtmdet.people(outputs, s.min_score))


def yolo_format(joints: int) -> Format:
    """YOLO's format for K joints."""
    return Format(
        "YOLO",
        yolo.shares,
        lambda outputs, size, s: yolo.people(only(outputs), joints, s.min_score, s.overlap),
        centred=True,
    )


YOLO_FINAL = Format(
    "YOLO", yolo.shares, lambda outputs, size, s: yolo.final_people(only(outputs), s.min_score), centred=True
)


def load_onnx(
    path: str | Path,
    *,
    skeleton: Skeleton = COCO_17,
    settings: OnnxSettings | None = None,
    device: str | torch.device = "cpu",
) -> OnnxDetector | OnnxPersonPoses | SinglePose | OnnxOneShot | MultiPose:
    """Loads a network of an ONNX file, whose format is told by the names and shapes of its outputs.

    Known are, for K joints and classes of which a person is the first:

    - Person detectors: RTMDet and YOLOX with MMDeploy's "dets" and "labels"; YOLOX's own export, decoded or not.
    - Pose networks in boxes: RTMPose ("simcc_x" and "simcc_y"), and MoveNet's maps without boxes.
    - One-shot estimators: RTMO ("dets" and "keypoints"), YOLO's pose networks ((B, 4 + classes + 3 K, A), or
      (B, N, 6 + 3 K) from networks that need no suppression), and MoveNet's maps with boxes.

    MoveNet's maps are what `ptfast export` writes.

    Args:
        path: The file.
        skeleton: Its K joints.
        settings: How a detector or one-shot estimator runs, but for MoveNet, which has settings of its own.
        device: Where it runs.

    Returns:
        A detector, a pose network in boxes, or a one-shot estimator.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file holds no ONNX network, or one of another format; the message has its outputs.
        ImportError: ONNX Runtime is not installed.
    """
    network, settings = OnnxNetwork(path, device), settings or OnnxSettings()
    if movenet.has_maps(network.outputs, len(skeleton), boxes=True):
        maps = movenet.MapNetwork(network, len(skeleton), boxes=True)
        return MultiPose(maps, skeleton, MultiPoseSettings(precision="float32"))  # type: ignore[arg-type]
    if movenet.has_maps(network.outputs, len(skeleton), boxes=False):
        return SinglePose(movenet.MapNetwork(network, len(skeleton), boxes=False), skeleton)  # type: ignore[arg-type]
    if simcc.has_joints(network.outputs, len(skeleton)):
        return OnnxPersonPoses(network, skeleton)
    if (format := detector_format(network)) is not None:
        return OnnxDetector(network, format, settings)
    if (format := one_shot_format(network, len(skeleton))) is not None:
        return OnnxOneShot(network, format, skeleton, settings)
    raise ValueError(f"{path}: expected {known(len(skeleton))}; found {described(network)}")


def detector_format(network: OnnxNetwork) -> Format | None:
    """The format of a person detector, if it is one."""
    if rtmdet.has_boxes(network.outputs):
        return YOLOX if yolox.begins_with_focus(network.path) else RTMDET
    return YOLOX_CELLS if yolox.has_cells(network.outputs, network.size) else None


def one_shot_format(network: OnnxNetwork, joints: int) -> Format | None:
    """The format of a one-shot estimator, if it is one."""
    if rtmdet.has_people(network.outputs, joints):
        return RTMO
    if yolo.has_people(network.outputs, network.metadata, joints):
        return yolo_format(joints)
    return YOLO_FINAL if yolo.has_final_people(network.outputs, network.metadata, joints) else None


def only(outputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """The only output."""
    (output,) = outputs.values()
    return output


def known(joints: int) -> str:
    """The outputs that are known, for messages."""
    return (
        f"outputs of RTMDet or YOLOX (dets (B, N, 5) and labels (B, N), or (B, A, 5 + classes)), RTMPose (simcc_x and "
        f"simcc_y (B, {joints}, ...)), RTMO (dets (B, N, 5) and keypoints (B, N, {joints}, 3)), YOLO pose "
        f"((B, {5 + 3 * joints}, A) or (B, N, {6 + 3 * joints})) or MoveNet"
    )


def described(network: OnnxNetwork) -> str:
    """The outputs that a network has, for messages."""
    shapes = {name: format_shape(tuple(side or "?" for side in dims)) for name, dims in network.outputs.items()}
    return ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "none"
