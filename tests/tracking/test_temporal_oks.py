"""Temporal OKS by hand-made poses: where people are looked for, and which poses stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ptfast.reference.oks import oks_matrix
from ptfast.skeletons import COCO_17
from ptfast.structures import Poses
from ptfast.tracking import search_boxes, temporal_oks
from ptfast.tracking.temporal_oks import is_alike

SHAPE = np.stack(np.meshgrid(np.linspace(0, 20, 4), np.linspace(0, 60, 5)), -1).reshape(-1, 2)[:17]  # (17, 2)


def people(places: list[tuple[float, float]], scores: float | np.ndarray = 0.9) -> Poses:
    """Poses of one frame whose joints' extents are 20 by 60 pixels from a place on."""
    keypoints = (np.array(places).reshape(-1, 1, 2) + SHAPE).astype(np.float32)
    joint_scores = np.broadcast_to(np.float32(scores), keypoints.shape[:2])
    return Poses(keypoints, np.array([0, len(keypoints)]), COCO_17, joint_scores=joint_scores)


def test_boxes_are_the_joints_extent_a_quarter_larger() -> None:
    boxes, rows = search_boxes(people([(10, 20), (100, 50)]))
    np.testing.assert_allclose(boxes, [[7.5, 12.5, 32.5, 87.5], [97.5, 42.5, 122.5, 117.5]])
    assert rows.tolist() == [0, 1] and boxes.dtype == np.float32
    np.testing.assert_allclose(search_boxes(people([(10, 20)]), enlargement=1.4)[0], [[6, 8, 34, 92]], rtol=1e-6)


def test_joints_that_do_not_count_are_not_in_a_box() -> None:
    scores = np.full((1, 17), 0.9)
    scores[0, :4] = 0.05  # the upper row
    boxes, _ = search_boxes(people([(0, 0)], scores))
    np.testing.assert_allclose(boxes, [[-2.5, 15 - 45 / 8, 22.5, 60 + 45 / 8]])
    np.testing.assert_allclose(search_boxes(people([(0, 0)], scores), min_joint_score=None)[0][0, 1], -7.5)


def test_nobody_is_looked_for_outside_of_the_image_or_by_joints_in_a_line() -> None:
    poses = people([(10, 10), (330, 10), (-30, 10), (10, -70), (310, 10)])
    assert search_boxes(poses, frame_size=(320, 240))[1].tolist() == [0, 4]
    scores = np.zeros((1, 17))
    scores[0, :4] = 0.9
    assert len(search_boxes(people([(10, 10)], scores))[0]) == 0
    assert len(search_boxes(people([]))[0]) == 0


def test_oks_is_at_the_mean_of_both_areas_over_joints_that_count_in_both() -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.uniform(0, 30, (4, 17, 2)).astype(np.float32) for _ in range(2))
    scores = [rng.uniform(0, 0.4, (4, 17)) for _ in range(2)]
    offsets = np.array([0, 4])
    earlier, again = (Poses(k, offsets, COCO_17, joint_scores=s) for k, s in zip((a, b), scores, strict=True))
    counts = [s >= 0.1 for s in (earlier.joint_scores, again.joint_scores)]
    areas = []
    for points, count in zip((a, b), counts, strict=True):
        inside = [p[c] for p, c in zip(points, count, strict=True)]
        areas.append(np.array([np.prod(p.max(0) - p.min(0)) for p in inside]))
    expected = oks_matrix(
        a, b, area=tuple(areas), sigmas=np.array(COCO_17.sigmas), a_visible=counts[0], b_visible=counts[1]
    )
    np.testing.assert_allclose(is_alike(earlier, again, 0.1), np.diag(expected), rtol=1e-4)


def test_who_was_missed_is_found_again_and_who_is_not_there_any_more_is_not() -> None:
    earlier = people([(10, 10), (100, 10), (200, 10)])
    again = people([(11, 10), (102, 11), (260, 10)])
    poses, of = temporal_oks(people([(11, 11)]), earlier, again)
    assert of.tolist() == [0, -1] and len(poses) == 1
    np.testing.assert_allclose(poses.keypoints[:, 0], [[11, 11], [102, 11]])
    poses, of = temporal_oks(people([(11, 11)]), earlier, again, min_oks=0)
    assert of.tolist() == [0, -1, -1]


def test_the_pose_whose_joints_are_surer_stays_whatever_its_box_scores() -> None:
    earlier = people([(10, 10)])
    for low, high, kept in ((0.5, 0.8, 12), (0.8, 0.5, 10)):
        detected = replace(people([(10, 10)], low), scores=np.float32([0.99]))
        again = replace(people([(12, 10)], high), scores=np.float32([0.01]))
        poses, of = temporal_oks(detected, earlier, again)
        assert poses.keypoints[:, 0, 0].tolist() == [kept] and of.tolist() == [0]


def test_joints_that_do_not_count_add_nothing_to_a_poses_confidence() -> None:
    sure, weak = np.full((1, 17), 0.3), np.full((1, 17), 0.09)
    sure[0, 8:], weak[0, :3] = 0.02, 0.7  # means of those that count: 0.14 and 0.12; of all: 0.15 and 0.20
    poses, _ = temporal_oks(people([(10, 10)], weak), people([(10, 10)]), people([(11, 10)], sure))
    assert poses.keypoints[:, 0, 0].tolist() == [11]


def test_the_threshold_decides_what_is_a_double() -> None:
    detected = people([(10, 10), (10, 13)])
    oks = oks_matrix(
        detected.keypoints[:1], detected.keypoints[1:], area=np.array([1200.0]), sigmas=np.array(COCO_17.sigmas)
    )[0, 0]
    nobody = people([])
    for limit, count in ((oks - 0.01, 1), (oks + 0.01, 2)):
        poses, of = temporal_oks(detected, nobody, nobody, max_oks=limit)
        assert of.tolist() == [0, 1][:count] and len(poses.scores) == count


def test_columns_travel_and_frames_have_no_name() -> None:
    detected, again = people([(10, 10)]), people([(100, 10)])
    detected = replace(detected, features={"mark": np.array([1])}, frame_names=("a",), frame_ids=np.array([4]))
    again = replace(again, features={"mark": np.array([2])})
    poses, _ = temporal_oks(detected, people([(100, 10)]), again)
    assert poses.features["mark"].tolist() == [1, 2] and poses.frame_names is None and poses.frame_ids is None


def test_nobody_before_and_nobody_now() -> None:
    nobody = people([])
    poses, of = temporal_oks(nobody, nobody, nobody)
    assert len(poses) == 1 and len(poses.scores) == 0 and len(of) == 0
    poses, of = temporal_oks(nobody, people([(5, 5)]), people([(5, 5)]))
    assert len(poses.scores) == 1 and of.tolist() == [-1]


def test_wrong_arguments_are_named() -> None:
    one, nobody = people([(1, 1)]), people([])
    with pytest.raises(ValueError, match=r"again\.keypoints must have shape"):
        temporal_oks(nobody, one, nobody)
    with pytest.raises(ValueError, match="min_oks"):
        temporal_oks(nobody, one, one, min_oks=2)
    with pytest.raises(ValueError, match="max_oks"):
        temporal_oks(nobody, one, one, max_oks=-1)
    with pytest.raises(ValueError, match="enlargement"):
        search_boxes(one, enlargement=-1)
