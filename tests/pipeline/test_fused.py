"""Two looks at people as one, against a loop over people; and top-down estimation by functions of the caller's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from ptfast.io import Frame
from ptfast.models import MoveNet, MoveNetArchitecture
from ptfast.pipeline import Fused, FusedSettings, MultiPose, MultiPoseSettings, SinglePose, TopDown, each_image
from ptfast.pipeline.fused import boxes_to_see, fused
from ptfast.pipeline.onnx import OnnxOneShot
from ptfast.pipeline.people import Found
from ptfast.reference.boxes import iou_matrix
from ptfast.reference.oks import oks_matrix
from ptfast.skeletons import COCO_17

SIGMAS = np.array(COCO_17.sigmas, np.float32)
SETTINGS = FusedSettings()


def crowd(seed: int, count: int) -> Found:
    """People of 60 x 100 pixels or so, many of whom overlap."""
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 120, (count, 2))
    boxes = np.concatenate([corners, corners + rng.uniform((40, 80), (80, 120), (count, 2))], 1).astype(np.float32)
    inside = rng.random((count, 17, 2)) * (boxes[:, None, 2:] - boxes[:, None, :2]) + boxes[:, None, :2]
    scores = rng.random((count, 17)).astype(np.float32)
    return Found(inside.astype(np.float32), scores, boxes, rng.random(count).astype(np.float32))


def second_look(seen: Found, seed: int) -> Found:
    """Everyone's pose a little off, or a neighbour's, or another; and two more people."""
    rng = np.random.default_rng(seed)
    count = len(seen.scores)
    near = seen.keypoints + rng.normal(0, 3, seen.keypoints.shape)
    choice = rng.integers(0, 3, count)[:, None, None]
    keypoints = np.select([choice == 0, choice == 1], [near, np.roll(near, 1, 0)], near + 300)
    more = crowd(seed + 1, 2)
    more.keypoints[1 : 1 + min(count, 1)] = (
        keypoints[:1] + 1
    )  # which is somebody whom the second look has found already
    return Found(
        np.concatenate([keypoints, more.keypoints]).astype(np.float32),
        np.concatenate([rng.random((count, 17)), more.joint_scores]).astype(np.float32),
        np.concatenate([seen.boxes + 2, more.boxes]),
        np.concatenate([rng.random(count), more.scores]).astype(np.float32),
    )


def plainly(seen: Found, again: Found) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """The rules of `fused` in words, person by person."""
    people = []
    areas = again.areas[: len(seen.scores)]
    for person, score in enumerate(seen.scores):
        first, second = seen.joint_scores[person][:, None], again.joint_scores[person][:, None]
        alike = oks_matrix(again.keypoints[person][None], seen.keypoints, area=areas, sigmas=SIGMAS)[0]
        others = max([value for place, value in enumerate(alike) if place != person], default=0.0)
        joints, joint_scores = seen.keypoints[person], seen.joint_scores[person]
        if alike[person] >= 0.4 and alike[person] >= others:
            joints = (first * seen.keypoints[person] + second * again.keypoints[person]) / (first + second)
            joint_scores = np.maximum(first, second)[:, 0]
        elif others < 0.3 and second.mean() > first.mean():
            joints, joint_scores = again.keypoints[person], again.joint_scores[person]
        people.append((joints, joint_scores, max(score, again.scores[person])))
    known, known_areas = [joints for joints, _, _ in people], 0.53 * (again.boxes[:, 2:] - again.boxes[:, :2]).prod(1)
    for row in range(len(seen.scores), len(again.scores)):
        pair = known_areas[row : row + 1], known_areas[: len(known)]
        alike = oks_matrix(again.keypoints[row][None], np.reshape(known, (-1, 17, 2)), area=pair, sigmas=SIGMAS)
        if alike.max(initial=0) < 0.4:
            people.append((again.keypoints[row], again.joint_scores[row], float(again.scores[row])))
    return people


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [0, 1, 12])
def test_both_looks_become_one(seed: int, count: int) -> None:
    seen = crowd(seed, count)
    again = second_look(seen, seed + 50)
    found = fused(seen, again, SIGMAS, SETTINGS)
    expected = plainly(seen, again)
    assert len(found.scores) == len(expected) >= count + 1
    for person, (joints, joint_scores, score) in enumerate(expected):
        np.testing.assert_allclose(found.keypoints[person], joints, atol=1e-3)
        np.testing.assert_allclose(found.joint_scores[person], joint_scores, atol=1e-6)
        assert found.scores[person] == pytest.approx(score)
    np.testing.assert_array_equal(found.boxes[: count + 1], again.boxes[: count + 1])


@pytest.mark.parametrize("seed", range(5))
def test_everyone_is_looked_at_once(seed: int) -> None:
    seen, detected = crowd(seed, 6), crowd(seed + 20, 7)
    detected.boxes[:4] = seen.boxes[[3, 1, 0, 1]] + np.random.default_rng(seed).uniform(-6, 6, (4, 4))
    boxes, scores = boxes_to_see(seen, (detected.boxes, detected.scores), SETTINGS)
    overlap = iou_matrix(seen.boxes, detected.boxes)
    left, expected, given = overlap.copy(), seen.boxes.copy(), np.zeros(6)
    while left.max() >= 0.4:  # the best pair first
        person, box = np.unravel_index(left.argmax(), left.shape)
        expected[person], given[person] = detected.boxes[box], detected.scores[box]
        left[person], left[:, box] = -1, -1
    free = [box for box in range(7) if overlap[:, box].max() <= 0.7 and (left[:, box] > -1).any()]
    np.testing.assert_array_equal(boxes, np.concatenate([expected, detected.boxes[free]]))
    np.testing.assert_allclose(scores, [*given, *detected.scores[free]], atol=1e-7)


def test_without_anybody_there_is_nothing_to_look_at() -> None:
    nothing = (np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    assert boxes_to_see(crowd(0, 0), nothing, SETTINGS)[0].shape == (0, 4)
    np.testing.assert_array_equal(boxes_to_see(crowd(0, 2), nothing, SETTINGS)[0], crowd(0, 2).boxes)


def bright(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A box of 20 x 40 pixels about each white pixel, in reading order, the first twice."""
    places = np.argwhere(image[..., 0] == 255)[:, ::-1]
    half = np.array([10, 20])
    boxes = np.concatenate([places - half, places + half], 1)
    return np.concatenate([boxes, boxes[:1] + 1]), np.array([0.9, 0.8, 0.7][: len(boxes)] + [0.5] * (len(boxes) > 0))


