"""The parts of Simple Baselines one by one: joints carried by flow, boxes, similarity, ids."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.methods.simple_baselines import Config, QueueLinker
from ptfast.methods.simple_baselines.boxes import Candidates, unified, without_doubles, without_lost
from ptfast.methods.simple_baselines.propagation import carried, flow_boxes, is_alike
from ptfast.methods.simple_baselines.queue import Seen
from ptfast.methods.simple_baselines.similarity import similarity_matrix
from ptfast.pipeline.flow import DenseFlow
from ptfast.pipeline.people import Found
from ptfast.reference.boxes import iou_matrix
from ptfast.reference.oks import oks_matrix
from ptfast.skeletons import COCO_17
from ptfast.structures import Poses
from ptfast.synthetic import render

SIGMAS = np.array(COCO_17.sigmas)


def grey(flow: DenseFlow) -> list[Seen]:
    """Two frames of one colour."""
    images = [np.full((240, 320, 3), 100, np.uint8)] * 2
    return [Seen(image, flow.prepare(image)) for image in images]


def test_the_renderers_flow_carries_joints_to_where_they_are() -> None:
    """Joints that are seen in both frames; a person's outline and their joints move by slightly different motions."""
    film = render(3, frames=2, people=4, scenery=0)
    now, then = film.poses.frame(0), film.poses.frame(1)
    frames = [film.frame(index, flow=True) for index in range(2)]
    flow = DenseFlow(lambda first, second: frames[0].flow)
    seen = [Seen(frame.image, flow.prepare(frame.image)) for frame in frames]
    moved = carried(flow, *seen, now, Config())
    both = [np.flatnonzero(then.track_ids == one) for one in now.track_ids]
    assert len(moved.scores) == len(now.scores) >= 3 and all(len(rows) == 1 for rows in both)
    rows = np.concatenate(both)
    visible = (now.joint_visibility == 2) & (then.joint_visibility[rows] == 2)
    missed = np.linalg.norm(moved.keypoints - then.keypoints[rows], axis=-1)[visible]
    stood = np.linalg.norm(now.keypoints - then.keypoints[rows], axis=-1)[visible]
    assert np.median(missed) < 0.05 and np.median(missed) < 0.1 * np.median(stood)


def test_joints_whose_flow_fails_move_with_their_person_and_people_without_any_are_lost() -> None:
    points = np.full((2, 17, 2), 50, np.float32)
    points[1] = [500, 50]
    points[0, :3] = [900, 50]  # outside the image
    poses = Poses(points, np.array([0, 2]), COCO_17)
    flow = DenseFlow(lambda first, second: np.full((240, 320, 2), (4, -3), np.float32))
    moved = carried(flow, *grey(flow), poses, Config())
    np.testing.assert_array_equal(moved.keypoints, points[:1] + np.float32([4, -3]))


def test_people_of_whom_weak_joints_alone_are_found_are_lost() -> None:
    points = np.full((2, 17, 2), 50, np.float32)
    scores = np.ones((2, 17), np.float32)
    points[0, :9], scores[0, 9:] = [900, 50], 0.1
    poses = Poses(points, np.array([0, 2]), COCO_17, joint_scores=scores)
    flow = DenseFlow(lambda first, second: np.zeros((240, 320, 2), np.float32))
    assert len(carried(flow, *grey(flow), poses, Config()).scores) == 1
    assert len(carried(flow, *grey(flow), poses, Config(min_joint_score=None)).scores) == 2


def test_surroundings_are_nine_pixels_two_apart_and_the_border_goes_on_outside() -> None:
    rng = np.random.default_rng(4)
    first, second = rng.integers(0, 256, (2, 30, 47, 3), np.uint8)
    points, moved = rng.uniform((-4, -4), (50, 34), (2, 40, 3, 2)).astype(np.float32)
    alike = is_alike(first, second, points, moved, Config(max_difference=80))
    reach = [np.pad(image.astype(float), ((9, 9), (9, 9), (0, 0)), "edge") for image in (first, second)]
    expected = []
    for place, other in zip(points.reshape(-1, 2), moved.reshape(-1, 2), strict=True):
        seen = []
        for image, (x, y) in zip(reach, (place, other), strict=True):
            column, row = round(float(x)) + 9, round(float(y)) + 9
            seen.append(image[row - 2 : row + 3 : 2, column - 2 : column + 3 : 2])
        expected.append(np.abs(seen[0] - seen[1]).mean() <= 80)
    assert alike.tolist() == np.reshape(expected, (40, 3)).tolist() and 0.2 < alike.mean() < 0.8


def queued(keypoints: np.ndarray, scores: np.ndarray | float = 1.0, **features: list[int]) -> Poses:
    """Poses as a record has them, each in the frame before unless features say otherwise."""
    count = len(keypoints)
    columns = {"frames_ago": [1] * count, "row": [*range(count)], "undetected": [0] * count} | features
    return Poses(
        keypoints,
        np.array([0, count]),
        COCO_17,
        joint_scores=np.broadcast_to(np.float32(scores), keypoints.shape[:2]),
        features={name: np.array(column) for name, column in columns.items()}
        | {"box_score": np.full(count, 0.8, np.float32)},
    )


