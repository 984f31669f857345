"""Simple Baselines from frames to tracks, with a detector, a pose network and a flow that know the truth."""

from __future__ import annotations

import resource
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from ptfast.io import Frame
from ptfast.methods import SimpleBaselines
from ptfast.methods.simple_baselines import Config
from ptfast.pipeline.flow import DenseFlow, load_point_flow
from ptfast.skeletons import COCO_17
from ptfast.structures import Poses

SIZE = (320, 240)
SHAPE = np.stack(np.meshgrid(np.linspace(0, 20, 4), np.linspace(0, 60, 5)), -1).reshape(-1, 2)[:17]  # (17, 2)
HALF = np.array([20, 60]) / 2


@dataclass
class World:
    """People whose places (F, P, 2) are known in F frames, NaN where they are not there; a frame's image is its number.

    Attributes:
        places: Upper left corners of their joints.
        missed: (frame, person) whom the detector misses.
        jitter: Pixels, standard deviation, by which joints are misplaced.
        weak: Joints whose score is 0.1.
    """

    places: np.ndarray
    missed: set[tuple[int, int]] = field(default_factory=set)
    jitter: float = 0.0
    weak: tuple[int, ...] = ()
    asked: list[int] = field(default_factory=list)

    def images(self, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
        return [np.full((size[1], size[0], 3), number, np.uint8) for number in range(len(self.places))]

    def joints(self, frame: int) -> np.ndarray:
        """(P, 17, 2) of those who are there."""
        places = self.places[frame]
        return (places[~np.isnan(places[:, 0])][:, None] + SHAPE).astype(np.float32)

    def detect(self, frames: Sequence[Frame], keys: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
        found = []
        for key in keys:
            number = int(frames[key].image[0, 0, 0])  # type: ignore[index]
            there = [
                place
                for person, place in enumerate(self.places[number])
                if not np.isnan(place[0]) and (number, person) not in self.missed
            ]
            corners = np.array(there, np.float32).reshape(-1, 2)
            found.append((np.concatenate([corners, corners + 2 * HALF], 1), np.full(len(there), 0.9)))
        return found

    def joints_in(self, frames: Sequence[Frame], boxes: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The joints of the person nearest to each box's middle; where there is nobody, low scores."""
        number = int(frames[0].image[0, 0, 0])  # type: ignore[index]
        truth, middles = self.joints(number), (boxes[:, :2] + boxes[:, 2:]) / 2
        noise = np.random.default_rng(number).normal(0, 1, (len(boxes), 17, 2)) * self.jitter
        scores = np.full((len(boxes), 1, 17), 0.9, np.float32)
        scores[..., list(self.weak)] = 0.1
        if not len(truth):
            return np.zeros((len(boxes), 1, 17, 2), np.float32), 0 * scores
        far = np.linalg.norm(truth[None, :, 0] + HALF - middles[:, None], axis=-1)  # (M, P)
        scores[far.min(1) > 40] = 0.0
        return (truth[far.argmin(1)] + noise)[:, None].astype(np.float32), scores

    def flow(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The exact flow, of people and of 5 pixels about them."""
        now, then = int(first[0, 0, 0]), int(second[0, 0, 0])
        self.asked.append(now)
        field = np.zeros((*first.shape[:2], 2), np.float32)
        for place, later in zip(self.places[now], self.places[then], strict=True):
            if not np.isnan(place[0]):
                x, y = np.maximum(place - 5, 0).astype(int)
                step = np.zeros(2) if np.isnan(later[0]) else later - place
                field[y : int(place[1]) + 66, x : int(place[0]) + 26] = step
        return field

    def method(self, *, detect: Callable | None = None, **settings: object) -> SimpleBaselines:
        config = Config(**settings)  # type: ignore[arg-type]
        return SimpleBaselines(detect or self.detect, self.joints_in, DenseFlow(self.flow), COCO_17, config)

    def track(self, **settings: object) -> Poses:
        return self.method(**settings).track(self.images())


def line(frames: int, *people: tuple[float, float, float, float]) -> np.ndarray:
    """(F, P, 2) places of people that start at (x, y) and go (dx, dy) in each frame."""
    starts = np.array(people, float)
    return starts[None, :, :2] + np.arange(frames)[:, None, None] * starts[None, :, 2:]


def switches(poses: Poses, world: World) -> int:
    """Changes of id of the world's people, from frame to frame in which they are found."""
    last: dict[int, int] = {}
    count = 0
    for number, frame in enumerate(poses):
        for joints, one in zip(frame.keypoints, frame.track_ids, strict=True):
            person = int(np.nanargmin(np.abs(world.places[number] - joints[0]).sum(1)))
            count += last.get(person, one) != one
            last[person] = int(one)
    return count


def counts(poses: Poses) -> list[int]:
    return np.diff(poses.frame_offsets).tolist()


WALK = World(line(6, (10, 10, 6, 2), (200, 150, -5, -3)))


@pytest.mark.parametrize("similarity", ["bbox", "pose", "flow", "multi-flow"])
@pytest.mark.parametrize("matcher", ["greedy", "hungarian"])
def test_people_who_walk_keep_their_ids(similarity: str, matcher: str) -> None:
    tracks = WALK.track(similarity=similarity, matcher=matcher)
    assert counts(tracks) == [2] * 6 and switches(tracks, WALK) == 0
    assert sorted(set(tracks.track_ids.tolist())) == [0, 1]
    np.testing.assert_allclose(tracks.frame(3).keypoints[np.argsort(tracks.frame(3).track_ids)], WALK.joints(3))


@pytest.mark.parametrize("chained", [True, False])
def test_carried_poses_stand_where_the_people_are(chained: bool) -> None:
    for number, record in enumerate(WALK.method(chained=chained, queue_length=3).detect(WALK.images())):
        ago = record.features["frames_ago"]
        assert sorted(ago.tolist()) == sorted([d for d in range(min(number, 3) + 1) for _ in range(2)])
        for person in (0, 1):
            of_person = record.keypoints[np.abs(record.keypoints[:, 0] - WALK.places[number, person]).sum(1) < 1]
            np.testing.assert_allclose(of_person, np.repeat(WALK.joints(number)[[person]], len(ago) // 2, 0), atol=1e-3)


def test_a_chain_takes_one_field_a_frame_and_else_one_for_each_frame_of_the_queue() -> None:
    for chained, wanted in ((True, [0, 1, 2, 3, 4]), (False, [0, 1, 0, 2, 1, 0, 3, 2, 1, 4, 3, 2])):
        world = World(WALK.places)
        world.track(chained=chained, queue_length=3)
        assert world.asked == wanted
    still = World(WALK.places)
    still.track(similarity="pose", propagate=False)
    assert still.asked == []


def test_somebody_whom_the_detector_misses_is_found_by_flow() -> None:
    world = World(WALK.places, missed={(2, 0), (3, 0), (3, 1)})
    tracks = world.track()
    assert counts(tracks) == [2] * 6 and switches(tracks, world) == 0
    assert counts(world.track(propagate=False)) == [2, 2, 1, 0, 2, 2]
    boxes = tracks.frame(2).boxes[np.abs(tracks.frame(2).keypoints[:, 0] - world.places[2, 0]).sum(1) < 1]
    x, y = world.places[2, 0]
    np.testing.assert_allclose(boxes, [[x - 1.5, y - 4.5, x + 21.5, y + 64.5]], atol=1e-3)  # 7.5 % on each side


def test_a_persons_score_falls_while_flow_alone_proposes_them() -> None:
    world = World(WALK.places, missed={(2, 0), (3, 0)})
    tracks = world.track(propagated_score=0.5)
    scores = tracks.scores[tracks.track_ids == 0]
    np.testing.assert_allclose(scores, 0.81 * np.array([1, 1, 0.5, 0.25, 1, 1]), rtol=1e-5)


def test_a_person_whom_nobody_detects_is_dropped_in_the_end() -> None:
    world = World(line(9, (50, 60, 3, 0)), missed={(frame, 0) for frame in range(1, 9)})
    for limit in (0, 3, 8):
        assert counts(world.track(max_undetected=limit)) == [1] * (limit + 1) + [0] * (8 - limit)
    found = World(world.places, missed=world.missed - {(4, 0)})
    assert counts(found.track(max_undetected=3)) == [1] * 8 + [0]  # counted anew after frame 4
    gone = World(np.where(np.arange(9)[:, None, None] < 2, world.places, np.nan))
    assert counts(gone.track()) == [1, 1] + [0] * 7  # the network sees nobody in the box


def test_a_person_whom_the_pose_network_hardly_sees_is_carried_no_further() -> None:
    missed = {(2, 0), (3, 0)}
    world = World(line(6, (50, 60, 3, 0)), missed=missed, weak=tuple(range(10)))  # a mean of (10 * 0.1 + 7 * 0.9) / 17
    assert counts(world.track()) == [1] * 6
    assert counts(world.track(min_propagated_score=0.44)) == [1, 1, 0, 0, 1, 1]
    assert counts(world.track(min_propagated_score=None)) == [1] * 6


def test_flow_follows_fast_motion_where_poses_and_boxes_do_not() -> None:
    """People who run in file, each to where the next one was: their ids move up by boxes and by poses alone."""
    runners = World(line(5, (10, 20, 52, 0), (60, 20, 52, 0)))
    by_similarity = {name: switches(runners.track(similarity=name), runners) for name in ("bbox", "pose", "flow")}
    assert by_similarity["flow"] == 0 and by_similarity["bbox"] > 0 and by_similarity["pose"] > 0


def test_many_frames_relink_somebody_who_was_hidden() -> None:
    """multi-flow >= flow >= pose: someone is hidden for two frames while they, and the one beside them, run."""
    world = World(line(7, (10, 20, 40, 0), (10, 120, 40, 0)), missed={(2, 0), (3, 0)})
    wrong = {
        name: switches(world.track(similarity=name, propagate=False, max_cost=0.5), world)
        for name in ("pose", "flow", "multi-flow")
    }
    assert wrong["multi-flow"] == 0 and wrong["flow"] == 1 and wrong["pose"] > wrong["flow"]
    assert switches(world.track(propagate=False, max_cost=0.5, queue_length=2), world) == 1
    assert switches(world.track(propagate=False, max_cost=0.5, chained=False), world) == 0


def test_joints_under_the_threshold_do_not_count_but_stay() -> None:
    world = World(WALK.places, weak=(0, 1, 2, 3), missed={(2, 0)})
    tracks = world.track()
    assert tracks.joint_scores.min() < 0.2 and (tracks.joint_visibility == 2).all() and switches(tracks, world) == 0
    box = tracks.frame(2).boxes[np.abs(tracks.frame(2).boxes[:, 0] - world.places[2, 0, 0]) < 5][0]
    assert box[3] - box[1] == pytest.approx(45 * 1.15)  # the upper row of joints is not in it
    assert len(world.track(min_joint_score=0.95).scores) == 0


def test_boxes_and_poses_under_the_thresholds_are_told_from_those_that_are_not_there() -> None:
    def detect(frames: Sequence[Frame], keys: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(boxes, np.array([0.9, 0.3])) for boxes, _ in WALK.detect(frames, keys)]

    method = WALK.method(detect=detect, propagate=False)
    record = next(method.detect(WALK.images()))
    assert (record.joint_visibility > 0).any(1).tolist() == [True, False] and method.count(record) == 1
    assert counts(method.track(WALK.images())) == [1] * 6
    assert counts(WALK.track(min_score=0.9)) == [0] * 6
    for record in WALK.method(min_score=0.9).detect(WALK.images()):
        assert len(record.scores) == 2  # who is not tracked is not in Q


def test_one_person_in_two_boxes_is_one() -> None:
    def detect(frames: Sequence[Frame], keys: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
        found = WALK.detect(frames, keys)
        return [(np.concatenate([b, b + 9]), np.concatenate([s, s - 0.1])) for b, s in found]

    assert counts(WALK.method(detect=detect).track(WALK.images())) == [2] * 6


def cut() -> tuple[World, list[np.ndarray]]:
    """Two people walk; from frame 3 on another scene has two at the same places, one of whom the detector misses."""
    rng = np.random.default_rng(0)
    world = World(line(6, (40, 60, 3, 1), (200, 90, -2, 1)), missed={(3, 1), (4, 1), (5, 1)})
    scenes = [rng.integers(0, 256, (240, 320, 3), np.uint8) for _ in range(2)]
    images = [np.roll(scenes[number >= 3], (number, 2 * number), (0, 1)) for number in range(6)]
    for number, image in enumerate(images):
        image[0, 0] = number
    return world, images


@pytest.mark.parametrize("similarity", ["pose", "flow", "multi-flow"])
@pytest.mark.parametrize("flow", ["farneback", "dis", "sparse"])
def test_a_cut_ends_tracks_and_propagation(similarity: str, flow: str) -> None:
    world, images = cut()
    config = Config(similarity=similarity)  # type: ignore[arg-type]
    method = SimpleBaselines(world.detect, world.joints_in, load_point_flow(flow), COCO_17, config)
    tracks = method.track(images)
    assert counts(tracks) == [2, 2, 2, 1, 1, 1]
    before, after = set(tracks[:3].track_ids.tolist()), set(tracks[3:].track_ids.tolist())
    assert len(before) == 2 and len(after) == 1 and not before & after


def test_lost_frames_have_nobody_and_ids_go_on() -> None:
    images: list[np.ndarray | None] = [*WALK.images()]
    images[2] = images[3] = None
    with pytest.warns(UserWarning):
        tracks = WALK.method(similarity="flow").track(images)  # type: ignore[arg-type]
    assert counts(tracks) == [2, 2, 0, 0, 2, 2] and switches(tracks, WALK) == 0


def test_everybody_is_lost_in_a_lost_frame() -> None:
    images: list[np.ndarray | None] = [*WALK.images()]
    images[2] = None
    method = WALK.method(similarity="flow")
    linker = method.linker()
    with pytest.warns(UserWarning):
        records = list(method.detect(images))  # type: ignore[arg-type]
    lost = []
    for record in records[:4]:
        linker.update(record)
        lost.append(linker.lost_tracks())
    assert lost == [[], [], [0, 1], []]


def test_tentative_tracks_are_left_out() -> None:
    scores = [record.scores.max() for record in WALK.method().detect(WALK.images())]
    never, always = max(scores) + 1, min(scores) / 2
    assert counts(WALK.track(min_new_score=never)) == [0] * 6
    assert counts(WALK.track(min_new_score=float(always))) == [2] * 6


def test_nothing_is_carried_into_frames_of_another_size() -> None:
    images = [*WALK.images()[:3], *WALK.images((330, 240))[3:]]
    tracks = WALK.method().track(images)
    assert counts(tracks) == [2] * 6 and len(set(tracks.track_ids.tolist())) == 4
    assert tracks.frame_size.tolist() == [[320, 240]] * 3 + [[330, 240]] * 3  # type: ignore[union-attr]


@pytest.mark.parametrize("chained", [True, False])
def test_a_frame_of_another_size_parts_those_before_it_from_those_after_it(chained: bool) -> None:
    images = WALK.images()
    images[1] = WALK.images((330, 240))[1]
    records = list(WALK.method(chained=chained).detect(images))
    ages = [sorted(set(record.features["frames_ago"].tolist())) for record in records]
    assert ages == [[0], [0], [0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]


def test_images_of_any_memory_layout_do() -> None:
    world = World(line(4, (40, 80, 2, 0)))
    texture = np.random.default_rng(0).integers(1, 256, (SIZE[1], SIZE[0] + 6, 3), np.uint8)
    images = [texture[:, 6 - 2 * number :][:, : SIZE[0]].copy() for number in range(4)]
    for number, image in enumerate(images):
        image[0, 0] = number
    method = SimpleBaselines(world.detect, world.joints_in, load_point_flow("sparse"), COCO_17)
    expected = [record.keypoints for record in method.detect(images)]
    assert [len(keypoints) for keypoints in expected] == [1, 2, 3, 4]
    for turned in (np.asfortranarray, lambda image: image[..., ::-1].copy()[..., ::-1]):
        found = [record.keypoints for record in method.detect(map(turned, images))]
        assert all(map(np.array_equal, found, expected))


def test_nobody_and_one_frame() -> None:
    nobody = World(np.full((4, 1, 2), np.nan))
    assert counts(nobody.track()) == [0] * 4
    assert counts(World(WALK.places[:1]).track()) == [2]
    with pytest.raises(ValueError, match="expected at least one frame, found none"):
        WALK.method().track([])


@pytest.mark.parametrize("settings", [{}, {"chained": False}, {"similarity": "bbox"}, {"batch": 1}])
@pytest.mark.parametrize("known", range(1, 12))
def test_detect_goes_on_after_known_frames_to_the_bit(known: int, settings: dict[str, object]) -> None:
    world = World(line(12, (10, 10, 6, 2), (200, 150, -5, -3)), missed={(5, 0), (6, 0), (8, 1)}, jitter=1.0)
    images: list[np.ndarray | None] = [*world.images()]
    images[4] = images[9] = images[10] = None
    with pytest.warns(UserWarning, match="could not be decoded"):
        records = list(world.method(**settings).detect(images))  # type: ignore[arg-type]
    method = world.method(**settings)
    again = method.frames_to_reread(np.array([record.frame_size[0] for record in records[:known]]))  # type: ignore[index]
    assert again <= known
    with warnings.catch_warnings(action="ignore"):
        rest = list(method.detect(images[known - again :], records[known - again : known]))  # type: ignore[arg-type]
    for record, expected in zip(rest, records[known:], strict=True):
        for name in ("keypoints", "joint_scores", "boxes", "scores"):
            np.testing.assert_array_equal(getattr(record, name), getattr(expected, name))
        for name, column in expected.features.items():
            np.testing.assert_array_equal(record.features[name], column)


@pytest.mark.parametrize("similarity", ["bbox", "pose", "flow", "multi-flow"])
def test_link_and_stream_and_track_are_one(similarity: str) -> None:
    world = World(WALK.places, missed={(2, 0), (3, 1)}, jitter=2.0)
    method = world.method(similarity=similarity)
    whole, records = method.track(world.images()), list(method.detect(world.images()))
    for other in (method.link(records), method.link(Poses.concatenate(records))):
        np.testing.assert_array_equal(whole.keypoints, other.keypoints)
        np.testing.assert_array_equal(whole.track_ids, other.track_ids)
        np.testing.assert_array_equal(whole.frame_offsets, other.frame_offsets)
    assert whole.features == {} and (whole.frame_ids == np.arange(6)).all()


def test_memory_does_not_grow_with_the_video() -> None:
    method = WALK.method()

    def frames(count: int) -> Iterator[np.ndarray]:
        images = WALK.images()
        return (images[min(index % 10, 10 - index % 10)].copy() for index in range(count))

    for _ in method.stream(frames(100)):
        pass
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert sum(1 for _ in method.stream(frames(400))) == 400
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 1024  # KiB; the images are 90 MiB


def test_a_wrong_setting_is_named() -> None:
    for name, value in (("similarity", "iou"), ("max_overlap", 2), ("queue_length", 0), ("enlargement", -1)):
        with pytest.raises(ValueError, match=f"{name} must be"):
            Config(**{name: value})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"max_undetected must be an integer, got 2\.5"):
        Config(max_undetected=2.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="flow must be given for propagate True and similarity 'bbox', got None"):
        SimpleBaselines(WALK.detect, WALK.joints_in, None, config=Config(similarity="bbox"))
    with pytest.raises(ValueError, match="detector must give boxes for each of 4 frames, got 0"):
        WALK.method(detect=lambda frames, keys: []).track(WALK.images())
