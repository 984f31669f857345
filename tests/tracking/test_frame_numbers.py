"""Frames are numbers: a gap of frame_ids is a gap in time for every linker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses
from ptfast.tracking import OnlineLinker, TrackLinker, link, link_tracks
from ptfast.tracking.frame_numbers import FrameClock, frame_steps, with_gaps

BODY = np.stack([np.linspace(-20, 20, 15), np.linspace(-40, 40, 15)], -1)
PLAIN = {"min_score": None, "min_joint_score": None}


class Centres:
    """An association by the distance of boxes' corners, whose state is that corner."""

    def observe(self, poses: Poses) -> np.ndarray:
        return poses.boxes[:, :2]

    def costs(self, states: np.ndarray, observation: np.ndarray, unseen: np.ndarray) -> np.ndarray:
        return np.abs(states[:, None] - observation[None]).sum(2)

    def advance(
        self, states: np.ndarray, observation: np.ndarray, previous: np.ndarray, steps: np.ndarray
    ) -> np.ndarray:
        return observation

    def start(self) -> np.ndarray:
        return np.zeros((0, 2), np.float32)

    def select(self, states: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return states[rows]

    def concatenate(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate(parts)


def corners(earlier: Poses, current: Poses) -> np.ndarray:
    return np.abs(earlier.boxes[:, None, :2] - current.boxes[None, :, :2]).sum(2) / 100


def at(*frames: Sequence[float], frame_ids: Sequence[int] | None) -> Poses:
    """People at these places along x, frame by frame."""
    keypoints = np.array([BODY + np.array([x, 0]) for frame in frames for x in frame]).reshape(-1, 15, 2)
    return Poses(keypoints, np.cumsum([0, *map(len, frames)]), POSETRACK_15, frame_ids=frame_ids)


def crowd(seed: int, frames: int = 40, people: int = 6) -> Poses:
    """People who walk past each other, in frames that are numbered with gaps of all sizes."""
    rng = np.random.default_rng(seed)
    frame_ids = np.cumsum(rng.choice([1, 1, 1, 2, 3, 9], frames)) * 5 + 10
    place = rng.uniform(0, 300, (people, 1, 2)) + frame_ids[:, None, None, None] * rng.uniform(-1, 1, (people, 1, 2))
    present = rng.random((frames, people)) < 0.8
    keypoints = (place + BODY + rng.normal(0, 1, (frames, people, 15, 2)))[present]
    return Poses(keypoints, np.cumsum([0, *present.sum(1)]), POSETRACK_15, frame_ids=frame_ids)


def with_empty_frames(poses: Poses) -> Poses:
    """The same video without numbers, each one that is left out a frame without anybody."""
    counts: list[int] = []
    for steps, count in zip([1, *naive_steps(poses.frame_ids.tolist())], np.diff(poses.frame_offsets), strict=True):
        counts += [0] * (steps - 1) + [count]
    return replace(poses, frame_offsets=np.cumsum([0, *counts]), frame_ids=None)


def naive_steps(numbers: list[int]) -> list[int]:
    """Steps by exact fractions, rounded with halves down."""
    steps: list[int] = []
    for f in range(1, len(numbers)):
        smallest = min(numbers[g] - numbers[g - 1] for g in range(1, f + 1))
        exact = Fraction(numbers[f] - numbers[f - 1], smallest)
        steps.append(-int(-(exact - Fraction(1, 2)) // 1))
    return steps


def clock_steps(numbers: Sequence[int]) -> list[int]:
    clock, times = FrameClock(), []
    for number in numbers:
        clock = clock.tick(at([], frame_ids=[number]))
        times.append(clock.time)
    return np.diff(times).tolist()


@pytest.mark.parametrize(
    ("numbers", "steps"),
    [
        ([5, 10, 15, 25], [1, 1, 2]),
        ([10002300010001, 10002300010002, 10002300010003], [1, 1]),
        ([0, 3, 4, 6], [1, 1, 2]),
        ([0, 2, 5, 7, 10], [1, 1, 1, 1]),
        ([-3, 7], [1]),
        ([-(2**63), -(2**63) + 1, 2**63 - 1], [1, 2**64 - 2]),
        ([4], []),
        ([], []),
    ],
)
def test_numbers_are_counted_in_units_of_the_smallest_step_so_far(numbers: list[int], steps: list[int]) -> None:
    assert frame_steps(np.array(numbers, np.int64)).tolist() == steps
    assert naive_steps(numbers) == steps
    assert clock_steps(numbers) == steps


def test_steps_equal_those_of_exact_fractions() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        numbers = np.cumsum(rng.integers(1, 30, 20)) - 40
        assert frame_steps(numbers).tolist() == naive_steps(numbers.tolist()) == clock_steps(numbers)


@pytest.mark.parametrize("motion", ["none", "velocity"])
@pytest.mark.parametrize("cost", ["oks", "iou", "pckh", corners])
@pytest.mark.parametrize("lookback", [1, 3, 6])
def test_a_gap_of_numbers_is_as_many_frames_without_anybody(motion: str, cost: object, lookback: int) -> None:
    arguments, gaps_matter = {"motion": motion, "cost": cost, "lookback": lookback}, False
    for seed in range(4):
        poses = crowd(seed)
        linked = link(poses, **arguments)
        expected = link(with_empty_frames(poses), **arguments).track_ids
        np.testing.assert_array_equal(linked.track_ids, expected)
        np.testing.assert_array_equal(linked.frame_ids, poses.frame_ids)
        linker = OnlineLinker(**arguments)
        online = [linker.update(frame) for frame in poses]
        np.testing.assert_array_equal(np.concatenate([frame.track_ids for frame in online]), expected)
        gaps_matter |= expected.tolist() != link(replace(poses, frame_ids=None), **arguments).track_ids.tolist()
    assert gaps_matter


@pytest.mark.parametrize("lookback", [1, 3, 6])
def test_a_gap_of_numbers_is_as_many_frames_for_a_track_linker(lookback: int) -> None:
    arguments = {"lookback": lookback, "max_cost": 60.0}
    for seed in range(4):
        poses = crowd(seed)
        expected = link_tracks(with_empty_frames(poses), Centres(), **arguments).track_ids
        np.testing.assert_array_equal(link_tracks(poses, Centres(), **arguments).track_ids, expected)
    assert expected.tolist() != link_tracks(replace(poses, frame_ids=None), Centres(), **arguments).track_ids.tolist()


def test_a_person_is_lost_by_numbers_not_by_position() -> None:
    frames = [[100], [100], [100]]
    assert link(at(*frames, frame_ids=[1, 2, 13])).track_ids.tolist() == [0, 0, 1]
    assert link(at(*frames, frame_ids=[1, 2, 6])).track_ids.tolist() == [0, 0, 0]
    assert link(at(*frames, frame_ids=[1, 2, 6]), lookback=3).track_ids.tolist() == [0, 0, 1]


def test_a_velocity_is_one_of_numbers() -> None:
    """Who walks 30 pixels a frame is 90 further on after three; somebody else stands where they were."""
    frames = [[100], [130], [160], [250, 160]]
    assert link(at(*frames, frame_ids=[1, 2, 3, 6])).track_ids.tolist() == [0, 0, 0, 0, 1]
    assert link(at(*frames, frame_ids=[1, 2, 3, 4])).track_ids.tolist() == [0, 0, 0, 1, 0]


def test_every_fifth_frame_of_a_video_links_as_frames_that_follow_each_other() -> None:
    poses = crowd(0)
    counted = replace(poses, frame_ids=np.arange(len(poses)))
    expected = link(replace(poses, frame_ids=None)).track_ids
    for numbers in (counted.frame_ids, 5 * counted.frame_ids + 3, 10002300010001 + counted.frame_ids):
        np.testing.assert_array_equal(link(replace(poses, frame_ids=numbers)).track_ids, expected)


def test_numbers_that_do_not_rise_are_an_error_that_says_where() -> None:
    poses = at([100], [100], [100], frame_ids=[0, 10, 2])
    with pytest.raises(ValueError, match="frame_ids must rise, got 2 after 10 at frame 2"):
        link(poses)
    with pytest.raises(ValueError, match="frame_ids must rise, got 2 after 10 at frame 2"):
        link_tracks(poses, Centres())
    for linker in (OnlineLinker(), TrackLinker(Centres())):
        linker.update(poses.frame(1))
        for frame in (1, 2):
            with pytest.raises(ValueError, match=r"frame_ids must rise, got \d+ after 10; reset\(\) starts another"):
                linker.update(poses.frame(frame))
        linker.reset()
        assert linker.update(poses.frame(2)).track_ids.tolist() == [0]


def test_some_frames_with_a_number_and_some_without_are_an_error() -> None:
    numbered, bare = at([100], frame_ids=[7]), at([100], frame_ids=None)
    for linker in (OnlineLinker(), TrackLinker(Centres())):
        linker.update(numbered)
        with pytest.raises(ValueError, match="frame_ids must be there in every frame or in none, got None after 7"):
            linker.update(bare)
        linker.reset()
        linker.update(bare)
        with pytest.raises(ValueError, match="frame_ids must be there in every frame or in none, got 7 after None"):
            linker.update(numbered)


def test_a_gap_adds_no_more_frames_than_linking_looks_back() -> None:
    offsets, frames = with_gaps(np.array([0, 2, 2, 5]), np.array([-(2**62), 1 - 2**62, 2**62]), lookback=3)
    assert offsets.tolist() == [0, 2, 2, 2, 2, 2, 5]
    assert frames.tolist() == [0, 1, 2, 2, 2, 2]
    for numbers in ([0, 1, 2**62], [-(2**63), -(2**63) + 1, 2**63 - 1]):
        poses = at([100], [100], [100], frame_ids=numbers)
        linker, tracks = OnlineLinker(), TrackLinker(Centres())
        assert link(poses).track_ids.tolist() == [0, 0, 1]
        assert [int(linker.update(frame).track_ids[0]) for frame in poses] == [0, 0, 1]
        assert [int(tracks.update(frame).track_ids[0]) for frame in poses] == [0, 0, 1]


@pytest.mark.parametrize("failures", [1, 3])
def test_a_cost_that_raises_after_a_gap_counts_the_gap_once(failures: int) -> None:
    """Who is missed in numbers 2 to 4 may return at 5, not if the gap before 4 were counted for each failure."""
    poses, fail = at([100, 300], [100], [100], [100, 300], frame_ids=[1, 2, 4, 5]), False

    def cost(earlier: Poses, current: Poses) -> np.ndarray:
        if fail:
            raise KeyError("no cost today")
        return corners(earlier, current)

    linker, ids = OnlineLinker(cost=cost, lookback=4), []
    for f, frame in enumerate(poses):
        fail = f == 2
        for _ in range(failures if fail else 0):
            with pytest.raises(KeyError, match="no cost today"):
                linker.update(frame)
        fail = False
        ids += linker.update(frame).track_ids.tolist()
    assert ids == [0, 1, 0, 0, 0, 1]


def test_a_cost_is_asked_about_the_video_s_own_frames() -> None:
    poses, asked = crowd(2), set()

    def cost(earlier: Poses, current: Poses) -> np.ndarray:
        asked.add((int(earlier.frame_ids[0]), int(current.frame_ids[0])))
        return corners(earlier, current)

    link(poses, cost=cost)
    whole, asked = asked, set()
    linker = OnlineLinker(cost=cost)
    for frame in poses:
        linker.update(frame)
    assert whole == asked
    assert all(a < b <= a + 20 for a, b in whole)
