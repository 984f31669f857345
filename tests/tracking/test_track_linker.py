"""TrackLinker: cascade, ids and lost tracks over an association of plain NumPy, and the ids of link."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses
from ptfast.tracking import Association, OnlineLinker, TrackLinker, link, link_tracks

KEEP_ALL = {"min_score": None, "min_joint_score": None}


class Centres:
    """Distance of a pose's centre from its track's newest one; a state is that centre."""

    def observe(self, poses: Poses) -> np.ndarray:
        return centres(poses)

    def costs(self, states: np.ndarray, observation: np.ndarray, unseen: np.ndarray) -> np.ndarray:
        assert len(states) == len(unseen)
        return distances(states, observation)

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


@dataclass(frozen=True)
class Memory:
    """A track as a list has it: the number of its poses, and the frames between the last two."""

    length: int
    step: int


class Histories:
    """Gives no pair a preference, keeps a list of objects as states, and remembers what it was asked."""

    unseen: list[int] | None = None

    def observe(self, poses: Poses) -> int:
        return len(poses.scores)

    def costs(self, states: list[Memory], observation: int, unseen: np.ndarray) -> np.ndarray:
        self.unseen = unseen.tolist()
        return np.zeros((len(states), observation))

    def advance(self, states: list[Memory], observation: int, previous: np.ndarray, steps: np.ndarray) -> list[Memory]:
        lengths = [states[row].length if row >= 0 else 0 for row in previous]
        return [Memory(length + 1, step) for length, step in zip(lengths, steps, strict=True)]

    def start(self) -> list[Memory]:
        return []

    def select(self, states: list[Memory], rows: np.ndarray) -> list[Memory]:
        return [states[row] for row in rows]

    def concatenate(self, parts: Sequence[list[Memory]]) -> list[Memory]:
        return [memory for part in parts for memory in part]


def centres(poses: Poses) -> np.ndarray:
    return (poses.boxes[:, :2] + poses.boxes[:, 2:]) / 2


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs(a[:, None] - b[None]).sum(2)


def cost(earlier: Poses, current: Poses) -> np.ndarray:
    return distances(centres(earlier), centres(current))


def crowd(frames: int, people: int, seed: int) -> Poses:
    """People at whole pixels who come, go and pass each other."""
    random = np.random.default_rng([seed, frames, people])
    present = random.random((frames, people)) < 0.7
    start, speed = random.integers(0, 200, (people, 2)), random.integers(-6, 7, (people, 2))
    places = (start + np.arange(frames)[:, None, None] * speed + random.integers(-4, 5, (frames, people, 2)))[present]
    body = np.stack([np.arange(15), np.arange(15)], 1) * 2
    count = len(places)
    return Poses(
        places[:, None] + body,
        np.concatenate([[0], np.cumsum(present.sum(1))]),
        POSETRACK_15,
        scores=random.random(count),
        joint_scores=random.random((count, 15)) ** 0.3,
    )


def people(*frames: list[float]) -> Poses:
    """People at these places along x, frame by frame."""
    body = np.stack([np.arange(15), np.arange(15)], 1)
    keypoints = np.array([body + np.array([x, 0]) for frame in frames for x in frame]).reshape(-1, 15, 2)
    return Poses(keypoints, np.cumsum([0, *map(len, frames)]), POSETRACK_15)


def online_ids(poses: Poses, update: Callable[[Poses], Poses]) -> np.ndarray:
    return np.concatenate([update(poses.frame(f)).track_ids for f in range(len(poses))])


@pytest.mark.parametrize("matcher", ["hungarian", "greedy"])
@pytest.mark.parametrize("lookback", [1, 3])
@pytest.mark.parametrize(
    "options",
    [
        {"max_cost": None},
        {"max_cost": 20.0},
        {"max_cost": 20.0, "max_tracks": 3},
        {"max_cost": 15.0, "min_score": 0.3, "min_joint_score": 0.5, "keep_filtered": True, "max_tracks": 4},
    ],
)
def test_ids_are_those_of_link_with_the_same_cost(matcher: str, lookback: int, options: dict) -> None:
    settings = {**KEEP_ALL, "matcher": matcher, "lookback": lookback, **options}
    for poses in (crowd(40, 6, 0), crowd(40, 6, 1), crowd(15, 20, 2), crowd(30, 1, 3)):
        expected = link(poses, cost=cost, motion="none", **settings)
        linked = link_tracks(poses, Centres(), **settings)
        np.testing.assert_array_equal(linked.track_ids, expected.track_ids)
        np.testing.assert_array_equal(linked.joint_visibility, expected.joint_visibility)
        np.testing.assert_array_equal(linked.frame_offsets, expected.frame_offsets)


def test_a_reset_that_keeps_ids_goes_on_counting() -> None:
    poses = crowd(20, 5, 0)
    linker = TrackLinker(Centres(), max_cost=20.0, **KEEP_ALL)
    expected = online_ids(poses, linker.update)
    linker.reset(keep_ids=True)
    assert linker.lost_tracks() == []
    np.testing.assert_array_equal(online_ids(poses, linker.update), expected + expected.max() + 1)
    linker.reset()
    np.testing.assert_array_equal(online_ids(poses, linker.update), expected)


@pytest.mark.parametrize("max_tracks", [None, 3])
def test_lost_tracks_are_those_of_the_online_linker(max_tracks: int | None) -> None:
    poses, settings = crowd(60, 6, 5), {"lookback": 4, "max_cost": 20.0, "max_tracks": max_tracks, **KEEP_ALL}
    ours, theirs = TrackLinker(Centres(), **settings), OnlineLinker(cost=cost, motion="none", **settings)
    assert ours.lost_tracks() == []
    seen = []
    for frame in range(len(poses)):
        ids = [linker.update(poses.frame(frame)).track_ids.tolist() for linker in (ours, theirs)]
        assert ids[0] == ids[1]
        assert ours.lost_tracks() == theirs.lost_tracks()
        seen.append(len(ours.lost_tracks()))
    assert max(seen) > 1


def test_frame_by_frame_gives_the_ids_of_the_whole_video_and_reset_starts_afresh() -> None:
    poses = crowd(30, 6, 7)
    settings = {"lookback": 3, "max_cost": 20.0, "min_score": 0.3, "keep_filtered": True}
    whole = link_tracks(poses, Centres(), **settings).track_ids
    linker = TrackLinker(Centres(), **settings)
    for _ in range(2):
        np.testing.assert_array_equal(online_ids(poses, linker.update), whole)
        linker.reset()
        assert linker.lost_tracks() == []


def test_an_association_is_told_what_became_of_each_track() -> None:
    association = Histories()
    linker = TrackLinker(association, lookback=3)
    told = []
    for frame in range(6):
        linker.update(people([0, 50], [0], [], [0, 50], [50], [9]).frame(frame))
        told.append((association.unseen, linker._tracks.states))
    assert told[0] == (None, [Memory(1, 1), Memory(1, 1)])
    assert told[1] == ([1, 1], [Memory(2, 1), Memory(1, 1)])
    assert told[2] == ([1, 1], [Memory(2, 1), Memory(1, 1)])  # of nobody no cost is asked
    assert told[3] == ([2, 3], [Memory(3, 2), Memory(2, 3)])
    assert told[4] == ([1, 1], [Memory(4, 1), Memory(2, 3)])
    assert told[5] == ([1, 2], [Memory(5, 1), Memory(2, 3)])


@pytest.mark.parametrize(
    ("max_cost", "expected"),
    [(0.0, [2, 4, 6, 6, 6]), (None, [2, 2, 2, 2, 2])],
    ids=["every pose is a new track", "two tracks go on"],
)
def test_states_of_the_last_frames_alone_are_kept(max_cost: float | None, expected: list[int]) -> None:
    linker = TrackLinker(Centres(), lookback=3, max_cost=max_cost)
    sizes = []
    for frame in range(5):
        linker.update(people([1000 * frame, 1000 * frame + 300]))
        sizes.append(len(linker._tracks.states))
    assert sizes == expected


def test_max_tracks_lets_tracks_go_on_before_new_ones_start() -> None:
    poses = people([100], [500, 100, 300], [300, 100])
    settings = {"lookback": 2, "max_cost": 10.0}
    assert link_tracks(poses, Centres(), max_tracks=2, **settings).track_ids.tolist() == [0, 1, 0, -1, 2, 0]
    assert link_tracks(poses, Centres(), max_tracks=1, **settings).track_ids.tolist() == [0, -1, 0, -1, -1, 0]


def test_an_association_that_raises_leaves_the_linker_as_it_was() -> None:
    poses = crowd(20, 5, 1)
    settings = {"lookback": 2, "max_cost": 20.0, **KEEP_ALL}

    class Failing(Centres):
        failing = False

        def advance(self, *arguments: np.ndarray) -> np.ndarray:
            if self.failing:
                raise KeyError("no state today")
            return super().advance(*arguments)

    association = Failing()
    linker, ids = TrackLinker(association, **settings), []
    for frame in range(len(poses)):
        association.failing = True
        with pytest.raises(KeyError, match="no state today"):
            linker.update(poses.frame(frame))
        association.failing = False
        ids.append(linker.update(poses.frame(frame)).track_ids)
    np.testing.assert_array_equal(np.concatenate(ids), link_tracks(poses, Centres(), **settings).track_ids)


def test_columns_reach_the_association_and_tensors_stay_tensors() -> None:
    torch = pytest.importorskip("torch")

    class Looks(Centres):
        def observe(self, poses: Poses) -> np.ndarray:
            seen.append(poses.features["looks"])
            return centres(poses.numpy())

    poses = replace(crowd(6, 4, 2), features={"looks": np.arange(len(crowd(6, 4, 2).scores))})
    settings = {"min_score": 0.4, "max_cost": 20.0}
    for given in (poses, poses.to("cpu")):
        seen: list = []
        linked = link_tracks(given, Looks(), **settings)
        assert type(linked.track_ids) is type(seen[0]) is type(given.keypoints)
        np.testing.assert_array_equal(np.concatenate(seen), np.flatnonzero(poses.scores >= 0.4))
        np.testing.assert_array_equal(linked.track_ids, link_tracks(poses, Centres(), **settings).track_ids)
        kept = link_tracks(given, Looks(), **settings, keep_filtered=True).track_ids
        np.testing.assert_array_equal(np.asarray(kept)[poses.scores >= 0.4], linked.track_ids)
    assert torch.is_tensor(linked.track_ids)


def test_videos_of_nobody_and_of_no_frame() -> None:
    assert link_tracks(people([], [5], [], []), Centres()).track_ids.tolist() == [0]
    assert len(link_tracks(people(), Centres())) == 0


def test_wrong_costs_and_arguments_are_errors() -> None:
    class Wrong(Centres):
        def costs(self, states: np.ndarray, observation: np.ndarray, unseen: np.ndarray) -> np.ndarray:
            return values

    association: Association = Wrong()
    poses = people([0, 5], [0, 5, 9])
    values = np.zeros((3, 2))
    with pytest.raises(ValueError, match=r"costs must have shape \(N, M\) with N = 2, M = 3, got \(3, 2\)"):
        link_tracks(poses, association)
    values = np.full((2, 3), np.nan)
    with pytest.raises(ValueError, match=r"cost must not hold NaN or -inf, got nan at \(0, 0\)"):
        link_tracks(poses, association)
    with pytest.raises(ValueError, match="lookback must be between 1"):
        TrackLinker(Centres(), lookback=0)
    with pytest.raises(ValueError, match="matcher must be 'hungarian' or 'greedy', got 'best'"):
        TrackLinker(Centres(), matcher="best")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="frame_poses must hold one frame, got 2"):
        TrackLinker(Centres()).update(poses)
