"""KeyTrack from frames to tracks, with a detector and a pose network that know the truth, and a scorer of OKS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from ptfast.io import Frame
from ptfast.methods import KeyTrack
from ptfast.methods.keytrack import Config
from ptfast.ops import oks_matrix
from ptfast.pipeline.people import BODY_SHARE
from ptfast.skeletons import COCO_17, POSETRACK_15
from ptfast.structures import Poses, pose_areas
from ptfast.tracking import drop_tentative

SIZE = (320, 240)
SHAPE = np.stack(np.meshgrid(np.linspace(0, 20, 4), np.linspace(0, 60, 5)), -1).reshape(-1, 2)[:17]  # (17, 2)
HALF = np.array([20, 60]) / 2


@dataclass
class World:
    """People whose places (F, P, 2) are known in F frames, NaN where they are not there; a frame's image is its number.

    Attributes:
        places: Upper left corners of their joints.
        missed: (frame, person) whom the detector misses.
        skewed: (frame, person) whose detected box is a little off, so that their joints score low.
        shown: Boxes that the pose network has seen, in each call.
    """

    places: np.ndarray
    missed: set[tuple[int, int]] = field(default_factory=set)
    skewed: set[tuple[int, int]] = field(default_factory=set)
    shown: list[int] = field(default_factory=list)

    def images(self, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
        return [np.full((size[1], size[0], 3), number, np.uint8) for number in range(len(self.places))]

    def detect(self, frames: Sequence[Frame], keys: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
        found = []
        for key in keys:
            number = int(frames[key].image[0, 0, 0])  # type: ignore[index]
            there = [
                place + (12 if (number, person) in self.skewed else 0)
                for person, place in enumerate(self.places[number])
                if not np.isnan(place[0]) and (number, person) not in self.missed
            ]
            corners = np.array(there, np.float32).reshape(-1, 2)
            found.append((np.concatenate([corners, corners + 2 * HALF], 1), np.full(len(there), 0.9)))
        return found

    def joints_in(self, frames: Sequence[Frame], boxes: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The joints of the person nearest to each box's middle, the surer the nearer; where there is nobody, zeros."""
        number = int(frames[0].image[0, 0, 0])  # type: ignore[index]
        self.shown.append(len(boxes))
        truth = self.places[number][~np.isnan(self.places[number][:, 0])]
        scores = np.zeros((len(boxes), 1, 17), np.float32)
        if not len(truth):
            return np.zeros((len(boxes), 1, 17, 2), np.float32), scores
        far = np.linalg.norm(truth + HALF - ((boxes[:, :2] + boxes[:, 2:]) / 2)[:, None], axis=-1)  # (M, P)
        nearest = far.min(1)
        scores[:] = np.where(nearest > 40, 0, 0.9 - nearest / 100)[:, None, None]
        off = np.where(nearest > 12, 3, 0)[:, None, None]
        return (truth[far.argmin(1)][:, None] + SHAPE + off)[:, None].astype(np.float32), scores

    def match_scores(self, earlier: Poses, current: Poses, pairs: np.ndarray, frames_apart: np.ndarray) -> np.ndarray:
        a, b = pairs.T
        area, sigmas = pose_areas(current)[b][:, None], 4 * np.array(earlier.skeleton.sigmas, np.float32)
        oks = oks_matrix(earlier.keypoints[a][:, None], current.keypoints[b][:, None], area=area, sigmas=sigmas)
        return oks[:, 0, 0] ** (1 / frames_apart).astype(np.float32)

    def method(self, *, detect: Callable | None = None, **settings: object) -> KeyTrack:
        return KeyTrack(detect or self.detect, self.joints_in, self, COCO_17, Config(**settings))  # type: ignore[arg-type]

    def track(self, **settings: object) -> Poses:
        return self.method(**settings).track(self.images())


def line(frames: int, *people: tuple[float, float, float, float]) -> np.ndarray:
    """(F, P, 2) places of people that start at (x, y) and go (dx, dy) in each frame."""
    starts = np.array(people, float)
    return starts[None, :, :2] + np.arange(frames)[:, None, None] * starts[None, :, 2:]


def counts(poses: Poses) -> list[int]:
    return np.diff(poses.frame_offsets).tolist()


def people_of(poses: Poses, world: World) -> list[dict[int, int]]:
    """The id of each of the world's people in each frame in which they are found."""
    frames = []
    for number, frame in enumerate(poses):
        gap = np.abs(world.places[number][None] - frame.keypoints[:, :1]).sum(-1)
        found = np.nanargmin(gap, 1) if len(gap) else []
        frames.append({int(person): int(one) for person, one in zip(found, frame.track_ids, strict=True)})
    return frames


WALK = line(6, (10, 10, 4, 2), (200, 150, -5, -3))


