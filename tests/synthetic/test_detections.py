"""Detections of annotated poses: rates, sizes of errors, scores, and what stays unknown."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ptfast.structures import Poses, head_sizes
from ptfast.synthetic import crowd, detections, scene

CLEAN = {"jitter": 0, "miss": 0, "joint_drop": 0, "false_positives": 0}


@pytest.fixture(scope="module")
def truth() -> Poses:
    return crowd(0, frames=2000, people=5)


def test_the_same_seed_gives_the_same_detections(truth, same):
    assert same(detections(truth, 3), detections(truth, 3))
    assert not same(detections(truth, 3), detections(truth, 4))


def test_without_errors_the_poses_come_back_shuffled_and_without_ids(truth):
    found = detections(truth, **CLEAN)
    np.testing.assert_array_equal(found.frame_offsets, truth.frame_offsets)
    assert (found.track_ids == -1).all()
    assert found.head_boxes is None
    a, b = (poses.keypoints.reshape(2000, 5, -1) for poses in (truth, found))
    order_a, order_b = np.argsort(a[:, :, 0], 1), np.argsort(b[:, :, 0], 1)
    np.testing.assert_array_equal(
        np.take_along_axis(a, order_a[..., None], 1), np.take_along_axis(b, order_b[..., None], 1)
    )
    assert (order_a != order_b).any(1).mean() > 0.9


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_miss_is_the_share_of_people_not_found(truth, share):
    found = detections(truth, **{**CLEAN, "miss": share})
    assert 1 - len(found.keypoints) / len(truth.keypoints) == pytest.approx(share, abs=0.02)


def test_joint_drop_is_the_share_of_joints_that_lack(truth):
    found = detections(truth, **{**CLEAN, "joint_drop": 0.2})
    assert (found.joint_visibility == 0).mean() == pytest.approx(0.2, abs=0.01)
    assert not found.keypoints[found.joint_visibility == 0].any()
    assert not found.joint_scores[found.joint_visibility == 0].any()


def test_hidden_joints_can_be_dropped_alone():
    truth = scene(0, frames=100)
    found = detections(truth, **CLEAN, hidden_drop=1, min_joints=0)
    assert (found.joint_visibility > 0).sum() == (truth.joint_visibility == 2).sum()


def test_people_with_few_joints_are_not_found(truth):
    found = detections(truth, **{**CLEAN, "joint_drop": 0.7}, min_joints=5)
    assert (found.joint_visibility > 0).sum(1).min() == 5


def test_errors_are_exponential_in_head_sizes(truth):
    one = truth.select(truth.track_ids == 2)
    found = detections(one, **{**CLEAN, "jitter": 0.3})
    error = np.linalg.norm(found.keypoints - one.keypoints, axis=-1) / head_sizes(one)[:, None]
    assert error.mean() == pytest.approx(0.3, rel=0.03)
    assert np.median(error) == pytest.approx(0.3 * np.log(2), rel=0.03)


def test_scores_fall_with_the_error(truth):
    one = truth.select(truth.track_ids == 2)
    found = detections(one, **{**CLEAN, "jitter": 0.3})
    error = np.linalg.norm(found.keypoints - one.keypoints, axis=-1) / head_sizes(one)[:, None]
    near, far = found.joint_scores[error < 0.1], found.joint_scores[error > 0.5]
    assert near.mean() > 0.85
    assert far.mean() < 0.4
    np.testing.assert_allclose(found.scores, found.joint_scores.mean(1), rtol=1e-5)
    assert found.joint_scores.min() >= np.float32(0.02)
    assert found.joint_scores.max() <= 1


def test_false_positives_come_at_most_once_a_frame_with_low_scores(truth):
    found = detections(truth, **{**CLEAN, "false_positives": 0.4})
    extra = np.diff(found.frame_offsets) - 5
    assert set(extra.tolist()) == {0, 1}
    assert extra.mean() == pytest.approx(0.4, abs=0.04)
    assert (found.scores < 0.5).sum() == extra.sum()


def test_frames_without_people_stay_empty(truth):
    nobody = truth.select(np.zeros(len(truth.keypoints), bool))
    assert len(detections(nobody, false_positives=1).keypoints) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"jitter": -1}, "jitter must be at least 0, got -1"),
        ({"miss": 1.5}, "miss must be between 0 and 1, got 1.5"),
        ({"false_positives": -0.1}, "false_positives must be between 0 and 1, got -0.1"),
    ],
)
def test_bad_arguments_are_named(truth, arguments, message):
    with pytest.raises(ValueError, match=message):
        detections(truth, **arguments)


def test_default_rates_are_those_of_the_shared_detections():
    folder = Path(os.environ.get("PTFAST_DATA", Path(__file__).parents[3] / "shared" / "data")) / "posetrack"
    if not folder.is_dir():
        pytest.skip(f"the PoseTrack sequences are not at {folder}; set PTFAST_DATA")
    from ptfast.io import read_sequences

    truth = Poses.concatenate(list(read_sequences(folder / "annotations" / "val").values()))
    given = Poses.concatenate(list(read_sequences(folder / "detections" / "val").values()))
    made = detections(truth)
    assert len(made.keypoints) == pytest.approx(len(given.keypoints), rel=0.02)
    for column in ("joint_scores", "scores"):
        a, b = (np.quantile(getattr(poses, column), [0.1, 0.25, 0.5, 0.75]) for poses in (made, given))
        np.testing.assert_allclose(a, b, atol=0.03)
