"""Sizes of people in pixels, for NumPy and torch alike."""

from __future__ import annotations

from ptfast._check import Array
from ptfast._columns import namespace_of
from ptfast.structures._poses import Poses


def pose_areas(poses: Poses) -> Array:
    """(N,) areas in square pixels: the `areas` column where there is one, else the boxes' areas."""
    if poses.areas is not None:
        return poses.areas
    size = poses.boxes[:, 2:] - poses.boxes[:, :2]
    return size[:, 0] * size[:, 1]


def head_sizes(poses: Poses) -> Array:
    """(N,) float64 head sizes in pixels, of the poses' kind, by the first of these that a pose has.

    - 0.6 times the diagonal of the head box, the official evaluator's
    - the distance of the skeleton's two head joints
    - 0.15 times the diagonal of the box
    """
    xp = namespace_of(poses.keypoints)
    size = 0.15 * _diagonals(poses.boxes)
    if poses.skeleton.head is not None:
        top, bottom = poses.skeleton.head
        both = (poses.joint_visibility[:, top] > 0) & (poses.joint_visibility[:, bottom] > 0)
        span = xp.asarray(poses.keypoints[:, top] - poses.keypoints[:, bottom], dtype=xp.float64)
        size = xp.where(both, xp.hypot(span[:, 0], span[:, 1]), size)
    if poses.head_boxes is not None:
        heads = 0.6 * _diagonals(poses.head_boxes)
        size = xp.where(xp.isnan(heads), size, heads)
    return size


def _diagonals(boxes: Array) -> Array:
    """(N,) float64 diagonals of boxes (N, 4)."""
    xp = namespace_of(boxes)
    boxes = xp.asarray(boxes, dtype=xp.float64)
    return xp.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