@pytest.mark.parametrize("matcher", ["greedy", "hungarian"])
@pytest.mark.parametrize("temporal_oks", [True, False])
def test_people_who_walk_keep_their_ids(matcher: str, temporal_oks: bool) -> None:
    world = World(WALK)
    tracks = world.track(matcher=matcher, temporal_oks=temporal_oks)
    assert people_of(tracks, world) == [{0: 0, 1: 1}] * 6
    assert world.shown == ([2] + [4] * 5 if temporal_oks else [2] * 6)


def test_whom_the_detector_misses_temporal_oks_finds() -> None:
    world = World(WALK, missed={(2, 0), (3, 0), (3, 1)})
    assert people_of(world.track(), world) == [{0: 0, 1: 1}] * 6
    assert counts(world.track(temporal_oks=False)) == [2, 2, 1, 0, 2, 2]
    records = list(world.method().detect(world.images()))
    assert [sorted(record.features["undetected"].tolist()) for record in records] == [
        [0, 0], [0, 0], [0, 1], [1, 2], [0, 0], [0, 0],
    ]  # fmt: skip


def test_a_box_that_is_off_yields_to_that_of_the_frame_before() -> None:
    world = World(line(3, (50, 60, 0, 0)), skewed={(1, 0)})
    records = list(world.method().detect(world.images()))
    assert [len(record.scores) for record in records] == [1, 1, 1]
    np.testing.assert_allclose(records[1].keypoints[0], world.places[1, 0] + SHAPE, atol=1e-4)
    np.testing.assert_allclose(records[1].boxes, [[47.5, 52.5, 72.5, 127.5]])
    assert records[1].features["undetected"].tolist() == [0]
    np.testing.assert_allclose(records[1].features["box_score"], [0.9])
    plain = list(world.method(temporal_oks=False).detect(world.images()))
    np.testing.assert_allclose(plain[1].keypoints[0], world.places[1, 0] + SHAPE + 3, atol=1e-4)


def test_a_pose_that_is_unlike_the_one_before_is_not_that_person_found_again() -> None:
    """Someone leaves, and their box shows somebody else of whom the detector knows nothing."""
    places = np.array([[[50, 60]], [[62, 90]]], float)
    world = World(places, missed={(1, 0)})
    assert counts(world.track()) == [1, 0]
    assert counts(world.track(min_oks=0.0)) == [1, 1]


def test_a_persons_score_falls_while_nobody_detects_them_and_in_the_end_they_are_dropped() -> None:
    world = World(line(9, (50, 60, 0, 0)), missed={(frame, 0) for frame in range(1, 9)})
    tracks = world.track(propagated_score=0.5)
    np.testing.assert_allclose(tracks.scores, 0.81 * 0.5 ** np.arange(9), rtol=1e-5)
    for limit in (0, 3, 8):
        assert counts(world.track(max_undetected=limit)) == [1] * (limit + 1) + [0] * (8 - limit)
    found = World(world.places, missed=world.missed - {(4, 0)})
    assert counts(found.track(max_undetected=3)) == [1] * 8 + [0]  # counted anew after frame 4


def test_whom_the_pose_network_hardly_sees_is_lost_unless_the_detector_sees_them() -> None:
    """Somebody goes on by 15 pixels a frame, which is what the box of the frame before is off by."""
    world = World(line(3, (50, 60, 15, 0)), missed={(1, 0)})
    limits = {"min_oks": 0.0, "max_oks": 1.0}
    assert counts(world.track(min_propagated_score=0.74, **limits)) == [1, 1, 2]
    assert counts(world.track(min_propagated_score=0.76, **limits)) == [1, 0, 1]
    assert counts(World(world.places).track(min_propagated_score=0.95, max_oks=0.0, min_oks=0.0)) == [1, 1, 1]


def test_one_person_in_two_boxes_is_one() -> None:
    world = World(WALK)

    def detect(frames: Sequence[Frame], keys: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(np.concatenate([b, b + 9]), np.concatenate([s, s])) for b, s in world.detect(frames, keys)]

    assert counts(world.method(detect=detect).track(world.images())) == [2] * 6


def test_lost_frames_have_nobody_and_ids_and_people_go_on() -> None:
    world = World(line(6, (10, 10, 1, 1), (200, 150, -1, -1)), missed={(4, 0)})
    images: list[np.ndarray | None] = [*world.images()]
    images[2] = images[3] = None
    with pytest.warns(UserWarning):
        tracks = world.method().track(images)  # type: ignore[arg-type]
    assert counts(tracks) == [2, 2, 0, 0, 2, 2] and set(tracks.track_ids.tolist()) == {0, 1}


def test_nobody_is_looked_for_nor_any_id_given_on_in_frames_of_another_size() -> None:
    world = World(WALK, missed={(3, 0)})
    images = [*world.images()[:3], *world.images((330, 240))[3:]]
    tracks = world.method().track(images)
    assert counts(tracks) == [2, 2, 2, 1, 2, 2]
    assert not {*tracks[:3].track_ids.tolist()} & {*tracks[3:].track_ids.tolist()}
    assert tracks.frame_size.tolist() == [[320, 240]] * 3 + [[330, 240]] * 3  # type: ignore[union-attr]


