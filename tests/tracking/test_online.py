"""OnlineLinker: the ids of link, one frame at a time."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ptfast.skeletons import COCO_17, POSETRACK_15
from ptfast.structures import Poses
from ptfast.synthetic import detections
from ptfast.tracking import OnlineLinker, link

DATA = Path(os.environ.get("PTFAST_DATA", Path(__file__).parents[2].parent / "shared" / "data"))


def scene(frames: int = 40, people: int = 6, seed: int = 0) -> Poses:
    rng = np.random.default_rng(seed)
    start, speed = rng.uniform(0, 500, (people, 1, 2)), rng.uniform(-8, 8, (people, 1, 2))
    body = rng.uniform(-40, 40, (people, 15, 2))
    keypoints = start + np.arange(frames)[:, None, None, None] * speed + body
    exact = Poses(keypoints.reshape(-1, 15, 2), np.arange(frames + 1) * people, POSETRACK_15)
    return detections(exact, seed, miss=0.2)


def online_ids(poses: Poses, linker: OnlineLinker) -> np.ndarray:
    return np.concatenate([linker.update(poses.frame(f)).track_ids for f in range(len(poses))])


def iou_like(earlier: Poses, current: Poses) -> np.ndarray:
    return np.abs(earlier.boxes[:, None, 0] - current.boxes[None, :, 0]) / 100


@pytest.mark.parametrize("motion", ["none", "velocity"])
@pytest.mark.parametrize("cost", ["oks", "iou", "pckh", iou_like])
@pytest.mark.parametrize("lookback", [1, 4])
@pytest.mark.parametrize("max_tracks", [None, 3])
def test_online_ids_equal_those_of_the_whole_video(
    motion: str, cost: object, lookback: int, max_tracks: int | None
) -> None:
    arguments = {"motion": motion, "cost": cost, "lookback": lookback, "max_tracks": max_tracks}
    for seed in range(3):
        poses = scene(seed=seed)
        np.testing.assert_array_equal(online_ids(poses, OnlineLinker(**arguments)), link(poses, **arguments).track_ids)


@pytest.mark.parametrize(
    "folder",
    [
        *(f"posetrack/{part}" for part in ("annotations/train", "annotations/val", "detections/val")),
        *(f"somof/{part}" for part in ("train", "val")),
        *(f"poseval_golden/{part}" for part in ("gt17", "gt18", "pred17", "pred18")),
    ],
)
def test_online_ids_equal_those_of_the_whole_video_on_real_sequences(folder: str) -> None:
    if not (DATA / folder).is_dir():
        pytest.skip(f"needs {DATA / folder}; set PTFAST_DATA")
    from ptfast.io import read_sequences

    for poses in read_sequences(DATA / folder).values():
        for motion in ("none", "velocity"):
            ids = online_ids(poses, OnlineLinker(motion=motion))
            np.testing.assert_array_equal(ids, link(poses, motion=motion).track_ids)


def test_reset_starts_afresh_and_linkers_share_nothing() -> None:
    poses = scene()
    first, second = OnlineLinker(), OnlineLinker()
    expected = online_ids(poses, first)
    np.testing.assert_array_equal(online_ids(poses, second), expected)
    first.reset()
    np.testing.assert_array_equal(online_ids(poses, first), expected)


def test_a_reset_that_keeps_ids_goes_on_counting() -> None:
    poses = scene()
    linker, other = OnlineLinker(max_tracks=4), OnlineLinker()
    expected = online_ids(poses, linker)
    linker.reset(keep_ids=True)
    linker.reset(keep_ids=True)
    assert linker.lost_tracks() == []
    again = online_ids(poses, linker)
    np.testing.assert_array_equal(again, np.where(expected < 0, -1, expected + expected.max() + 1))
    assert set(linker.lost_tracks()) <= set(again.tolist())
    linker.reset()
    np.testing.assert_array_equal(online_ids(poses, linker), expected)
    other.reset(keep_ids=True)
    assert other.update(poses.frame(0)).track_ids.tolist() == [*range(len(poses.frame(0).scores))]


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_frames_may_be_arrays_of_a_known_skeleton(kind: str) -> None:
    poses = scene()
    linker = OnlineLinker(skeleton=POSETRACK_15, min_score=None)
    scored = OnlineLinker(skeleton=POSETRACK_15, min_score=None)
    expected = link(replace(poses, boxes=None, scores=None, joint_scores=None)).track_ids
    expected_scored = link(replace(poses, boxes=None, scores=None), min_score=None).track_ids
    ids, scored_ids = [], []
    for frame in poses:
        keypoints = np.where(frame.joint_visibility[..., None] > 0, frame.keypoints, np.nan)
        with_scores = np.concatenate([keypoints, frame.joint_scores[..., None]], -1)
        if kind == "torch":
            torch = pytest.importorskip("torch")
            keypoints, with_scores = torch.from_numpy(keypoints), torch.from_numpy(with_scores)
        tracked = linker.update(keypoints)
        assert isinstance(tracked, Poses) and tracked.skeleton == POSETRACK_15
        assert isinstance(tracked.track_ids, type(keypoints)) or len(keypoints) == 0
        ids.append(np.asarray(tracked.track_ids))
        scored_ids.append(np.asarray(scored.update(with_scores).track_ids))
    np.testing.assert_array_equal(np.concatenate(ids), expected)
    np.testing.assert_array_equal(np.concatenate(scored_ids), expected_scored)


def test_a_joint_of_an_array_that_is_nan_is_absent() -> None:
    keypoints = np.random.default_rng(0).uniform(0, 60, (2, 15, 2))
    keypoints[0, 4] = np.nan
    keypoints[1] = np.nan
    linker = OnlineLinker(skeleton=POSETRACK_15, keep_filtered=True)
    tracked = linker.update(keypoints)
    assert tracked.track_ids.tolist() == [0, -1]
    assert (tracked.joint_visibility[0] == 0).tolist() == [k == 4 for k in range(15)]
    assert linker.update(np.zeros((0, 15, 2))).track_ids.tolist() == []
    assert linker.update(keypoints[:1]).track_ids.tolist() == [0]


def test_an_array_of_an_unknown_or_another_skeleton_is_an_error() -> None:
    with pytest.raises(TypeError, match="frame_poses must be Poses where the linker was made without a skeleton, got"):
        OnlineLinker().update(np.zeros((1, 15, 2)))
    linker = OnlineLinker(skeleton=POSETRACK_15)
    with pytest.raises(ValueError, match=r"\(1, 17, 2\)"):
        linker.update(np.zeros((1, 17, 2)))
    with pytest.raises(ValueError, match="frame_poses must have the skeleton posetrack_15, got coco_17"):
        linker.update(Poses(np.zeros((1, 17, 2)), [0, 1], COCO_17))
    linker.update(np.zeros((1, 15, 2)))
    linker.reset()
    with pytest.raises(ValueError, match="frame_poses must have the skeleton posetrack_15, got coco_17"):
        linker.update(Poses(np.zeros((1, 17, 2)), [0, 1], COCO_17))


def test_lost_tracks_are_those_that_the_next_frame_may_take_up() -> None:
    body = np.random.default_rng(0).uniform(0, 60, (1, 15, 2))
    both = Poses(np.concatenate([body, body + 300]), [0, 2], POSETRACK_15)
    one = Poses(body, [0, 1], POSETRACK_15)
    linker = OnlineLinker(lookback=3)
    assert linker.lost_tracks() == []
    linker.update(both)
    assert linker.lost_tracks() == []
    for expected in ([1], [1], []):
        linker.update(one)
        assert linker.lost_tracks() == expected
    assert linker.update(both).track_ids.tolist() == [0, 2]


def test_frames_without_people_are_frames() -> None:
    nobody = Poses(np.zeros((0, 15, 2)), [0, 0], POSETRACK_15)
    someone = Poses(np.random.default_rng(0).uniform(0, 60, (1, 15, 2)), [0, 1], POSETRACK_15)
    linker = OnlineLinker(lookback=2)
    ids = [linker.update(frame).track_ids.tolist() for frame in (someone, nobody, someone, nobody, nobody, someone)]
    assert ids == [[0], [], [0], [], [], [1]]


def test_more_than_one_frame_and_another_skeleton_are_errors() -> None:
    linker = OnlineLinker()
    with pytest.raises(ValueError, match="frame_poses must hold one frame, got 40"):
        linker.update(scene())
    linker.update(scene().frame(0))
    with pytest.raises(ValueError, match="frame_poses must have the skeleton posetrack_15, got coco_17"):
        linker.update(Poses(np.zeros((1, 17, 2)), [0, 1], COCO_17))


def test_a_cost_that_raises_leaves_the_linker_as_it_was() -> None:
    poses = scene()
    fail = False

    def cost(earlier: Poses, current: Poses) -> np.ndarray:
        if fail:
            raise KeyError("no cost today")
        return iou_like(earlier, current)

    linker = OnlineLinker(cost=cost, lookback=2)
    ids = []
    for f in range(len(poses)):
        fail = f % 7 == 5
        if fail:
            with pytest.raises(KeyError, match="no cost today"):
                linker.update(poses.frame(f))
        fail = False
        ids.append(linker.update(poses.frame(f)).track_ids)
    np.testing.assert_array_equal(np.concatenate(ids), link(poses, cost=iou_like, lookback=2).track_ids)


@pytest.mark.parametrize("call", ["update", "reset"])
def test_a_cost_that_calls_its_own_linker_is_refused(call: str) -> None:
    poses = scene()

    def cost(earlier: Poses, current: Poses) -> np.ndarray:
        if meddling:
            linker.update(poses.frame(7)) if call == "update" else linker.reset()
        return iou_like(earlier, current)

    linker = OnlineLinker(cost=cost)
    meddling = True
    linker.update(poses.frame(0))
    with pytest.raises(RuntimeError, match="a cost function must not update or reset the linker that calls it"):
        linker.update(poses.frame(1))
    meddling = False
    expected = link(poses[:2], cost=iou_like).frame(1).track_ids
    np.testing.assert_array_equal(linker.update(poses.frame(1)).track_ids, expected)


def test_threads_may_share_a_linker() -> None:
    """Whose frame comes first is up to them; each frame is linked whole."""
    poses, linker = scene(frames=300), OnlineLinker()
    threads = [threading.Thread(target=online_ids, args=(poses, linker)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert linker.update(poses.frame(0)).track_ids.min() >= 0
