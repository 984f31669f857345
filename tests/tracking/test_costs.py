"""Weighted costs and the features that go with poses through linking."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses
from ptfast.synthetic import detections, scene
from ptfast.tracking import OnlineLinker, link, weighted_cost

DETECT_AND_TRACK = {"motion": "none", "lookback": 1, "max_cost": None, "min_joint_score": None}


@pytest.fixture(scope="module")
def found() -> Poses:
    return detections(scene(3, frames=24, people=6), 3, jitter=0.3)


def still(x: float, frames: int) -> Poses:
    """Two people, 300 pixels apart, who trade places where x changes sign."""
    body = np.random.default_rng(0).uniform(0, 60, (15, 2))
    keypoints = np.concatenate([np.stack([body, body + 300])[:: 1 if f == 0 or x > 0 else -1] for f in range(frames)])
    return Poses(keypoints, 2 * np.arange(frames + 1), POSETRACK_15)


def test_one_built_in_cost_stays_native() -> None:
    assert weighted_cost() == "iou"
    assert weighted_cost(0, 1) == "pckh"
    assert callable(weighted_cost(2.0)) and callable(weighted_cost(1, 1))


@pytest.mark.parametrize(("name", "weights"), [("iou", (2.0, 0.0)), ("pckh", (0.0, 0.5))])
def test_the_functions_are_the_built_in_costs(found: Poses, name: str, weights: tuple[float, float]) -> None:
    settings = {**DETECT_AND_TRACK, "max_cost": 0.8}
    expected = link(found, cost=name, **settings).track_ids
    settings["max_cost"] *= sum(weights)
    np.testing.assert_array_equal(link(found, cost=weighted_cost(*weights), **settings).track_ids, expected)


def looking(poses: Poses, looks: np.ndarray, feature: str = "appearance") -> Poses:
    return replace(poses, features={feature: looks})


def test_costs_are_weighed_and_summed() -> None:
    a, b = still(1, 2).frame(0), still(1, 2).frame(1)
    a, b = looking(a, np.array([[2.0, 0], [0, 1]])), looking(b, np.array([[3.0, 0], [1, 1]]))
    costs = weighted_cost(1, 2, 4)(a, b)
    np.testing.assert_allclose(costs, [[0, 1 + 2 + 4 * (1 - 0.5**0.5)], [1 + 2 + 4, 4 * (1 - 0.5**0.5)]], atol=1e-6)


def test_a_feature_of_zeros_is_like_no_other() -> None:
    a, b = still(1, 2).frame(0), still(1, 2).frame(1)
    a, b = looking(a, np.array([[0.0, 0], [0, 1]])), looking(b, np.array([[0.0, 0], [0, 1]]))
    assert weighted_cost(0, 0, 1)(a, b).tolist() == [[1, 1], [1, 0]]


def test_a_column_of_any_name_is_compared() -> None:
    a, b = still(1, 2).frame(0), still(1, 2).frame(1)
    a, b = looking(a, np.eye(2), "gait"), looking(b, np.eye(2)[::-1], "gait")
    assert weighted_cost(0, 0, 1, feature="gait")(a, b).tolist() == [[1, 0], [0, 1]]


def test_appearance_follows_people_who_trade_places() -> None:
    poses, looks = still(-1, 2), np.array([[1.0, 0], [0, 1], [0, 1], [1, 0]])
    assert link(poses, **DETECT_AND_TRACK, cost="iou").track_ids.tolist() == [0, 1, 1, 0]
    looks = looks[[0, 1, 3, 2]]  # the people in place, with the looks of each other
    cost = weighted_cost(1, 0, 4)
    assert link(looking(poses, looks), **DETECT_AND_TRACK, cost=cost).track_ids.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("motion", ["none", "velocity"])
@pytest.mark.parametrize("keep_filtered", [False, True])
def test_features_stay_with_their_rows_when_rows_are_dropped(found: Poses, motion: str, keep_filtered: bool) -> None:
    """A feature that says which row it belongs to: the cost must read the rows that linking kept."""
    seen = []

    def checked(earlier: Poses, current: Poses) -> np.ndarray:
        for poses in (earlier, current):
            rows = [np.flatnonzero(found.scores == score)[0] for score in poses.scores]
            np.testing.assert_allclose(poses.features["appearance"], angles[rows], atol=1e-6)
            seen.extend(rows)
        return weighted_cost(1, 0, 1)(earlier, current)

    turn = np.arange(len(found.scores)) / len(found.scores)
    angles = np.stack([np.cos(turn), np.sin(turn)], 1)
    poses = looking(found, angles)
    options = {"motion": motion, "keep_filtered": keep_filtered, "min_score": 0.7, "max_cost": 2.0}
    linked = link(poses, cost=checked, **options)
    assert 0 < len(set(seen)) < len(found.scores)
    assert linked.track_ids.max() < 100
    assert len(linked.features["appearance"]) == len(linked.track_ids)

    linker = OnlineLinker(cost=checked, **options)
    parts = [linker.update(poses.frame(f)).track_ids for f in range(len(poses))]
    np.testing.assert_array_equal(np.concatenate(parts), linked.track_ids)


def test_wrong_arguments_are_errors(found: Poses) -> None:
    with pytest.raises(ValueError, match="iou must be at least 0, got -1"):
        weighted_cost(-1)
    with pytest.raises(ValueError, match="one of iou, pckh and appearance must be positive"):
        weighted_cost(0)


def test_wrong_features_are_errors(found: Poses) -> None:
    count, cost = len(found.scores), weighted_cost(appearance=0.5)
    with pytest.raises(ValueError, match=r"features\['appearance'\] must be there where appearance has a weight, got "):
        link(looking(found, np.ones((count, 2)), "gait"), cost=cost)
    with pytest.raises(ValueError, match=r"features\['appearance'\] must have shape \(N, D\), got \(\d+, 2, 3\)"):
        link(looking(found, np.ones((count, 2, 3))), cost=cost)
    with pytest.raises(ValueError, match=r"features\['appearance'\] must be finite, got nan at \(0, 0\)"):
        link(looking(found, np.full((count, 1), np.nan)), cost=cost)
    linker, first, second = OnlineLinker(cost=cost), found.frame(0), found.frame(1)
    linker.update(looking(first, np.ones((len(first.scores), 2))))
    with pytest.raises(
        ValueError, match=r"features\['appearance'\] must have shape \(N, D\) with D = 2, got \(\d+, 3\)"
    ):
        linker.update(looking(second, np.ones((len(second.scores), 3))))