def test_boxes_and_poses_under_the_thresholds_are_told_from_those_that_are_not_there() -> None:
    world = World(WALK)

    def detect(frames: Sequence[Frame], keys: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(boxes, np.array([0.9, 0.1])) for boxes, _ in world.detect(frames, keys)]

    method = world.method(detect=detect)
    records = list(method.detect(world.images()))
    assert (records[0].joint_visibility > 0).any(1).tolist() == [True, False] and method.count(records[0]) == 1
    assert counts(method.track(world.images())) == [1] * 6
    weak = world.method(min_score=0.85)
    assert counts(weak.track(world.images())) == [0] * 6
    assert [len(record.scores) for record in weak.detect(world.images())] == [2] * 6
    assert world.shown[-6:] == [2] * 6  # who is not tracked is not looked for


@pytest.mark.parametrize("settings", [{}, {"min_new_score": 0.8}, {"matcher": "hungarian", "lookback": 2}])
def test_stages_streams_and_interrupted_runs_give_the_same(settings: dict[str, object]) -> None:
    rng = np.random.default_rng(1)
    places = line(14, (10, 10, 6, 2), (200, 150, -5, -3), (60, 60, 2, 2), (250, 30, -9, 1)) + rng.normal(
        0, 2, (14, 4, 2)
    )
    missed = {(f, p) for f in range(1, 14) for p in range(4) if rng.uniform() < 0.3}
    world = World(places, missed, skewed={(0, 0), (0, 1), (1, 1)})
    method, images = world.method(batch=3, **settings), world.images()
    records = list(method.detect(images))
    whole, streamed = method.link(iter(records)), method.track(images)
    for column in ("keypoints", "track_ids", "scores", "boxes"):
        np.testing.assert_array_equal(getattr(whole, column), getattr(streamed, column))
    if "min_new_score" in settings:
        every = world.method(batch=3).track(images)
        assert whole.track_ids.tolist() == drop_tentative(every, 0.8).track_ids.tolist() != every.track_ids.tolist()
    sizes = np.tile(SIZE, (14, 1))
    for stop in range(1, 14):
        again = method.frames_to_reread(sizes[:stop])
        assert 1 <= again <= stop
        resumed = list(method.detect(images[stop - again :], records[stop - again : stop]))
        for mine, theirs in zip(resumed, records[stop:], strict=True):
            np.testing.assert_array_equal(mine.keypoints, theirs.keypoints)
            np.testing.assert_array_equal(mine.features["undetected"], theirs.features["undetected"])


def test_a_run_that_stopped_at_lost_frames_reads_the_last_decoded_one_again() -> None:
    sizes = np.tile(SIZE, (7, 1))
    sizes[4:] = 0
    assert World(WALK).method(batch=1).frames_to_reread(sizes) >= 4


def test_settings_that_records_depend_on() -> None:
    known = World(WALK).method().depends_on()
    assert {"min_oks", "max_undetected", "temporal_oks", "min_score", "detector", "person_poses"} <= known.keys()
    assert not {"matcher", "lookback", "neighbours", "min_match_score"} & known.keys()


def test_a_scorer_of_other_joints_is_given_its_own() -> None:
    world = World(WALK)
    names: list[str] = []

    class Fifteen:
        skeleton = POSETRACK_15

        def match_scores(self, earlier: Poses, *others: np.ndarray) -> np.ndarray:
            names.append(earlier.skeleton.name)
            return world.match_scores(earlier, *others)  # type: ignore[arg-type]

    tracks = KeyTrack(world.detect, world.joints_in, Fifteen(), COCO_17).track(world.images())  # type: ignore[arg-type]
    assert set(names) == {"posetrack_15"} and tracks.skeleton == COCO_17
    assert people_of(tracks, world) == [{0: 0, 1: 1}] * 6


def test_the_papers_constants() -> None:
    """Section 3.2 and the supplement's A.1 and A.4."""
    config = Config()
    assert (config.min_box_score, config.min_joint_score, config.enlargement) == (0.2, 0.1, 1.25)
    assert (config.min_oks, config.lookback, config.matcher) == (0.35, 4, "greedy")
    assert BODY_SHARE < 1  # areas of temporal OKS are of the joints' extents, not of shares of boxes


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_oks", 2), ("max_oks", -1), ("enlargement", -1), ("max_undetected", -1), ("lookback", 0),
        ("neighbours", 0), ("matcher", "best"), ("min_match_score", 2), ("max_speed", 0), ("batch", 0),
        ("propagated_score", 2), ("sure_margin", 2), ("min_propagated_score", float("nan")),
        ("min_box_score", float("nan")), ("min_new_score", float("nan")),
    ],
)  # fmt: skip
def test_settings_out_of_range_are_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        Config(**{name: value})  # type: ignore[arg-type]
