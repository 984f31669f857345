"""Joining tracklets: equality with the plain loops, key frames that lack people, entries that do not count, streams."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import ptfast
from ptfast.reference.joining import join_tracklets as joined_plainly
from ptfast.skeletons import POSETRACK_15, POSETRACK_17
from ptfast.structures import Tracklets
from ptfast.tracking import OnlineJoiner, join_tracklets
from ptfast.tracking import _joining as core

EVERYTHING = {"min_similarity": None, "sigma_scale": 1.0, "min_joint_score": None, "matcher": "hungarian"}


def scene(
    *, length: int = 9, step: int | None = 1, people: int = 6, key_frames: int = 14, miss: float = 0.2, seed: int = 0
) -> tuple[Tracklets, np.ndarray]:
    """Tracklets of people who cross each other's ways, some missed, and the person of each. The rows are shuffled.

    Key frames are `step` frames apart, at random distances for None, and there is nobody in one of them.
    """
    rng = np.random.default_rng(seed)
    start, speed = rng.uniform(0, 250, (people, 1, 2)), rng.uniform(-6, 6, (people, 1, 2))
    body = rng.uniform(-40, 40, (people, 15, 2))
    steps = rng.integers(1, 5, key_frames) if step is None else np.full(key_frames, step)
    first = np.cumsum(steps) - steps[0] - length // 2
    frame = first[:, None] + np.arange(length)
    keypoints = start[:, None] + frame[:, None, :, None, None] * speed[:, None] + body[:, None]  # (G, P, T, K, 2)
    keypoints += rng.normal(0, 3, keypoints.shape)
    found = rng.random((key_frames, people)) >= miss
    found[key_frames // 2] = False
    who = np.broadcast_to(np.arange(people), found.shape)[found]
    order = rng.permutation(len(who))
    tracklets = Tracklets(
        keypoints=keypoints[found],
        joint_scores=rng.uniform(0, 1, (len(who), length, 15)),
        first_frame=np.broadcast_to(first[:, None], found.shape)[found],
        skeleton=POSETRACK_15,
    )
    return tracklets.select(order), who[order]


def stream(tracklets: Tracklets, joiner: OnlineJoiner, frames: int | None = None) -> np.ndarray:
    ids = np.full(len(tracklets), -1)
    for first in np.unique(tracklets.first_frame):
        rows = np.flatnonzero(tracklets.first_frame == first)
        ids[rows] = joiner.update(tracklets.select(rows), frames=frames)
    return ids


@pytest.mark.parametrize("matcher", ["hungarian", "greedy"])
@pytest.mark.parametrize("step", [*range(1, 9), None])
@pytest.mark.parametrize("length", [1, 3, 5, 7, 9])
def test_ids_equal_the_plain_loops_and_a_stream(length: int, step: int | None, matcher: str) -> None:
    for seed, options in enumerate(
        [
            {"min_similarity": 0.3, "sigma_scale": 1.0, "min_joint_score": 0.2},
            {"min_similarity": None, "sigma_scale": 8.0, "min_joint_score": None},  # wide: no similarity is 0
            {"min_similarity": 0.1, "sigma_scale": 2.0, "min_joint_score": 0.9},  # frames without joints that count
        ]
    ):
        tracklets, _ = scene(length=length, step=step, people=5, key_frames=9, seed=seed)
        frames = int(tracklets.first_frame.max()) + 3
        ids = join_tracklets(tracklets, frames=frames, matcher=matcher, **options)
        np.testing.assert_array_equal(ids, joined_plainly(tracklets, frames=frames, matcher=matcher, **options))
        online = stream(tracklets, OnlineJoiner(matcher=matcher, **options), frames=frames)
        np.testing.assert_array_equal(online, ids)


@pytest.mark.parametrize(("step", "miss"), [(1, 0.2), (2, 0.2), (4, 0)])  # nobody is missed for 9 frames
def test_people_who_cross_and_are_missed_keep_their_ids(step: int, miss: float) -> None:
    tracklets, who = scene(step=step, miss=miss, key_frames=20)
    ids = join_tracklets(tracklets)
    assert len({*zip(ids.tolist(), who.tolist(), strict=True)}) == len(set(who.tolist())) == len(set(ids.tolist()))


def test_ids_count_up_in_the_order_of_key_frames_and_rows() -> None:
    tracklets, _ = scene(miss=0, key_frames=3)
    apart = replace(tracklets, first_frame=tracklets.first_frame * 9)
    np.testing.assert_array_equal(join_tracklets(apart), np.argsort(np.argsort(apart.first_frame, kind="stable")))


def still(first_frames: list[int], places: list[float], length: int = 5) -> Tracklets:
    body = np.random.default_rng(0).uniform(0, 60, (15, 2))
    keypoints = body + np.array(places)[:, None, None, None] * np.ones((length, 1, 1))
    return Tracklets(keypoints, np.ones((len(places), length, 15)), np.array(first_frames), POSETRACK_15)


def test_clips_meet_as_long_as_they_share_a_frame() -> None:
    assert join_tracklets(still([0, 4], [0, 0])).tolist() == [0, 0]
    assert join_tracklets(still([0, 5], [0, 0])).tolist() == [0, 1]
    assert join_tracklets(still([0, 3, 7, 7], [0, 500, 500, 0])).tolist() == [0, 1, 1, 2]


def test_the_nearer_key_frame_comes_first() -> None:
    """At 2 both predecessors fit: that at 1 is nearer, though that at 0 is more alike."""
    assert join_tracklets(still([0, 1, 2], [0, 12, 0]), min_similarity=0.1).tolist() == [0, 0, 0]
    assert join_tracklets(still([0, 1, 2], [0, 12, 5]), min_similarity=0.5).tolist() == [0, 1, 1]


def test_pairs_under_the_least_similarity_are_never_made() -> None:
    pair = still([0, 1], [0, 500])
    assert join_tracklets(pair).tolist() == [0, 1]
    assert join_tracklets(pair, **EVERYTHING).tolist() == [0, 0]


def test_hungarian_takes_the_most_in_all_and_greedy_the_best_first() -> None:
    """The pair 8 apart is the best, but leaves one that is 29 apart; 9 and 12 are better together."""
    four = still([0, 0, 1, 1], [0, 20, 12, 29])
    assert join_tracklets(four, min_similarity=None).tolist() == [0, 1, 0, 1]
    assert join_tracklets(four, min_similarity=None, matcher="greedy").tolist() == [0, 1, 1, 0]


def test_entries_outside_of_the_video_do_not_count() -> None:
    """Two people who are alike only where there is no video, before it or past its end."""
    early, late = (np.where(np.arange(5)[:, None, None] == alike, 0, 500) for alike in (0, 3))
    keypoints = still([0], [0]).keypoints
    early = Tracklets(np.concatenate([keypoints, keypoints + early]), np.ones((2, 5, 15)), [-2, -1], POSETRACK_15)
    late = Tracklets(np.concatenate([keypoints, keypoints + late]), np.ones((2, 5, 15)), [3, 4], POSETRACK_15)
    assert join_tracklets(early, min_similarity=0.1).tolist() == [0, 1]
    assert join_tracklets(late, min_similarity=0.1).tolist() == [0, 0]
    assert join_tracklets(late, min_similarity=0.1, frames=7).tolist() == [0, 1]


def test_a_frame_in_which_one_of_the_two_has_no_joint_that_counts_is_left_out() -> None:
    pair = still([0, 1], [0, 0])
    keypoints, scores = pair.keypoints.copy(), np.ones((2, 5, 15), np.float32)
    keypoints[1, :3] += 500
    scores[1, :3] = 0.1
    left = replace(pair, keypoints=keypoints, joint_scores=scores)
    assert join_tracklets(left, min_similarity=0.9).tolist() == [0, 0]
    assert join_tracklets(left, min_similarity=0.9, min_joint_score=0.1).tolist() == [0, 1]
    hidden = replace(left, keypoints=np.where(scores[..., None] < 0.2, np.nan, keypoints))
    assert join_tracklets(hidden, min_similarity=0.9).tolist() == [0, 0]


def test_the_box_of_the_later_tracklet_is_the_area() -> None:
    pair = still([0, 1], [0, 10])
    small, large = [0, 0, 20, 20], [0, 0, 200, 200]
    assert join_tracklets(replace(pair, boxes=[small, large]), min_similarity=0.5).tolist() == [0, 0]
    assert join_tracklets(replace(pair, boxes=[large, small]), min_similarity=0.5).tolist() == [0, 1]


def test_nobody_and_somebody() -> None:
    none = still([0], [0]).select([])
    assert join_tracklets(none).shape == (0,) and join_tracklets(none).dtype == np.int64
    assert OnlineJoiner().update(none).shape == (0,)
    assert join_tracklets(still([7], [0])).tolist() == [0]


def test_neither_chunks_nor_threads_change_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    tracklets, _ = scene(people=23, key_frames=40)
    ids = join_tracklets(tracklets)
    ptfast.set_num_threads(1)
    monkeypatch.setattr(core, "_CHUNK_BYTES", 1)
    np.testing.assert_array_equal(join_tracklets(tracklets), ids)
    ptfast.set_num_threads(0)


def test_tensors_give_tensors() -> None:
    torch = pytest.importorskip("torch")
    tracklets, _ = scene()
    ids = join_tracklets(tracklets.to("cpu"))
    assert isinstance(ids, torch.Tensor) and ids.tolist() == join_tracklets(tracklets).tolist()
    assert isinstance(OnlineJoiner().update(tracklets.select([0]).to("cpu")), torch.Tensor)


def test_a_joiner_starts_afresh_and_keeps_only_what_may_overlap() -> None:
    joiner = OnlineJoiner()
    tracklets, _ = scene(key_frames=40)
    ids = stream(tracklets, joiner)
    assert len(joiner._recent) <= 9
    joiner.reset()
    np.testing.assert_array_equal(stream(tracklets, joiner), ids)


def test_a_joiner_refuses_what_does_not_continue_its_stream() -> None:
    joiner = OnlineJoiner()
    joiner.update(still([3], [0]))
    with pytest.raises(ValueError, match=r"tracklets must be of one key frame, got first_frame \[4, 5\]"):
        joiner.update(still([4, 5], [0, 0]))
    with pytest.raises(ValueError, match="tracklets must have first_frame after 3, the last one's, got 3"):
        joiner.update(still([3], [0]))
    with pytest.raises(ValueError, match="must hold 5 frames of posetrack_15 as before, got 7 frames of posetrack_15"):
        joiner.update(still([4], [0], length=7))
    other = Tracklets(np.zeros((1, 5, 17, 2)), np.zeros((1, 5, 17)), [4], POSETRACK_17)
    with pytest.raises(ValueError, match="must hold 5 frames of posetrack_15 as before, got 5 frames of posetrack_17"):
        joiner.update(other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_similarity": 1.5}, "min_similarity must be between 0 and 1, got 1.5"),
        ({"sigma_scale": 0}, "sigma_scale must be positive, got 0"),
        ({"min_joint_score": np.nan}, "min_joint_score must be a number or None, got nan"),
        ({"matcher": "best"}, "matcher must be 'hungarian' or 'greedy', got 'best'"),
        ({"frames": -1}, "frames must be between 0 and 2147483647, got -1"),
    ],
)
def test_what_is_out_of_range_is_an_error(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        join_tracklets(still([0], [0]), **options)


def test_a_joint_that_counts_must_have_a_place() -> None:
    pair = still([0, 1], [0, 0])
    with pytest.raises(ValueError, match=r"keypoints must be finite, got nan at \(1, 2, 3, 0\)"):
        keypoints = pair.keypoints.copy()
        keypoints[1, 2, 3, 0] = np.nan
        join_tracklets(replace(pair, keypoints=keypoints))
    with pytest.raises(ValueError, match=r"boxes must be finite, got inf at \(0, 2\)"):
        join_tracklets(replace(pair, boxes=[[0, 0, np.inf, 1], [0, 0, 1, 1]]))
