"""Ultralytics' and rtmlib's models as detectors, pose networks and one-shot estimators.

Stubs with their signatures show what is handed on and what becomes of the answers; Ultralytics' own model shows that
the signatures are right.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast import COCO_17, Skeleton
from ptfast.interop import (
    detector_from_rtmlib,
    detector_from_ultralytics,
    one_shot_from_rtmlib,
    one_shot_from_ultralytics,
    person_poses_from_rtmlib,
)
from ptfast.io import Frame
from ptfast.pipeline import TopDown

TWO = Skeleton("two", ("head", "foot"))
BOXES = np.array([[1, 2, 5, 8], [3, 3, 9, 9]], np.float64)
JOINTS = np.array([[[2, 3, 0.9], [4, 7, 0.3]], [[0, 0, 0.2], [8, 8, 0.6]]], np.float64)


def frames(*reds: int) -> list[Frame]:
    return [Frame(np.full((12, 16, 3), (red, 20, 30), np.uint8), "", index) for index, red in enumerate(reds)]


@dataclass
class OnGpu:
    """A result that must be fetched before its arrays are NumPy's."""

    boxes: Any
    keypoints: Any
    fetched: bool = False

    def cpu(self) -> OnGpu:
        return OnGpu(self.boxes, self.keypoints, True)

    def numpy(self) -> SimpleNamespace:
        assert self.fetched
        return SimpleNamespace(boxes=self.boxes, keypoints=self.keypoints)


@dataclass
class Yolo:
    """Finds as many of two people as the image's red says."""

    pose: bool = True
    seen: list[tuple[list[np.ndarray], dict[str, Any]]] = field(default_factory=list)

    def predict(self, source: list[np.ndarray], **options: Any) -> list[OnGpu]:
        self.seen.append((source, options))
        return [self.result(int(image[0, 0, 2])) for image in source]

    def result(self, count: int) -> OnGpu:
        boxes = SimpleNamespace(xyxy=BOXES[:count], conf=np.array([0.8, 0.7])[:count])
        return OnGpu(boxes, SimpleNamespace(data=JOINTS[:count]) if self.pose else None)


def test_a_detector_of_ultralytics() -> None:
    model = Yolo(pose=False)
    detect = detector_from_ultralytics(model, conf=0.4, imgsz=320)
    (first, scores), (none, _) = detect(frames(0, 1, 2), [2, 0])
    assert first.tolist() == BOXES.tolist() and first.dtype == scores.dtype == np.float32 and none.shape == (0, 4)
    np.testing.assert_allclose(scores, [0.8, 0.7], rtol=1e-6)
    ((images, options),) = model.seen
    assert options == {"classes": [0], "verbose": False, "conf": 0.4, "imgsz": 320}
    assert images[0].flags.c_contiguous and images[0][0, 0].tolist() == [30, 20, 2]
    assert detect(frames(1), []) == [] and len(model.seen) == 1


def test_a_one_shot_estimator_of_ultralytics() -> None:
    estimate = one_shot_from_ultralytics(Yolo(), skeleton=TWO)
    images = [frame.image for frame in frames(2, 0, 1)]
    poses = estimate([images[0], None, images[1], images[2]])
    assert poses.frame_offsets.tolist() == [0, 2, 2, 2, 3] and poses.skeleton == TWO
    assert poses.frame_size is not None and poses.frame_size.tolist() == [[16, 12], [0, 0], [16, 12], [16, 12]]
    assert poses.boxes.tolist() == [*BOXES.tolist(), BOXES[0].tolist()]
    np.testing.assert_allclose(poses.scores, [0.8, 0.7, 0.8], rtol=1e-6)
    np.testing.assert_allclose(poses.joint_scores[0], [0.9, 0.3], rtol=1e-6)
    assert poses.joint_visibility.tolist() == [[2, 2], [0, 2], [2, 2]]  # a joint at (0, 0) is absent
    assert len(estimate([None])) == 1 and len(estimate([])) == 0


def test_a_model_without_joints_is_refused() -> None:
    with pytest.raises(ValueError, match="model must find joints, as a pose model does"):
        one_shot_from_ultralytics(Yolo(pose=False), skeleton=TWO)([frames(1)[0].image])


@pytest.fixture(scope="module")
def yolo() -> Any:
    """Ultralytics' smallest pose model with random weights."""
    peer("torchvision")  # which its predictions load
    ultralytics, torch = peer("ultralytics"), peer("torch")
    torch.manual_seed(0)
    with contextlib.redirect_stdout(io.StringIO()):
        return ultralytics.YOLO("yolo11n-pose.yaml", verbose=False)


