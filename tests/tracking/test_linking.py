"""link: against its specification, its semantics on hand-made scenes, and its errors."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import ptfast
from ptfast.reference.linking import link_ids
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses
from ptfast.synthetic import detections
from ptfast.tracking import link

KEEP_ALL = {"min_score": None, "min_joint_score": None}


def walkers(frames: int, people: int, seed: int = 0, pan: float = 0.0) -> Poses:
    """People who walk on straight lines that cross, with a camera that pans; everybody in every frame, in order."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, 600, (people, 2))
    speed = rng.uniform(-6, 6, (people, 2)) + np.array([pan, 0])
    shape = rng.uniform(-40, 40, (people, 15, 2)) + rng.normal(0, 1, (frames, people, 15, 2))
    keypoints = (start + np.arange(frames)[:, None, None] * speed)[:, :, None] + shape
    offsets = np.arange(frames + 1) * people
    return Poses(keypoints.reshape(-1, 15, 2), offsets, POSETRACK_15, track_ids=np.tile(np.arange(people), frames))


def at(*people: tuple[float, float]) -> np.ndarray:
    """(N, 15, 2): one pose, 40 pixels wide and 80 high, at each of the places."""
    body = np.stack([np.linspace(-20, 20, 15), np.linspace(-40, 40, 15)], -1)
    return np.array(people, np.float64).reshape(-1, 1, 2) + body


def video(*frames: np.ndarray) -> Poses:
    return Poses(np.concatenate(frames), np.cumsum([0, *map(len, frames)]), POSETRACK_15)


@pytest.mark.parametrize("motion", ["none", "velocity"])
@pytest.mark.parametrize("lookback", [1, 3])
@pytest.mark.parametrize(("max_cost", "sigma_scale"), [(None, 12.0), (0.9, 2.0)])
def test_ids_equal_the_specification(motion: str, lookback: int, max_cost: float | None, sigma_scale: float) -> None:
    for seed in range(4):
        poses = detections(walkers(30, 7, seed, pan=8.0 * seed), seed, jitter=0.1)
        arguments = {"motion": motion, "lookback": lookback, "max_cost": max_cost, "sigma_scale": sigma_scale}
        np.testing.assert_array_equal(link(poses, **arguments, **KEEP_ALL).track_ids, link_ids(poses, **arguments))


@pytest.mark.parametrize("cost", ["oks", "iou", "pckh"])
@pytest.mark.parametrize("matcher", ["hungarian", "greedy"])
def test_every_cost_and_matcher_follows_people_who_stand_apart(cost: str, matcher: str) -> None:
    poses = video(*[at((100 + t, 100), (300 - t, 100), (200, 300 + t)) for t in range(10)])
    ids = link(poses, cost=cost, matcher=matcher, motion="none").track_ids
    np.testing.assert_array_equal(ids.reshape(10, 3), np.tile([0, 1, 2], (10, 1)))


def test_a_person_missed_for_two_frames_returns_with_lookback_three() -> None:
    one, two = at((100, 100)), at((100, 100), (400, 100))
    poses = video(two, one, one, two)
    assert link(poses, lookback=3).track_ids.tolist() == [0, 1, 0, 0, 0, 1]
    assert link(poses, lookback=2).track_ids.tolist() == [0, 1, 0, 0, 0, 2]


def test_without_max_cost_every_possible_pair_is_made() -> None:
    poses = video(at((100, 100)), at((5000, 5000)))
    detect_and_track = {"cost": "iou", "motion": "none", "lookback": 1}
    assert link(poses, **detect_and_track, max_cost=None).track_ids.tolist() == [0, 0]
    assert link(poses, **detect_and_track, max_cost=0.9).track_ids.tolist() == [0, 1]


def test_velocity_follows_people_who_pass_each_other() -> None:
    poses = video(*[at((100 + 30 * t, 100), (400 - 30 * t, 104)) for t in range(11)])
    ids = link(poses, motion="velocity").track_ids.reshape(11, 2)
    assert (ids == [0, 1]).all()


def test_common_shift_follows_a_jerking_camera() -> None:
    """The first person lands nearer to where the second was; the other two tell that everybody moved."""
    jerk = [0, 0, 30, 30, 0, 0, 30]
    poses = video(*[at((100 + x, 100), (150 + x, 100), (260 + x, 100), (420 + x, 100)) for x in jerk])
    assert (link(poses, motion="velocity").track_ids.reshape(7, 4) == [0, 1, 2, 3]).all()
    assert not (link(poses, motion="none").track_ids.reshape(7, 4) == [0, 1, 2, 3]).all()


def test_filters_drop_poses_and_mark_joints_absent() -> None:
    poses = video(at((100, 100), (300, 100)), at((100, 100), (300, 100)))
    joint_scores = np.ones((4, 15), np.float32)
    joint_scores[1, :5] = 0.1
    joint_scores[3] = 0.1
    poses = replace(poses, joint_scores=joint_scores, scores=np.array([0.9, 0.9, 0.2, 0.9]))
    linked = link(poses, min_score=0.5, min_joint_score=0.3)
    assert np.diff(linked.frame_offsets).tolist() == [2, 0]
    assert (linked.joint_visibility[1] == [0] * 5 + [2] * 10).all()
    kept = link(poses, min_score=0.5, min_joint_score=0.3, keep_filtered=True)
    assert kept.track_ids.tolist() == [0, 1, -1, -1]
    assert (kept.joint_visibility == 2).all()