def test_flow_boxes_are_of_the_frame_before_inside_the_image_and_not_for_ever() -> None:
    shape = np.linspace(0, 40, 17)[:, None] * [1, 2]
    places = np.array([[20, 20], [400, 20], [-60, 20], [20, -100], [300, 20], [50, 50], [80, 50]])
    poses = queued(
        (places[:, None] + shape).astype(np.float32),
        frames_ago=[1, 1, 1, 1, 1, 2, 1],
        undetected=[0, 0, 0, 0, 4, 0, 5],
    )
    found = flow_boxes(poses, (320, 240), Config(max_undetected=5, propagated_score=0.5))
    np.testing.assert_allclose(found.boxes, [[17, 14, 63, 106], [297, 14, 343, 106]])
    assert found.undetected.tolist() == [1, 5] and found.scores.tolist() == pytest.approx([0.4, 0.4])
    line = queued(np.full((1, 17, 2), 50, np.float32))
    assert len(flow_boxes(line, (320, 240), Config()).scores) == 0


def test_the_detectors_boxes_go_before_those_of_flow() -> None:
    boxes = np.array([[0, 0, 10, 20], [1, 0, 11, 20], [100, 0, 110, 20], [50, 0, 60, 20]], np.float32)
    detected = Candidates(boxes[:1], np.float32([0.2]), np.array([0]))
    propagated = Candidates(boxes[1:], np.float32([0.9, 0.3, 0.4]), np.array([1, 1, 3]))
    kept = unified([detected, propagated], 0.6)
    assert kept.scores.tolist() == pytest.approx([0.2, 0.4, 0.3]) and kept.undetected.tolist() == [0, 3, 1]
    assert len(unified([detected, propagated], 0.9).scores) == 4


def test_of_doubles_the_detected_one_stays() -> None:
    points = np.full((2, 17, 2), 50, np.float32) + np.float32(np.arange(17)[:, None])
    boxes = np.array([[40, 40, 80, 80], [60, 40, 100, 80]], np.float32)
    candidates = Candidates(boxes, np.float32([0.9, 0.3]), np.array([2, 0]))
    found = Found(points, np.ones((2, 17), np.float32), boxes, np.float32([0.9, 0.3]))
    people, of = without_doubles(found, candidates, COCO_17, 0.6)
    assert people.scores.tolist() == pytest.approx([0.3]) and of.undetected.tolist() == [0]


def test_whom_flow_alone_proposes_is_lost_where_the_joints_mean_score_is_low() -> None:
    scores = np.float32([[0.9, 0.1], [0.9, 0.1], [0.5, 0.3], [0.4, 0.4]]).repeat(2, 1)
    boxes = np.float32([[0, 0, 10, 20]]).repeat(4, 0) + 100 * np.arange(4)[:, None].astype(np.float32)
    found = Found(np.zeros((4, 4, 2), np.float32), scores, boxes, np.arange(4, dtype=np.float32))
    candidates = Candidates(boxes, np.ones(4, np.float32), np.array([0, 1, 3, 0]))
    for least, kept in ((None, [0, 1, 2, 3]), (0.45, [0, 1, 3]), (0.51, [0, 3])):
        people, of = without_lost(found, candidates, least)
        assert people.scores.tolist() == kept and of.undetected.tolist() == candidates.undetected[kept].tolist()


@pytest.mark.parametrize("similarity", ["pose", "flow", "multi-flow"])
def test_oks_is_over_joints_that_count_in_both_and_of_the_current_persons_size(similarity: str) -> None:
    rng = np.random.default_rng(0)
    points = [rng.uniform(0, 60, (count, 17, 2)).astype(np.float32) for count in (3, 4)]
    scores = [rng.uniform(0.2, 0.6, (count, 17)) for count in (3, 4)]
    queue, poses = (queued(p, s) for p, s in zip(points, scores, strict=True))
    config = Config(similarity=similarity, sigma_scale=3.0)  # type: ignore[arg-type]
    size = poses.boxes[:, 2:] - poses.boxes[:, :2]
    visible = {"a_visible": scores[0] >= 0.4, "b_visible": scores[1] >= 0.4}
    expected = oks_matrix(*points, area=size.prod(1), sigmas=3 * SIGMAS, **visible)
    np.testing.assert_allclose(similarity_matrix(queue, poses, config), expected, rtol=1e-4)


def test_bbox_similarity_is_iou() -> None:
    points = [np.random.default_rng(seed).uniform(0, 60, (3, 17, 2)).astype(np.float32) for seed in (0, 1)]
    queue, poses = map(queued, points)
    found = similarity_matrix(queue, poses, Config(similarity="bbox"))
    np.testing.assert_allclose(found, iou_matrix(queue.boxes, poses.boxes), rtol=1e-5)


@pytest.mark.parametrize(("matcher", "ids"), [("greedy", [1, 2, 0]), ("hungarian", [0, 1, 2])])
def test_ids_are_matched_as_the_matcher_says(matcher: str, ids: list[int]) -> None:
    """Three people in a row, who all move on by less than half of what is between them: greedy takes the nearest."""
    shape = np.linspace(0, 40, 17)[:, None] * [1, 2]

    def record(frame: int, own: list[float], before: list[float]) -> Poses:
        places = np.array([[x, 20] for x in (*own, *before)])
        ago, row = [0] * len(own) + [1] * len(before), [*range(len(own)), *range(len(before))]
        poses = queued((places[:, None] + shape).astype(np.float32), frames_ago=ago, row=row)
        return poses

    linker = QueueLinker(Config(matcher=matcher, similarity="pose", max_cost=None))  # type: ignore[arg-type]
    linker.update(record(0, [0, 10, 20], []))
    assert linker.update(record(1, [9, 19, 29], [0, 10, 20])).track_ids.tolist() == ids
