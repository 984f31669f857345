"""supervision's Detections, one object a frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ptfast._check import check_shape
from ptfast.interop._per_frame import PERSON, each_frame, joined, one_frame
from ptfast.interop._require import require
from ptfast.io import BOX_CENTER
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses


def to_detections(poses: Poses) -> list[Any]:
    """supervision's Detections of every frame, with track ids, for its annotators, zones and counters.

    The joints are in `data` ("keypoints", "joint_scores", "joint_visibility"), where they follow every selection and
    `from_detections` finds them again. Head boxes, areas and all columns of frames are left out.

    Args:
        poses: F frames.

    Returns:
        F Detections. `tracker_id` is None where nobody in the video has an id, else -1 for people without.

    Raises:
        ImportError: supervision is not installed.
    """
    detections = require("supervision", "to_detections").Detections
    frames = list(poses.numpy())
    tracked = any((frame.track_ids >= 0).any() for frame in frames)
    return [
        detections(
            xyxy=frame.boxes,
            confidence=frame.scores,
            class_id=np.full(len(frame.boxes), PERSON),
            tracker_id=frame.track_ids if tracked else None,
            data={name: getattr(frame, name) for name in ("keypoints", "joint_scores", "joint_visibility")},
        )
        for frame in frames
    ]


def from_detections(frames: Iterable[Any], skeleton: Skeleton = BOX_CENTER) -> Poses:
    """Poses of supervision's Detections, one object a frame, whatever made them.

    Args:
        frames: Detections of F frames; of one frame, a list of one.
        skeleton: The joint set of `data["keypoints"]`, beside which "joint_scores" and "joint_visibility" may stand.
            The default is for detections without joints: one joint, the box's centre, as poses of MOT files have it,
            so that they can be linked, by `cost="iou"` say.

    Returns:
        F frames of poses. Scores are 1 where there is no confidence, track ids -1 where there are none.

    Raises:
        TypeError: `frames` are no Detections, or not a list of them.
        ValueError: A frame's `data` lacks joints for the skeleton, or has them in another shape.
    """
    named = each_frame(frames, "Detections", "xyxy")
    return joined([_from_detections(found, name, skeleton) for name, found in named], skeleton)


def _from_detections(found: Any, name: str, skeleton: Skeleton) -> Poses:
    boxes = np.asarray(found.xyxy, np.float32).reshape(-1, 4)
    keypoints, data = found.data.get("keypoints"), found.data
    if skeleton == BOX_CENTER:
        keypoints, data = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2, {}
    elif len(boxes) == 0:
        keypoints, data = np.zeros((0, len(skeleton), 2), np.float32), {}
    elif keypoints is None:
        raise ValueError(f"{name}.data must have 'keypoints', joints of {skeleton.name}, got {sorted(data)}")
    keypoints = np.asarray(keypoints, np.float32)
    check_shape(f"{name}.data['keypoints']", keypoints, ("N", "K", 2), N=len(boxes), K=len(skeleton))
    return one_frame(
        skeleton,
        keypoints,
        joint_visibility=data.get("joint_visibility"),
        joint_scores=data.get("joint_scores"),
        scores=found.confidence,
        boxes=boxes,
        track_ids=found.tracker_id,
    )