def test_ultralytics_own_model(yolo: Any) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    options = {"conf": 1e-6, "imgsz": 64, "device": "cpu"}
    poses = one_shot_from_ultralytics(yolo, **options)([picture, None])
    (result,) = yolo.predict([np.ascontiguousarray(picture[..., ::-1])], classes=[0], verbose=False, **options)
    assert len(poses) == 2 and poses.skeleton == COCO_17 and len(poses.scores) == len(result.boxes) > 0
    np.testing.assert_array_equal(poses.boxes, result.boxes.xyxy.numpy())
    placed = (result.keypoints.xy.numpy() != 0).any(2)  # joints beyond the image's corner are put at (0, 0)
    np.testing.assert_array_equal(poses.joint_visibility > 0, placed)
    np.testing.assert_array_equal(poses.keypoints[placed], result.keypoints.xy.numpy()[placed])
    np.testing.assert_array_equal(poses.joint_scores[placed], result.keypoints.conf.numpy()[placed])
    ((boxes, scores),) = detector_from_ultralytics(yolo, **options)([Frame(picture, "", 0)], [0])
    np.testing.assert_array_equal(boxes, poses.boxes)
    np.testing.assert_array_equal(scores, poses.scores)


@dataclass
class Detector:
    """Gives as many boxes as the image's red says; with classes, the first of them is a dog."""

    classes: bool = False

    def __call__(self, image: np.ndarray) -> Any:
        assert image.flags.c_contiguous and image[0, 0, :2].tolist() == [30, 20]
        boxes = BOXES[: int(image[0, 0, 2])]
        return (boxes, np.arange(len(boxes))[::-1]) if self.classes else (boxes if len(boxes) else np.array([]))


@dataclass
class Pose:
    """Joints at a box's corners, with the image's red as score. Without boxes it takes the whole image."""

    joints: int = 2

    def __call__(self, image: np.ndarray, bboxes: Any = ()) -> tuple[np.ndarray, np.ndarray]:
        boxes = np.array(bboxes if len(bboxes) else [[0, 0, image.shape[1], image.shape[0]]])
        assert image[0, 0, :2].tolist() == [30, 20]
        return boxes.reshape(-1, 2, 2)[:, : self.joints], np.full((len(boxes), self.joints), float(image[0, 0, 2]))


class Body:
    """A detector and a pose network."""

    def __init__(self) -> None:
        self.det_model, self.pose_model = Detector(), Pose()

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.pose_model(image, bboxes=self.det_model(image))


def test_detectors_of_rtmlib() -> None:
    found = detector_from_rtmlib(Detector())(frames(2, 0, 1), [0, 1, 2])
    assert [boxes.tolist() for boxes, _ in found] == [BOXES.tolist(), [], BOXES[:1].tolist()]
    assert [scores.tolist() for _, scores in found] == [[1, 1], [], [1]] and found[1][0].shape == (0, 4)
    ((boxes, _),) = detector_from_rtmlib(Detector(classes=True))(frames(2), [0])
    assert boxes.tolist() == [BOXES[1].tolist()]


def test_pose_networks_of_rtmlib_see_people_in_their_frames() -> None:
    estimate = person_poses_from_rtmlib(Pose(), skeleton=TWO)
    keypoints, scores = estimate(frames(5, 7, 9), BOXES.astype(np.float32), np.array([[0, 2], [2, 1]]))
    assert keypoints.dtype == scores.dtype == np.float32
    assert scores[..., 0].tolist() == [[5, 9], [9, 7]]
    np.testing.assert_array_equal(keypoints, np.repeat(BOXES.reshape(2, 1, 2, 2), 2, 1))
    keypoints, scores = estimate(frames(5), np.zeros((0, 4), np.float32), np.zeros((0, 1), np.int64))
    assert keypoints.shape == (0, 1, 2, 2) and scores.shape == (0, 1, 2)


def test_bodies_of_rtmlib_find_nobody_where_there_is_no_box() -> None:
    """Body's own call takes the whole image for a person then."""
    body = Body()
    assert len(body(np.ascontiguousarray(np.full((12, 16, 3), (30, 20, 0), np.uint8)))[0]) == 1
    images = [frame.image for frame in frames(2, 0)]
    poses = one_shot_from_rtmlib(body, skeleton=TWO)([*images, None])
    assert poses.frame_offsets.tolist() == [0, 2, 2, 2]
    assert poses.boxes.tolist() == BOXES.tolist() and poses.scores.tolist() == [2, 2]


def test_rtmos_person_of_zeros_is_nobody() -> None:
    def rtmo(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        count = int(image[0, 0, 2])
        return JOINTS[1 - count :, :, :2] * count, JOINTS[1 - count :, :, 2] * count

    poses = one_shot_from_rtmlib(rtmo, skeleton=TWO)([frame.image for frame in frames(1, 0)])
    assert poses.frame_offsets.tolist() == [0, 2, 2]
    np.testing.assert_allclose(poses.scores, [0.6, 0.4], rtol=1e-6)
    assert poses.boxes.tolist() == [[2, 3, 4, 7], [0, 0, 8, 8]]


def test_another_number_of_joints_is_named() -> None:
    with pytest.raises(ValueError, match=r"the model's keypoints must have .* with K = 2, got \(1, 1, 2\)"):
        person_poses_from_rtmlib(Pose(1), skeleton=TWO)(frames(5), BOXES[:1], np.zeros((1, 1), np.int64))


def test_they_are_parts_of_the_pipeline() -> None:
    parts = detector_from_rtmlib(Detector()), person_poses_from_rtmlib(Pose(), skeleton=TWO)
    poses = TopDown(*parts, TWO)([frame.image for frame in frames(1, 0, 2)])
    assert poses.frame_offsets.tolist() == [0, 1, 1, 3]