def test_max_tracks_lets_tracks_go_on_before_new_ones_start() -> None:
    poses = video(at((100, 100)), at((500, 100), (100, 100), (300, 100)), at((300, 100), (100, 100)))
    assert link(poses, max_tracks=2).track_ids.tolist() == [0, 1, 0, -1, 2, 0]
    assert link(poses, max_tracks=1).track_ids.tolist() == [0, -1, 0, -1, -1, 0]


def test_a_function_as_cost_gives_the_ids_of_the_same_built_in_cost() -> None:
    poses = detections(walkers(20, 5, 3), 1)

    def cost(earlier: Poses, current: Poses) -> np.ndarray:
        return 1 - ptfast.ops.iou_matrix(earlier.boxes, current.boxes)

    for motion in ("none", "velocity"):
        expected = link(poses, cost="iou", motion=motion).track_ids
        np.testing.assert_array_equal(link(poses, cost=cost, motion=motion).track_ids, expected)


def test_a_function_as_cost_that_returns_a_wrong_shape_is_an_error() -> None:
    poses = video(at((0, 0), (100, 0)), at((0, 0)))
    with pytest.raises(
        ValueError, match=r"cost must return numbers of shape \(2, 1\) without NaN or -inf, got \(1, 2\)"
    ):
        link(poses, cost=lambda earlier, current: np.zeros((1, 2)))


def test_ids_do_not_depend_on_the_number_of_threads() -> None:
    poses = detections(walkers(600, 12, 5), 2)
    try:
        ids = []
        for threads in (1, 2, 5):
            ptfast.set_num_threads(threads)
            ids.append(link(poses, motion="none").track_ids)
    finally:
        ptfast.set_num_threads(0)
    assert (ids[0] == ids[1]).all() and (ids[0] == ids[2]).all()


@pytest.mark.parametrize("frames", [0, 1, 5])
def test_empty_videos_and_frames(frames: int) -> None:
    poses = Poses(np.zeros((0, 15, 2)), np.zeros(frames + 1, int), POSETRACK_15)
    assert len(link(poses)) == frames
    assert link(poses).track_ids.shape == (0,)


def test_tensors_in_give_tensors_out() -> None:
    torch = pytest.importorskip("torch")
    poses = walkers(5, 3)
    linked = link(poses.to("cpu"))
    assert isinstance(linked.track_ids, torch.Tensor)
    np.testing.assert_array_equal(linked.track_ids.numpy(), link(poses).track_ids)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cost": "l2"}, "cost must be 'oks', 'iou', 'pckh' or a function of two Poses, got 'l2'"),
        ({"matcher": "best"}, "matcher must be 'hungarian' or 'greedy', got 'best'"),
        ({"motion": "kalman"}, "motion must be 'none' or 'velocity', got 'kalman'"),
        ({"lookback": 0}, "lookback must be between 1 and 2147483647, got 0"),
        ({"sigma_scale": 0.0}, "sigma_scale must be positive, got 0.0"),
        ({"lookback": 2**70}, f"lookback must be between 1 and 2147483647, got {2**70}"),
        ({"max_cost": float("nan")}, "max_cost must be a number or None, got nan"),
        ({"min_score": float("nan")}, "min_score must be a number or None, got nan"),
        ({"min_joint_score": float("nan")}, "min_joint_score must be a number or None, got nan"),
        ({"max_tracks": 0}, "max_tracks must be between 1 and 2147483647, got 0"),
    ],
)
def test_arguments_out_of_range_are_errors(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        link(video(at((0, 0))), **arguments)


@pytest.mark.parametrize("name", ["sigma_scale", "max_cost", "min_score", "min_joint_score"])
@pytest.mark.parametrize("value", [[1.0, 2.0], "0.5"])
def test_a_setting_that_is_no_number_is_named(name: str, value: object) -> None:
    with pytest.raises(TypeError, match=f"^{name} must be a number.*, got {re.escape(repr(value))}$"):
        link(video(at((0, 0))), **{name: value})


def test_a_nan_coordinate_is_an_error_where_the_joint_exists() -> None:
    poses = video(at((0, 0), (9, 9)))
    poses.keypoints[1, 3, 0] = np.nan
    with pytest.raises(ValueError, match=r"keypoints must be finite, got nan at \(1, 3, 0\)"):
        link(poses)
    poses.joint_visibility[1, 3] = 0
    assert link(poses).track_ids.tolist() == [0, 1]


def test_a_lookback_that_is_no_integer_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"lookback must be an integer, got 1\.5"):
        link(video(at((0, 0))), lookback=1.5)
    assert link(video(at((0, 0))), lookback=np.int64(3)).track_ids.tolist() == [0]


def test_frame_offsets_may_be_a_view() -> None:
    poses = walkers(2000, 3)
    view = np.repeat(poses.frame_offsets, 2).reshape(-1, 2)[:, 0]
    linked = link(replace(poses, frame_offsets=view))
    np.testing.assert_array_equal(linked.track_ids, link(poses).track_ids)
