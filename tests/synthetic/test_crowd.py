"""Crowds: cheap videos of a constant number of people."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.skeletons import COCO_17
from ptfast.synthetic import crowd


def test_everybody_is_in_every_frame():
    poses = crowd(3, frames=50, people=7, skeleton=COCO_17)
    assert poses.keypoints.shape == (350, 17, 2)
    assert (poses.track_ids.reshape(50, 7) == np.arange(7)).all()
    assert (poses.joint_visibility == 2).all()


def test_the_same_seed_gives_the_same_crowd(same):
    assert same(crowd(5, frames=40), crowd(5, frames=40))
    assert not same(crowd(5, frames=40), crowd(6, frames=40))


def test_a_frame_does_not_depend_on_the_length_of_the_video():
    long, short = crowd(1, frames=5000, people=2), crowd(1, frames=10, people=2)
    np.testing.assert_array_equal(long.keypoints[:20], short.keypoints)


def test_steps_are_small_and_bodies_stay_in_the_image():
    poses = crowd(2, frames=2000, people=4)
    assert (poses.keypoints >= 0).all()
    assert (poses.keypoints <= [639, 359]).all()
    hips = poses.keypoints.reshape(2000, 4, 15, 2)[:, :, 2:4].mean(2)
    assert np.linalg.norm(np.diff(hips, axis=0), axis=-1).max() < 12


def test_boxes_hold_their_joints():
    poses = crowd(0, frames=100, people=3)
    assert (poses.keypoints >= poses.boxes[:, None, :2]).all()
    assert (poses.keypoints <= poses.boxes[:, None, 2:]).all()


def test_people_change_sides():
    poses = crowd(0, frames=3000, people=10)
    x = poses.keypoints[:, 0, 0].reshape(3000, 10)
    order = np.argsort(x, 1)
    assert (order != order[0]).any(1).mean() > 0.5


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="people must be at least 1, got 0"):
        crowd(people=0)
