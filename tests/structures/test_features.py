"""Features: further columns that travel with the rows of Poses and Tracklets."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.skeletons import COCO_17, POSETRACK_15
from ptfast.structures import Poses, Tracklets


def poses(counts: tuple[int, ...] = (2, 0, 3, 1), **columns: object) -> Poses:
    n = sum(counts)
    return Poses(np.random.default_rng(0).uniform(0, 100, (n, 15, 2)), np.cumsum([0, *counts]), POSETRACK_15, **columns)


def with_features(counts: tuple[int, ...] = (2, 0, 3, 1)) -> Poses:
    n = sum(counts)
    return poses(counts, features={"row": np.arange(n), "carried": np.arange(30.0 * n).reshape(n, 15, 2)})


def test_features_travel_with_their_rows() -> None:
    all_poses = with_features()
    assert all_poses.frame(2).features["row"].tolist() == [2, 3, 4]
    assert all_poses[::-1].features["row"].tolist() == [5, 2, 3, 4, 0, 1]
    kept = all_poses.select(np.array([True, False, False, True, True, False]))
    np.testing.assert_array_equal(kept.features["carried"], all_poses.features["carried"][[0, 3, 4]])
    joined = Poses.concatenate([all_poses, kept])
    assert joined.features["row"].tolist() == [0, 1, 2, 3, 4, 5, 0, 3, 4]
    assert joined.features["row"].dtype == np.int64 and joined.features["carried"].dtype == np.float64
    assert all_poses.with_track_ids(np.zeros(6)).to_skeleton(COCO_17).features["row"].tolist() == [*range(6)]


def test_features_follow_to_torch_and_back() -> None:
    torch = pytest.importorskip("torch")
    tensors = with_features().to("cpu")
    assert tensors.features["row"].dtype == torch.int64 and tensors.frame(2).features["carried"].shape == (3, 15, 2)
    mixed = poses(features={"row": torch.arange(6)})
    assert isinstance(mixed.features["row"], np.ndarray)
    np.testing.assert_array_equal(tensors.numpy().features["row"], mixed.features["row"])


def test_features_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match=r"features\['look'\] must have shape \(N, ...\) with N = 6, got \(5, 3\)"):
        poses(features={"look": np.zeros((5, 3))})
    with pytest.raises(TypeError, match="features must be a mapping from names to columns"):
        poses(features=[np.zeros(6)])
    with pytest.raises(ValueError, match=r"features\['row'\] must be there in all parts or in none"):
        Poses.concatenate([with_features(), poses()])


def test_the_callers_dictionary_may_change() -> None:
    given = {"row": np.arange(6)}
    made = poses(features=given)
    given["more"] = np.zeros(1)
    assert made.features.keys() == {"row"}


def test_tracklets_have_features_too() -> None:
    made = Tracklets(
        np.zeros((3, 5, 15, 2)), np.zeros((3, 5, 15)), np.arange(3), POSETRACK_15, features={"look": np.eye(3)}
    )
    np.testing.assert_array_equal(made.select(np.array([2, 0])).features["look"], np.eye(3)[[2, 0]])
    assert Tracklets.concatenate([made, made]).features["look"].shape == (6, 3)
    with pytest.raises(ValueError, match=r"features\['look'\] must have shape \(N, ...\) with N = 3, got \(2,\)"):
        Tracklets(made.keypoints, made.joint_scores, made.first_frame, POSETRACK_15, features={"look": np.zeros(2)})
