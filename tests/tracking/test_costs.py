"""Weighted costs and the features that go with poses through linking."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses
from ptfast.synthetic import detections, scene
from ptfast.tracking import FeatureStore, OnlineLinker, link, weighted_cost

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


def test_costs_are_weighed_and_summed() -> None:
    a, b = still(1, 2).frame(0), still(1, 2).frame(1)
    store = FeatureStore()
    a, b = store.attach(a, np.array([[2.0, 0], [0, 1]])), store.attach(b, np.array([[3.0, 0], [1, 1]]))
    costs = weighted_cost(1, 2, 4, features=store)(a, b)
    np.testing.assert_allclose(costs, [[0, 1 + 2 + 4 * (1 - 0.5**0.5)], [1 + 2 + 4, 4 * (1 - 0.5**0.5)]], atol=1e-6)


def test_appearance_follows_people_who_trade_places() -> None:
    poses, looks = still(-1, 2), np.array([[1.0, 0], [0, 1], [0, 1], [1, 0]])
    assert link(poses, **DETECT_AND_TRACK, cost="iou").track_ids.tolist() == [0, 1, 1, 0]
    looks = looks[[0, 1, 3, 2]]  # the people in place, with the looks of each other
    store = FeatureStore()
    cost = weighted_cost(1, 0, 4, features=store)
    assert link(store.attach(poses, looks), **DETECT_AND_TRACK, cost=cost).track_ids.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("motion", ["none", "velocity"])
@pytest.mark.parametrize("keep_filtered", [False, True])
def test_features_stay_with_their_rows_when_rows_are_dropped(found: Poses, motion: str, keep_filtered: bool) -> None:
    """A feature that says which row it belongs to: the cost must read the rows that linking kept."""
    seen = []

    class Checked(FeatureStore):
        def of(self, poses: Poses) -> np.ndarray:
            features = super().of(poses)
            rows = [np.flatnonzero(found.scores == score)[0] for score in poses.scores]
            np.testing.assert_allclose(features, angles[rows], atol=1e-6)
            seen.extend(rows)
            return features

    turn = np.arange(len(found.scores)) / len(found.scores)
    angles = np.stack([np.cos(turn), np.sin(turn)], 1)
    store = Checked()
    options = {"motion": motion, "keep_filtered": keep_filtered, "min_score": 0.7, "max_cost": 2.0}
    cost = weighted_cost(1, 0, 1, features=store)
    linked = link(store.attach(found, angles), cost=cost, **options)
    assert 0 < len(set(seen)) < len(found.scores)
    assert linked.track_ids.max() < 100

    store = Checked()
    linker = OnlineLinker(cost=weighted_cost(1, 0, 1, features=store), **options)
    rows = found.frame_offsets
    parts = [
        linker.update(store.attach(found.frame(f), angles[rows[f] : rows[f + 1]])).track_ids for f in range(len(found))
    ]
    np.testing.assert_array_equal(np.concatenate(parts), linked.track_ids)


def test_a_store_remembers_so_many_calls(found: Poses) -> None:
    store = FeatureStore(calls=2)
    ones = [np.ones((len(found.frame(f).scores), 3)) for f in range(3)]
    attached = [store.attach(found.frame(f), ones[f]) for f in range(3)]
    assert store.of(attached[1]).shape == ones[1].shape
    with pytest.raises(ValueError, match=r"poses must come from one of the latest 2 calls of FeatureStore.attach"):
        store.of(attached[0])


def test_wrong_arguments_are_errors(found: Poses) -> None:
    store = FeatureStore()
    with pytest.raises(ValueError, match="iou must be at least 0, got -1"):
        weighted_cost(-1)
    with pytest.raises(ValueError, match="one of iou, pckh and appearance must be positive"):
        weighted_cost(0)
    with pytest.raises(ValueError, match=r"features must be a FeatureStore where appearance is 0.5, got None"):
        weighted_cost(appearance=0.5)
    with pytest.raises(ValueError, match=r"features must have shape \(N, D\) with N = \d+, got \(2, 3\)"):
        store.attach(found, np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"features must be finite, got nan at \(0, 0\)"):
        store.attach(found, np.full((len(found.scores), 1), np.nan))
