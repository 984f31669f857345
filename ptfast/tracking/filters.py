"""Filters of tracks before they are scored or shown: weak joints, short tracks, small boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ptfast._check import Array, check_integer, check_number, check_shape
from ptfast._columns import like
from ptfast.structures import Poses


def drop_low_joints(poses: Poses, thresholds: float | Sequence[float] | Array) -> Poses:
    """Marks joints absent whose scores are under their thresholds, and drops poses left without joints.

    Args:
        poses: Poses, NumPy or torch.
        thresholds: One number, or (K,) one for each joint, as ptfast.evaluation.learn_joint_thresholds gives them.

    Raises:
        ValueError: The shape is wrong or a threshold is NaN.

    Source:
        Wang et al. 2020, section 4.1.
    """
    if np.ndim(thresholds):
        check_shape("thresholds", np.asarray(thresholds), ("K",), K=len(poses.skeleton))
    limits = np.atleast_1d(np.asarray(thresholds, np.float64))
    if np.isnan(limits).any():
        raise ValueError("thresholds must be numbers, got nan")
    host = poses.numpy()
    visibility = np.where(host.joint_scores < limits, np.uint8(0), host.joint_visibility)
    marked = replace(poses, joint_visibility=like(poses.keypoints, visibility))
    return marked.select(visibility.any(1))


def drop_short_tracks(poses: Poses, min_length: int = 5) -> Poses:
    """Drops tracks that are in fewer than `min_length` frames. Poses without a track id stay.

    Args:
        poses: Poses with track ids, NumPy or torch. An id is at most once in a frame.
        min_length: Least number of frames, 5 in the paper.

    Raises:
        ValueError: `min_length` is negative.

    Source:
        Wang et al. 2020, section 4.1.
    """
    check_integer("min_length", min_length, 0)
    ids = poses.numpy().track_ids
    _, track, counts = np.unique(ids, return_inverse=True, return_counts=True)
    return poses.select((counts[track] >= min_length) | (ids < 0))


def drop_small_boxes(poses: Poses, min_area: float = 3200) -> Poses:
    """Drops poses whose boxes (width times height) are under `min_area` square pixels.

    Args:
        poses: Poses, NumPy or torch.
        min_area: Least area, 3200 in the paper, as small people in the background are often not annotated.

    Raises:
        ValueError: `min_area` is negative.

    Source:
        Wang et al. 2020, section 4.1.
    """
    check_number("min_area", min_area, 0)
    boxes = poses.numpy().boxes
    return poses.select((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) >= min_area)
