"""supervision's KeyPoints, one object a frame. The tests pass with versions 0.21 to 0.31."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import numpy as np

from ptfast._check import check_shape
from ptfast.interop._per_frame import PERSON, each_frame, joined, one_frame
from ptfast.interop._require import require
from ptfast.skeletons import COCO_17, Skeleton
from ptfast.structures import Poses


def to_keypoints(poses: Poses) -> list[Any]:
    """supervision's KeyPoints of every frame, for its annotators and filters.

    Absent joints stand at (0, 0), where supervision looks for missing ones, and are not `visible`. `data` has
    the columns that KeyPoints have no place for: "tracker_id" (-1 for none), "xyxy" and "joint_visibility", which
    `from_keypoints` finds again. Head boxes, areas and all columns of frames are left out.

    Args:
        poses: F frames.

    Returns:
        F KeyPoints: `xy` (N, K, 2) float32 pixels; confidences of joints and, from 0.29, of people.

    Raises:
        ImportError: supervision is not installed.
    """
    keypoints = require("supervision", "to_keypoints").KeyPoints
    # Before 0.29 the joints' confidence was called confidence, and there was no other.
    older = "keypoint_confidence" not in {field.name for field in fields(keypoints)}

    def of_frame(frame: Poses) -> Any:
        if len(frame.scores) == 0:
            return keypoints.empty()
        there = frame.joint_visibility > 0
        xy = np.where(there[..., None], frame.keypoints, np.float32(0))
        data = {"tracker_id": frame.track_ids, "xyxy": frame.boxes, "joint_visibility": frame.joint_visibility}
        class_id = np.full(len(xy), PERSON)
        if older:
            data["detection_confidence"] = frame.scores
            return keypoints(xy=xy, class_id=class_id, confidence=frame.joint_scores, data=data)
        return keypoints(
            xy=xy,
            class_id=class_id,
            keypoint_confidence=frame.joint_scores,
            detection_confidence=frame.scores,
            visible=there,
            data=data,
        )

    return [of_frame(frame) for frame in poses.numpy()]


def from_keypoints(frames: Iterable[Any], skeleton: Skeleton = COCO_17) -> Poses:
    """Poses of supervision's KeyPoints, one object a frame, whatever made them.

    A joint is absent where it is not `visible`, at (0, 0) or not finite. `data["joint_visibility"]` counts in place of
    the last two. It is absent, with a score of 0, where its confidence is not finite, too. A person's score is the
    detection's confidence or, where there is none, the mean of the joints that are not absent. The box is
    `data["xyxy"]` or the joints' extent, and the track id `data["tracker_id"]` or -1.

    Args:
        frames: KeyPoints of F frames, K joints each; of one frame, a list of one.
        skeleton: The joint set, K joints.

    Returns:
        F frames of poses.

    Raises:
        TypeError: `frames` are no KeyPoints, or not a list of them.
        ValueError: A frame has another number of joints than the skeleton.
    """
    named = each_frame(frames, "KeyPoints", "xy")
    return joined([_from_keypoints(points, name, skeleton) for name, points in named], skeleton)


def _from_keypoints(points: Any, name: str, skeleton: Skeleton) -> Poses:
    xy = np.asarray(points.xy, np.float32)
    xy = xy if len(xy) else np.zeros((0, len(skeleton), 2), np.float32)  # an empty one has no joints, either
    check_shape(f"{name}.xy", xy, ("N", "K", 2), K=len(skeleton))
    newer = hasattr(points, "keypoint_confidence")
    joint_scores = points.keypoint_confidence if newer else points.confidence
    scores = points.detection_confidence if newer else points.data.get("detection_confidence")
    visibility = np.asarray(points.data.get("joint_visibility", 2 * (np.isfinite(xy).all(2) & (xy != 0).any(2))))
    visibility = visibility.reshape(xy.shape[:2])
    if getattr(points, "visible", None) is not None:
        visibility = np.where(np.reshape(points.visible, visibility.shape), visibility, 0)
    if joint_scores is not None:
        joint_scores = np.reshape(joint_scores, visibility.shape)
        known = np.isfinite(joint_scores)
        joint_scores, visibility = np.where(known, joint_scores, 0), np.where(known, visibility, 0)
        if scores is None:
            there = visibility > 0
            scores = np.where(there, joint_scores, 0).sum(1) / np.maximum(there.sum(1), 1)
    return one_frame(
        skeleton,
        xy,
        joint_visibility=visibility,
        joint_scores=joint_scores,
        scores=scores,
        boxes=points.data.get("xyxy"),
        track_ids=points.data.get("tracker_id"),
    )
