"""Scenes: reproducible, within the image, with people who cross, hide each other, come and go."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.skeletons import COCO_17, POSETRACK_15, POSETRACK_17, Skeleton
from ptfast.structures import head_sizes
from ptfast.synthetic import scene
from ptfast.synthetic.body import JOINTS
from ptfast.synthetic.occlusion import hidden_joints
from ptfast.synthetic.stage import stage


@pytest.fixture(scope="module")
def poses():
    return scene(0, frames=240, people=6)


def frames_of(poses):
    return np.repeat(np.arange(len(poses)), np.diff(poses.frame_offsets))


def test_the_same_seed_gives_the_same_scene(poses, same):
    assert same(poses, scene(0, frames=240, people=6))


def test_another_seed_gives_another_scene(poses, same):
    assert not same(poses, scene(1, frames=240, people=6))


@pytest.mark.parametrize("skeleton", [COCO_17, POSETRACK_15, POSETRACK_17], ids=lambda skeleton: skeleton.name)
def test_columns_have_the_shapes_of_the_skeleton(skeleton):
    poses = scene(2, frames=30, people=4, skeleton=skeleton)
    n = len(poses.keypoints)
    assert poses.keypoints.shape == (n, len(skeleton), 2)
    assert poses.head_boxes.shape == (n, 4)
    assert (len(poses), poses.frame_size.tolist()[0], poses.is_labeled.all()) == (30, [640, 360], True)
    assert poses.frame_names[7].endswith("/000007.jpg")


def test_joints_are_the_same_in_every_skeleton():
    narrow, wide = scene(2, frames=30), scene(2, frames=30, skeleton=POSETRACK_17)
    a, b = narrow.frame(10), wide.to_skeleton(POSETRACK_15).frame(10)
    both = np.intersect1d(a.track_ids, b.track_ids)
    assert both.size > 2
    for one in both:
        np.testing.assert_array_equal(a.keypoints[a.track_ids == one], b.keypoints[b.track_ids == one])


def test_joints_lie_in_the_image_or_are_absent(poses):
    inside = (poses.keypoints >= 0).all(-1) & (poses.keypoints <= [639, 359]).all(-1)
    assert inside[poses.joint_visibility > 0].all()
    assert not poses.keypoints[poses.joint_visibility == 0].any()


def test_ids_are_unique_within_a_frame_and_count_from_zero(poses):
    pairs = np.stack([frames_of(poses), poses.track_ids], 1)
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    assert np.unique(poses.track_ids).tolist() == list(range(poses.track_ids.max() + 1))


def test_an_id_is_one_continuous_path(poses):
    whole = (poses.joint_visibility > 0).all(1)
    for one in np.unique(poses.track_ids):
        rows = np.flatnonzero((poses.track_ids == one) & whole)
        gaps = np.diff(frames_of(poses)[rows])
        steps = np.linalg.norm(np.diff(poses.keypoints[rows].mean(1), axis=0), axis=1)
        assert (steps <= 30 * gaps).all(), one


def test_bones_keep_the_size_of_their_person():
    poses = scene(4, frames=50, people=5)
    shin = np.linalg.norm(poses.keypoints[:, 0] - poses.keypoints[:, 1], axis=1)
    whole = (poses.joint_visibility > 0).all(1)
    ratio = shin[whole] / head_sizes(poses)[whole]
    assert np.quantile(ratio, 0.01) > 0.4
    assert np.quantile(ratio, 0.99) < 3.5


def test_people_cross(poses):
    frame, centre = frames_of(poses), poses.keypoints[:, 2:4, 0].mean(1)
    crossings = 0
    ids = np.unique(poses.track_ids)
    for first, second in ((a, b) for a in ids for b in ids if a < b):
        rows = [np.flatnonzero(poses.track_ids == one) for one in (first, second)]
        _, left, right = np.intersect1d(frame[rows[0]], frame[rows[1]], return_indices=True)
        gap = centre[rows[0][left]] - centre[rows[1][right]]
        crossings += bool(gap.size) and gap.min() < -20 and gap.max() > 20
    assert crossings >= 5


def test_people_hide_each_other(poses):
    share = (poses.joint_visibility == 1).mean()
    assert 0.03 < share < 0.4


def test_only_the_farther_of_two_people_is_hidden_and_only_where_they_overlap():
    staged = stage(0, frames=1, people=1, size=(640, 360), fps=25, pan=0)
    body = staged.joints[0, 0]
    height = staged.heights[0, 0]
    aside = height * np.array([[0, 0], [0.01, 0], [2, 0]], np.float32)
    joints = body[None, None] + aside[None, :, None]
    nearness = np.array([[1.0, 2.0, 3.0]])
    hidden = hidden_joints(joints, nearness, np.full((1, 3), height), np.ones((1, 3), bool))
    limbs = [JOINTS.index(name) for name in COCO_17.joints if name.split("_")[-1] not in ("nose", "eye", "ear")]
    assert hidden[0, 0, limbs].all()
    assert not hidden[0, 1:].any()


def test_absent_people_hide_nobody():
    staged = stage(0, frames=1, people=1, size=(640, 360), fps=25, pan=0)
    joints = np.repeat(staged.joints, 2, 1)
    present = np.array([[True, False]])
    assert not hidden_joints(joints, np.array([[1.0, 2.0]]), np.full((1, 2), 200.0), present).any()


def test_a_single_person_is_never_hidden():
    assert not (scene(0, frames=100, people=1).joint_visibility == 1).any()


def test_people_enter_and_leave(poses):
    first, last = ({*poses.frame(f).track_ids.tolist()} for f in (0, -1))
    assert first - last
    assert last - first


def test_a_panning_camera_moves_everybody_together():
    still, panned = scene(3, frames=40), scene(3, frames=40, pan=15)
    a, b = still.frame(20), panned.frame(20)
    common, left, right = np.intersect1d(a.track_ids, b.track_ids, return_indices=True)
    seen = (a.joint_visibility[left] > 0) & (b.joint_visibility[right] > 0)
    shift = (b.keypoints[right] - a.keypoints[left])[seen][:, 0]
    assert common.size
    assert (shift < -50).all()


def test_no_frames_give_empty_poses():
    poses = scene(frames=0)
    assert (len(poses), len(poses.keypoints)) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frames": -1}, "frames must be at least 0, got -1"),
        ({"people": 0}, "people must be at least 1, got 0"),
        ({"size": (640, 0)}, "size must be at least 1, got 0"),
        ({"skeleton": Skeleton("cat", ("nose", "tail"), (), (), (0.1, 0.1))}, "skeleton must have joints .* 'tail'"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        scene(**arguments)
