"""A frame's record: its people, and what the next frame needs to know of them.

A record is Poses of one frame with these features:

    undetected   (N,) int64: frames since the detector saw the person, 0 for this one.
    box_score    (N,) float32: score of the box.

Boxes whose scores were too low for the pose network have no joints. A lost frame has an empty record, and the one
before it counts in the next frame.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ptfast.io import Frame
from ptfast.methods.keytrack.config import Config
from ptfast.pipeline.people import Found, as_poses, unlooked
from ptfast.pipeline.top_down import mean_seen
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses
from ptfast.tracking import search_boxes
from ptfast.tracking.linking import filter_poses


def people(found: Found, skeleton: Skeleton, undetected: np.ndarray, box_scores: np.ndarray) -> Poses:
    """P people as poses of a record."""
    return as_poses(found, skeleton, {"undetected": undetected, "box_score": box_scores})


def without_joints(boxes: np.ndarray, scores: np.ndarray, skeleton: Skeleton) -> Poses:
    """Boxes (B, 4) in which nobody looks for joints, so that they can be told from those that nobody detected."""
    found = unlooked(boxes, scores, len(skeleton))
    return as_poses(found, skeleton, {"undetected": np.zeros(len(boxes), np.int64), "box_score": scores}, visibility=0)


def is_tracked(record: Poses, config: Config) -> np.ndarray:
    """(N,) bool, True for poses that the thresholds leave."""
    kept: np.ndarray = filter_poses(record, config.min_score, config.min_joint_score)[1]
    return kept


def looked_for(record: Poses, frame: Frame, config: Config) -> tuple[Poses, np.ndarray]:
    """The poses of the frame before that are looked for in a frame, and the boxes (B, 4) in which they are.

    Nobody is in a frame of another size, nor anybody whom the detector has missed for too long.
    """
    same = record.frame_size is None or record.frame_size[0].tolist() == list(frame.size)
    recent = record.features["undetected"] < config.max_undetected
    poses = record.select(is_tracked(record, config) & recent & (same and config.temporal_oks))
    boxes, rows = search_boxes(
        poses, enlargement=config.enlargement, min_joint_score=config.min_joint_score, frame_size=frame.size
    )
    return poses.select(np.isin(np.arange(len(poses.scores)), rows)), boxes


def rescored(poses: Poses, of: np.ndarray, box_scores: np.ndarray) -> Poses:
    """The poses with the box scores of those whom the detector has seen, too.

    Args:
        poses: M poses.
        of: (M,) int64 detected box of the same person, -1 for none.
        box_scores: (D,) float32 scores of the detected boxes.
    """
    score, seen = poses.features["box_score"].copy(), of >= 0
    score[seen] = box_scores[of[seen]]
    features = {"undetected": np.where(seen, 0, poses.features["undetected"]), "box_score": score}
    return replace(poses, features=features, scores=score * mean_seen(poses.joint_scores))
