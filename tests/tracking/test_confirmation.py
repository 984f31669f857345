"""Tentative tracks: dropped all at once and frame by frame, and the ids that are left."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses
from ptfast.tracking import ConfirmedLinker, OnlineLinker, drop_tentative, link

LOOSE = {"min_score": None, "min_joint_score": None}


def scored(*frames: dict[int, float]) -> Poses:
    """Poses of people by track id, with their scores; row r has all its joints at (r, r)."""
    flat = [pair for frame in frames for pair in frame.items()]
    return Poses(
        keypoints=np.tile(np.arange(len(flat))[:, None, None], (1, 15, 2)),
        frame_offsets=np.cumsum([0, *map(len, frames)]),
        skeleton=POSETRACK_15,
        track_ids=np.array([track for track, _ in flat], np.int64),
        scores=np.array([score for _, score in flat], np.float32),
    )


def walkers(people: int, frames: int, seed: int) -> Poses:
    """People who walk side by side, each missing now and then, with scores at random."""
    rng = np.random.default_rng(seed)
    body = rng.uniform(0, 60, (people, 15, 2)) + 150 * np.arange(people)[:, None, None]
    there = rng.random((frames, people)) < 0.7
    points = [(body + 3 * step)[there[step]] for step in range(frames)]
    scores = [rng.uniform(0, 1, len(part)).round(2) for part in points]  # so that some equal a threshold
    return Poses.from_frames(points, scores=scores, skeleton=POSETRACK_15)


def test_a_track_is_confirmed_by_its_first_pose_of_the_score() -> None:
    video = scored({4: 0.1, 7: 0.2}, {4: 0.3, 7: 0.3, 9: 0.1}, {4: 0.1, 7: 0.1, -1: 0.05})
    kept = drop_tentative(video, 0.3)
    assert kept.keypoints[:, 0, 0].tolist() == [2, 3, 5, 6, 7]  # not the first frame, and 9 never
    assert kept.track_ids.tolist() == [0, 1, 0, 1, -1]
    assert np.diff(kept.frame_offsets).tolist() == [0, 2, 3]


def test_ids_count_from_zero_in_the_order_of_confirmation() -> None:
    kept = drop_tentative(scored({0: 0.1, 1: 0.1}, {0: 0.1, 1: 0.9}, {0: 0.9, 1: 0.1}), 0.5)
    assert kept.track_ids.tolist() == [0, 1, 0]
    assert drop_tentative(scored({5: 0.1}, {3: 0.2}), None).track_ids.tolist() == [0, 1]


@pytest.mark.parametrize("threshold", [None, 0.0, 0.6, 0.32, 0.95, 2.0])
@pytest.mark.parametrize("lookback", [1, 4])
def test_frame_by_frame_gives_the_same(threshold: float | None, lookback: int) -> None:
    video = walkers(people=5, frames=40, seed=lookback)
    whole = drop_tentative(link(video, lookback=lookback, **LOOSE), threshold)
    linker = ConfirmedLinker(OnlineLinker(lookback=lookback, **LOOSE), threshold)
    parts = [linker.update(frame) for frame in video]
    np.testing.assert_array_equal(np.concatenate([part.track_ids for part in parts]), whole.track_ids)
    np.testing.assert_array_equal(np.concatenate([part.keypoints for part in parts]), whole.keypoints)
    assert (0 < len(whole.scores) < len(video.scores)) == (threshold in (0.32, 0.6, 0.95))


def test_a_score_equal_to_the_threshold_confirms() -> None:
    for score in (0.32, 0.16, 0.26, 0.7):  # in float32 less than the number, or more
        person = np.random.default_rng(0).uniform(0, 60, (1, 15, 2))
        frame = Poses.from_frames([person], scores=[np.array([score], np.float32)], skeleton=POSETRACK_15)
        assert ConfirmedLinker(OnlineLinker(**LOOSE), score).update(frame).track_ids.tolist() == [0]
        assert drop_tentative(link(frame, **LOOSE), score).track_ids.tolist() == [0]


def test_lost_tracks_are_confirmed_ones() -> None:
    linker = ConfirmedLinker(OnlineLinker(lookback=2, **LOOSE), 0.5)
    people = np.random.default_rng(0).uniform(0, 60, (2, 15, 2)) + np.array([0, 300])[:, None, None]
    nobody = Poses.from_frames([[]], skeleton=POSETRACK_15)
    linker.update(Poses.from_frames([people], scores=[np.array([0.2, 0.9])], skeleton=POSETRACK_15))
    linker.update(nobody)
    assert linker.lost_tracks() == [0]
    linker.update(nobody)
    linker.update(nobody)
    assert linker.lost_tracks() == []


def test_memory_is_that_of_the_tracks_that_may_go_on() -> None:
    linker = ConfirmedLinker(OnlineLinker(lookback=2, **LOOSE), 0.5)
    for step in range(50):  # each frame's person is somewhere else
        person = np.random.default_rng(step).uniform(0, 60, (1, 15, 2)) + 1e4 * step
        linker.update(Poses.from_frames([person], scores=[np.array([0.9])], skeleton=POSETRACK_15))
    assert len(linker._numbers) <= 3


def test_a_threshold_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="min_new_score must be a number or None, got nan"):
        drop_tentative(scored({0: 1.0}), float("nan"))
    with pytest.raises(TypeError, match="min_new_score must be a number or None, got '1'"):
        ConfirmedLinker(OnlineLinker(), "1")  # type: ignore[arg-type]


def test_tensors_stay_tensors() -> None:
    torch = pytest.importorskip("torch")
    kept = drop_tentative(scored({4: 0.1}, {4: 0.9}).to("cpu"), 0.5)
    assert isinstance(kept.track_ids, torch.Tensor) and kept.track_ids.tolist() == [0]