def middles(frames: Sequence[Frame], boxes: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All joints in the box's middle, about the same; half of them sure, a quarter not seen."""
    middle = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2 + np.arange(17)[None, :, None]
    scores = np.tile(np.where(np.arange(17) < 8, 0.8, np.where(np.arange(17) < 12, 0.4, 0.1)), (len(boxes), 1))
    return middle[:, None].astype(np.float32), scores[:, None].astype(np.float32)


def pictures() -> list[np.ndarray | None]:
    first, second = (np.zeros((100, 160, 3), np.uint8) for _ in range(2))
    first[50, [30, 110]] = 255
    second[40, 60] = 255
    return [first, None, np.zeros((60, 60, 3), np.uint8), second]


def test_top_down_finds_each_person_once_and_scores_box_and_joints() -> None:
    poses = TopDown(each_image(bright), middles)(pictures())
    assert np.diff(poses.frame_offsets).tolist() == [2, 0, 0, 1]
    np.testing.assert_allclose(poses.keypoints[:, 0], [[30, 50], [110, 50], [60, 40]])
    np.testing.assert_allclose(poses.boxes, [[20, 30, 40, 70], [100, 30, 120, 70], [50, 20, 70, 60]])
    seen = (8 * 0.8 + 4 * 0.4) / 12
    np.testing.assert_allclose(poses.scores, np.array([0.9, 0.8, 0.9]) * seen, rtol=1e-5)


def test_settings_are_told_as_far_as_they_are_known() -> None:
    assert TopDown(each_image(bright), middles).depends_on() == {
        "detector": None, "person_poses": None, "max_oks": 0.6,
    }  # fmt: skip
    with pytest.raises(ValueError, match="max_oks must be"):
        TopDown(each_image(bright), middles, max_oks=2)
    with pytest.raises(ValueError, match="same must be"):
        FusedSettings(same=-1)


def both_looks() -> Fused:
    torch.manual_seed(0)
    model = MoveNet(MoveNetArchitecture(width=0.125))
    torch.nn.init.constant_(model.heads["box_scale"].out.bias, 10)
    multipose = MultiPose(model, settings=MultiPoseSettings(long_side=96))
    return Fused(multipose, each_image(bright), SinglePose(model, size=64), FusedSettings(min_score=0.0))


def test_a_batch_gives_what_single_images_give() -> None:
    rng = np.random.default_rng(3)
    images = [image if image is None else image | rng.integers(0, 90, image.shape, np.uint8) for image in pictures()]
    estimate = both_looks()
    poses = estimate(images)
    assert len(poses) == 4 and (np.diff(poses.frame_offsets) > 0).tolist() == [True, False, True, True]
    for place, image in enumerate(images):
        alone, frame = estimate([image]), poses.frame(place)
        assert len(alone.scores) == len(frame.scores)
        np.testing.assert_allclose(alone.keypoints, frame.keypoints, atol=1e-2)
        np.testing.assert_allclose(alone.scores, frame.scores, atol=1e-4)
        assert (np.diff(frame.scores) <= 0).all()
    assert {"long_side", "detector", "person_poses", "fusion"} <= {*estimate.depends_on()}


IMAGE = np.zeros((48, 64, 3), np.uint8)


@pytest.mark.parametrize("kind", ["MultiPose", "TopDown", "Fused", "OnnxOneShot"])
@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        ([None, IMAGE.astype(float)], TypeError, r"images\[1\] must have dtype uint8, got float64"),
        (IMAGE, TypeError, r"images must be a list of images \(H, W, 3\), got one array of shape \(48, 64, 3\)"),
        ([IMAGE, IMAGE[:0]], ValueError, r"images\[1\] must have pixels, got shape \(0, 64, 3\)"),
        ([IMAGE[:, :0]], ValueError, r"images\[0\] must have pixels, got shape \(48, 0, 3\)"),
        ([IMAGE[..., 0]], ValueError, r"images\[0\] must have shape \(H, W, 3\), got \(48, 64\)"),
        ([torch.zeros(48, 64, 3, dtype=torch.uint8)], TypeError, r"images\[0\] must be a NumPy array, got Tensor"),
        (["a.png"], TypeError, r"images\[0\] must be a NumPy array, got str"),
    ],
)
def test_what_is_no_image_is_named(kind: str, images: object, error: type[Exception], message: str) -> None:
    both = both_looks()
    top_down = TopDown(both.detector, both.person_poses)
    onnx = OnnxOneShot(None, None, COCO_17, None)  # type: ignore[arg-type]  # never gets to them
    estimators = {"MultiPose": both.multipose, "TopDown": top_down, "Fused": both, "OnnxOneShot": onnx}
    with pytest.raises(error, match=message):
        estimators[kind](images)  # type: ignore[operator]


def test_images_of_one_array_are_images() -> None:
    assert len(both_looks()(np.stack([IMAGE, IMAGE]))) == 2  # type: ignore[arg-type]
