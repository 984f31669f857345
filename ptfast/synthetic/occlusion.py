"""Joints behind another person's body."""

from __future__ import annotations

import numpy as np

from ptfast.synthetic.body import JOINTS, LIMBS

_REACH = 0.06  # body heights by which a body exceeds its joints, the thickest limb


def hidden_joints(joints: np.ndarray, nearness: np.ndarray, heights: np.ndarray, present: np.ndarray) -> np.ndarray:
    """(F, P, J) bool: joints that lie within a limb of somebody who stands nearer to the camera.

    Args:
        joints: (F, P, J, 2) float32 pixels, J = len(JOINTS).
        nearness: (F, P), larger for who stands nearer to the camera.
        heights: (F, P) float32 body heights in pixels, upright.
        present: (F, P) bool.
    """
    frame, front, back = _overlapping(joints, nearness, heights, present)
    covered = _within_limbs(joints[frame, back], joints[frame, front], heights[frame, front])
    hidden = np.zeros(joints.shape[:3], bool)
    np.logical_or.at(hidden, (frame, back), covered)
    return hidden


def _overlapping(
    joints: np.ndarray, nearness: np.ndarray, heights: np.ndarray, present: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Frame, nearer slot and farther slot, (Q,) each, of all pairs whose boxes overlap."""
    low = joints.min(2) - _REACH * heights[..., None]
    high = joints.max(2) + _REACH * heights[..., None]
    pairs = (nearness[:, :, None] > nearness[:, None]) & present[:, :, None] & present[:, None]
    for axis in range(2):
        pairs &= low[:, :, None, axis] < high[:, None, :, axis]
        pairs &= low[:, None, :, axis] < high[:, :, None, axis]
    return np.nonzero(pairs)


def _within_limbs(points: np.ndarray, body: np.ndarray, height: np.ndarray) -> np.ndarray:
    """(Q, J) bool: points (Q, J, 2) within a limb of body (Q, J, 2), whose height is (Q,) pixels."""
    covered = np.zeros(points.shape[:2], bool)
    x, y = np.ascontiguousarray(points[..., 0]), np.ascontiguousarray(points[..., 1])
    for first, second, radius in LIMBS:
        start, end = body[:, JOINTS.index(first)], body[:, JOINTS.index(second)]
        bone_x, bone_y = (end - start).T[..., None]
        from_x, from_y = x - start[:, :1], y - start[:, 1:]
        along = (from_x * bone_x + from_y * bone_y) / np.maximum(bone_x**2 + bone_y**2, np.float32(1e-6))
        np.clip(along, 0, 1, out=along)
        from_x -= along * bone_x
        from_y -= along * bone_y
        covered |= from_x**2 + from_y**2 < (radius * height[:, None]) ** 2
    return covered
