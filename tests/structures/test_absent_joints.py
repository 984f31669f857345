"""Absent joints are known at the door: NaN, and what tools write for none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ptfast import link
from ptfast.skeletons import COCO_17, POSETRACK_15
from ptfast.structures import Poses, joint_boxes

SENTINELS = [(0, 0), (-1, -1), (0, -3)]


def walker(frames: int) -> np.ndarray:
    """(frames, 17, 2) joints of a person who walks to the right."""
    joints = np.random.default_rng(0).uniform(100, 200, (17, 2)).astype(np.float32)
    return np.array([joints + np.float32([2 * frame, 0]) for frame in range(frames)], np.float32)


def test_a_joint_with_a_nan_is_absent() -> None:
    keypoints = walker(1)
    keypoints[0, 3, 0], keypoints[0, 7] = np.nan, np.nan
    poses = Poses(keypoints, [0, 1], COCO_17)
    assert np.flatnonzero(poses.joint_visibility[0] == 0).tolist() == [3, 7]
    assert (poses.keypoints[0, [3, 7]] == 0).all()
    rest = np.delete(walker(1)[0], [3, 7], 0)
    np.testing.assert_array_equal(poses.boxes[0], [*rest.min(0), *rest.max(0)])


def test_a_nan_is_absent_whatever_the_visibility_says_and_takes_its_score_along() -> None:
    keypoints, scores = walker(1), np.full((1, 17), 0.5)
    keypoints[0, 3], scores[0, 3] = np.nan, np.nan
    poses = Poses(keypoints, [0, 1], COCO_17, joint_scores=scores, joint_visibility=np.full((1, 17), 1))
    assert poses.joint_visibility[0].tolist() == [1] * 3 + [0] + [1] * 13
    assert poses.joint_scores[0].tolist() == [0.5] * 3 + [0] + [0.5] * 13


def test_the_callers_arrays_stay_as_they_are() -> None:
    keypoints, visibility = walker(1), np.full((1, 17), 2, np.uint8)
    keypoints[0, 3] = np.nan
    Poses(keypoints, [0, 1], COCO_17, joint_visibility=visibility)
    assert np.isnan(keypoints[0, 3]).all() and (visibility == 2).all()


def test_a_replaced_nan_is_absent_too() -> None:
    poses = Poses(walker(1), [0, 1], COCO_17)
    keypoints = poses.keypoints.copy()
    keypoints[0, 3] = np.nan
    assert np.flatnonzero(replace(poses, keypoints=keypoints).joint_visibility == 0).tolist() == [3]


@pytest.mark.parametrize("place", SENTINELS)
def test_a_sentinel_is_absent(place: tuple[int, int]) -> None:
    scored = np.concatenate([walker(1), np.full((1, 17, 1), 0.5, np.float32)], -1)
    scored[0, 3] = [*place, 0]
    made = Poses(scored[..., :2], [0, 1], COCO_17, joint_scores=scored[..., 2])
    for poses in (made, Poses.from_frames([scored], skeleton=COCO_17)):
        assert np.flatnonzero(poses.joint_visibility[0] == 0).tolist() == [3]
        np.testing.assert_array_equal(poses.boxes, joint_boxes(np.delete(walker(1), 3, 1), np.ones((1, 16))))


def test_what_a_caller_calls_visible_is_no_sentinel() -> None:
    keypoints, scores = np.zeros((1, 15, 2)), np.zeros((1, 15))
    poses = Poses(keypoints, [0, 1], POSETRACK_15, joint_scores=scores, joint_visibility=np.full((1, 15), 2))
    assert (poses.joint_visibility == 2).all()


def test_the_corner_with_a_score_is_a_joint() -> None:
    scored = np.concatenate([np.zeros((1, 17, 2)), np.full((1, 17, 1), 0.5)], -1)
    assert (Poses.from_frames([scored], skeleton=COCO_17).joint_visibility == 2).all()
    assert (Poses(np.zeros((1, 17, 2)), [0, 1], COCO_17).joint_visibility == 2).all()


@pytest.mark.parametrize("place", [(np.nan, np.nan), *SENTINELS])
def test_people_with_absent_joints_keep_their_ids(place: tuple[float, float]) -> None:
    scored = np.concatenate([walker(25), np.full((25, 17, 1), 0.9, np.float32)], -1)
    scored[np.arange(25), np.arange(25) % 17] = [*place, 0]
    people = [np.stack([person, person + np.float32([400, 0, 0])]) for person in scored]
    for person, frame in enumerate(people):
        frame[1, person % 17] = [*place, 0]
    joined = np.concatenate(people)
    poses = Poses(joined[..., :2], np.arange(26) * 2, COCO_17, joint_scores=joined[..., 2])
    for cost in ("oks", "iou"):
        for min_joint_score in (0.2, None):
            linked = link(poses, cost=cost, min_joint_score=min_joint_score)
            assert len(np.unique(linked.track_ids)) == 2


def test_tensors_are_checked_alike() -> None:
    torch = pytest.importorskip("torch")
    keypoints = walker(2)
    keypoints[1, 3, 1] = np.nan
    poses = Poses(torch.from_numpy(keypoints), [0, 1, 2], COCO_17)
    assert isinstance(poses.joint_visibility, torch.Tensor) and poses.joint_visibility.dtype == torch.uint8
    np.testing.assert_array_equal(poses.boxes, Poses(keypoints, [0, 1, 2], COCO_17).boxes)
    assert np.argwhere(poses.numpy().joint_visibility == 0).tolist() == [[1, 3]]
    assert not torch.isnan(poses.keypoints).any()


def test_a_visibility_of_another_shape_is_named() -> None:
    for wrong in (np.ones((1, 3)), np.ones(17), np.ones((2, 17))):
        with pytest.raises(ValueError, match=r"joint_visibility must have shape \(N, K\) with N = 1, K = 17, got \("):
            Poses(walker(1), [0, 1], COCO_17, joint_visibility=wrong)
