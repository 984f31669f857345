"""Numbers of what linking drops."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ptfast.skeletons import COCO_17
from ptfast.structures import Poses
from ptfast.tracking import Filtered, count_filtered, link


def poses() -> Poses:
    """Five poses in two frames: a good one, weak joints, a low score, no joint at all, NaN as score."""
    joint_scores = np.full((5, 17), 0.9, np.float32)
    joint_scores[0, :4], joint_scores[1] = 0.2, 0.3
    visibility = np.full((5, 17), 2, np.uint8)
    visibility[3] = 0
    return Poses(
        keypoints=np.arange(5 * 34, dtype=np.float32).reshape(5, 17, 2), frame_offsets=np.array([0, 3, 5]),
        skeleton=COCO_17, joint_scores=joint_scores, joint_visibility=visibility,
        scores=np.array([0.9, 0.9, 0.1, 0.9, np.nan], np.float32),
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_each_dropped_pose_is_counted_once(kind: str) -> None:
    given = poses() if kind == "numpy" else poses().to("cpu")
    counts = count_filtered(given)
    assert counts == Filtered(poses=5, low_scores=2, low_joints=1, without_joints=1, joints=17, weak_joints=4)
    assert counts.left == len(link(given).scores) == 1


def test_without_thresholds_poses_without_joints_are_dropped_alone() -> None:
    counts = count_filtered(poses(), min_score=None, min_joint_score=None)
    assert counts == Filtered(5, 0, 0, 1, joints=68, weak_joints=0)


def test_nobody_at_all() -> None:
    nobody = poses().select(np.zeros(5, bool))
    assert count_filtered(nobody) == Filtered(0, 0, 0, 0, 0, 0)
    assert isinstance(count_filtered(nobody.to("cpu")).joints, int) and torch.is_tensor(nobody.to("cpu").scores)
