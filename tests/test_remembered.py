"""Films of the studies, whose networks see everything once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from remembered import DROPPED, RememberedBoxes, RememberedPoses, Shown, TrueFlow, WithoutSome

from ptfast.io import Frame
from ptfast.methods import SimpleBaselines
from ptfast.methods.simple_baselines import Config
from ptfast.pipeline import given_boxes
from ptfast.structures import Poses
from ptfast.synthetic import Film, render

FRAME = Frame(np.zeros((20, 20, 3), np.uint8), "", 7)


class Network:
    """A detector or pose network that counts what it is shown; the joints are the corners of the box."""

    def __init__(self) -> None:
        self.seen = 0

    def boxes(self, frames: Sequence[Frame], keys: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
        self.seen += len(keys)
        count = 1000
        return [(np.full((count, 4), frames[key].index, np.float32), np.arange(count) / count) for key in keys]

    def joints(self, frames: Sequence[Frame], boxes: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.seen += len(boxes)
        return boxes.reshape(-1, 1, 2, 2), np.full((len(boxes), 1, 2), frames[0].index)


def test_a_frame_is_seen_once_and_the_weak_detector_always_misses_the_same_boxes() -> None:
    network = Network()
    strong = RememberedBoxes(network.boxes)
    weak = WithoutSome(strong, DROPPED, 3)
    [(boxes, scores)], [(_, again)] = weak([FRAME], [0]), weak([FRAME], [0])
    [(_, everything)] = strong([FRAME], [0])
    assert network.seen == 1 and len(everything) == 1000 and len(boxes) == len(scores)
    assert 620 < len(scores) < 780 and set(scores) < set(everything)
    np.testing.assert_array_equal(scores, again)
    [(_, others)] = WithoutSome(strong, DROPPED, 4)([FRAME], [0])
    assert set(others) != set(scores)


def test_a_box_is_seen_once_in_each_frame() -> None:
    network = Network()
    poses = RememberedPoses(network.joints)
    boxes, index = np.arange(12, dtype=np.float32).reshape(3, 4), np.zeros((3, 1), np.int64)
    poses([FRAME], boxes[:2], index[:2])
    keypoints, scores = poses([FRAME], boxes[[2, 0, 1]], index)
    assert network.seen == 3
    np.testing.assert_array_equal(keypoints, boxes[[2, 0, 1]].reshape(3, 1, 2, 2))
    _, scores = poses([Frame(FRAME.image, "", 8)], boxes[:1], index[:1])
    assert network.seen == 4 and (scores == 8).all()


@pytest.fixture(scope="module")
def film() -> Film:
    return render(5, frames=4, people=3, size=(96, 64), pan=4)


class Truth:
    """A pose network that knows the people's joints in the order of their boxes."""

    def __init__(self, truth: Poses) -> None:
        self.truth = truth

    def __call__(self, frames: Sequence[Frame], boxes: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        people = self.truth.frame(frames[0].index)
        rows = np.abs(people.boxes - boxes[:, None]).sum(2).argmin(1)
        return people.keypoints[rows][:, None], np.ones((len(boxes), 1, people.keypoints.shape[1]), np.float32)


def test_the_true_flow_is_the_renderers(film: Film) -> None:
    images = list(film)
    flow = TrueFlow(film, images)
    prepared = [flow.prepare(image) for image in images]
    np.testing.assert_array_equal(flow.between(*prepared[1:3]).full(), film.frame(1, flow=True).flow)
    with pytest.raises(ValueError, match="second must be frame 1, got 2: the flow to others is not known"):
        flow.between(prepared[0], prepared[2])


def test_a_film_is_tracked_by_its_true_flow(film: Film) -> None:
    shown = Shown(film, 0, given_boxes(film.poses), Truth(film.poses), frames=3)
    assert len(shown.images) == len(shown.truth) == 3
    method = SimpleBaselines(
        shown.detectors["strong"], shown.person_poses, shown.true_flow, shown.truth.skeleton, Config(max_oks=1.0)
    )
    tracks = method.track(shown.images)
    own = [dict(zip(map(bytes, frame.keypoints), frame.track_ids, strict=True)) for frame in tracks]
    wanted = [dict(zip(map(bytes, frame.keypoints), frame.track_ids, strict=True)) for frame in shown.truth]
    assert [people.keys() for people in own] == [people.keys() for people in wanted]
    pairs = {(own[f][person], wanted[f][person]) for f in range(3) for person in own[f]}
    assert len(pairs) == len({mine for mine, _ in pairs}) == len({theirs for _, theirs in pairs})
