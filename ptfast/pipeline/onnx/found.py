"""What outputs say of an image's people, as `Found` in the pixels of the network's input."""

from __future__ import annotations

import numpy as np

from ptfast.ops import nms
from ptfast.pipeline.people import Found


def only_boxes(boxes: np.ndarray, scores: np.ndarray) -> Found:
    """People without joints, of boxes (N, 4) xyxy and scores (N,)."""
    return with_joints(boxes, scores, np.zeros((len(scores), 0, 3), np.float32))


def with_joints(boxes: np.ndarray, scores: np.ndarray, joints: np.ndarray) -> Found:
    """People of boxes (N, 4) xyxy, scores (N,) and joints (N, K, 3): x, y and score."""
    return Found(joints[..., :2], joints[..., 2], boxes, scores)


def suppressed(people: Found, overlap: float) -> Found:
    """The people whose boxes remain after non-maximum suppression, best first."""
    return people.select(nms(people.boxes, people.scores, overlap))


def corners(boxes: np.ndarray) -> np.ndarray:
    """(N, 4) xyxy of boxes (N, 4) that are given by their centre, width and height."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], 1)
