"""Poses written as x, y, score for each joint: the package's simple JSON and COCO results."""

from __future__ import annotations

import numpy as np

from ptfast.io._decimal import shortest
from ptfast.io._place import Place
from ptfast.structures import Poses


def scored_joints(triples: np.ndarray) -> dict[str, np.ndarray]:
    """Joint columns of Poses from (N, K, 3) x, y, score; all 0 is absent."""
    return {
        "keypoints": triples[..., :2],
        "joint_scores": triples[..., 2],
        "joint_visibility": np.where((triples != 0).any(-1), 2, 0).astype(np.uint8),
    }


def triples_of(poses: Poses) -> list[list[float]]:
    """For each pose x, y, score of all joints in one list; zeros for absent ones."""
    triples = np.concatenate([poses.keypoints, poses.joint_scores[..., None]], -1)
    present = poses.joint_visibility > 0
    n, k = present.shape
    return shortest(np.where(present[..., None], triples, 0)).reshape(n, 3 * k).tolist()


def check_scored(person: Place, boxes: tuple[str, ...]) -> None:
    """Raises ValueError at the first optional value of a pose or detection that is no box, number or id."""
    for key in boxes:
        box = person.get(key)
        if box is not None:
            box.numbers(4)
    for key in ("score", "area"):
        value = person.get(key)
        if value is not None:
            value.number()
    track = person.get("track_id")
    if track is not None:
        track.track_id()


def center_columns(boxes: np.ndarray, scores: np.ndarray) -> dict[str, np.ndarray]:
    """Pose columns of boxes (N, 4) xyxy with scores (N,) alone: the one joint is the box's centre."""
    boxes = boxes.astype(np.float32)
    return {
        "keypoints": (boxes[:, None, :2] + boxes[:, None, 2:]) / 2,
        "joint_scores": scores[:, None],
        "boxes": boxes,
        "scores": scores,
    }
