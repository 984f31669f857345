"""People and their joints out of ONNX files, of constants that the test writes: expectations are worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ptfast.io import Frame
from ptfast.pipeline.onnx import OnnxOneShot, OnnxPersonPoses, OnnxSettings, load_onnx
from ptfast.skeletons import COCO_17, POSETRACK_15, Skeleton

from .onnx_graphs import write_graph

WIDE, TALL = np.zeros((16, 32, 3), np.uint8), np.zeros((64, 32, 3), np.uint8)


def estimator(path: Path, skeleton: Skeleton = COCO_17, **settings: float) -> OnnxOneShot:
    found = load_onnx(path, skeleton=skeleton, settings=OnnxSettings(**settings))  # type: ignore[arg-type]
    assert isinstance(found, OnnxOneShot)
    return found


def joints(x: float, y: float, score: float, count: int = 17) -> np.ndarray:
    """(K, 3): joint k stands k / 4 to the right of (x, y)."""
    return np.stack([x + np.arange(count) / 4, np.full(count, y), np.full(count, score)], 1)


def test_people_of_rtmo(tmp_path: Path) -> None:
    """A tall image is halved into the left of the input, a wide one stands at its top."""
    outputs = {
        "dets": np.array([[2, 4, 10, 20, 0.9], [0, 0, 8, 8, 0.2], [1, 1, 5, 5, 0.6]]),
        "keypoints": np.stack([joints(2, 6, 0.7), joints(1, 1, 0.5), joints(1, 3, 0.4)]),
    }
    estimate = estimator(write_graph(tmp_path / "a.onnx", outputs))
    assert estimate.format.name == "RTMO"
    poses = estimate([TALL, None, WIDE])
    assert poses.frame_offsets.tolist() == [0, 2, 2, 4] and poses.skeleton == COCO_17
    assert poses.frame_size is not None and poses.frame_size.tolist() == [[32, 64], [0, 0], [32, 16]]
    assert poses.boxes.tolist() == [[4, 8, 20, 40], [2, 2, 10, 10], [2, 4, 10, 20], [1, 1, 5, 5]]
    np.testing.assert_allclose(poses.scores, [0.9, 0.6, 0.9, 0.6], rtol=1e-6)
    np.testing.assert_allclose(poses.keypoints[0], joints(2, 6, 0)[:, :2] * 2, rtol=1e-6)
    np.testing.assert_allclose(poses.joint_scores[0], np.full(17, 0.7), rtol=1e-6)


def yolo_columns(people: list[tuple[tuple[float, ...], float]], count: int = 17) -> np.ndarray:
    """(5 + 3 K, A): of each person (centre, width, height), score, and joints at a quarter of the box's size."""
    rows = [np.concatenate([box, [score], joints(box[0], box[1], score / 2, count).ravel()]) for box, score in people]
    return np.stack(rows, 1)


PEOPLE: list[tuple[tuple[float, ...], float]] = [
    ((16, 16, 8, 8), 0.6),
    ((16, 16, 8, 7), 0.9),  # an IoU of 7 / 8
    ((8, 20, 8, 8), 0.5),
    ((8, 24, 8, 8), 0.1),
]


def test_people_of_yolo_stand_in_the_middle_of_the_input(tmp_path: Path) -> None:
    """A wide image begins 8 pixels below the input's top, a tall one, halved, 8 to the right of its side."""
    estimate = estimator(write_graph(tmp_path / "a.onnx", {"output0": yolo_columns(PEOPLE)}))
    assert estimate.format.name == "YOLO"
    poses = estimate([WIDE, TALL])
    assert poses.frame_offsets.tolist() == [0, 2, 4]
    np.testing.assert_allclose(poses.boxes[:2], [[12, 4.5, 20, 11.5], [4, 8, 12, 16]], atol=1e-5)
    np.testing.assert_allclose(poses.boxes[2:], [[8, 25, 24, 39], [-8, 32, 8, 48]], atol=1e-5)
    np.testing.assert_allclose(poses.scores, [0.9, 0.5, 0.9, 0.5], rtol=1e-6)
    np.testing.assert_allclose(poses.keypoints[1], joints(8, 12, 0)[:, :2], rtol=1e-6)
    np.testing.assert_allclose(poses.joint_scores[0], np.full(17, 0.45), rtol=1e-6)


def test_people_of_yolo_without_suppression(tmp_path: Path) -> None:
    rows = [np.concatenate([box, [score, 0], joints(1, 2, 0.5).ravel()]) for box, score in PEOPLE]
    poses = estimator(write_graph(tmp_path / "a.onnx", {"output0": np.stack(rows)}))([WIDE])
    np.testing.assert_allclose(poses.boxes, [[16, 8, 8, 0], [16, 8, 8, -1], [8, 12, 8, 0]], atol=1e-5)
    np.testing.assert_allclose(poses.keypoints[0], joints(1, -6, 0)[:, :2], rtol=1e-6)


@pytest.mark.parametrize(("pixel", "expected"), [((0, 15, 5), 51), ((2, 15, 5), 204), ((1, 7, 5), 114)])
def test_colours_of_yolo_are_shares_of_255(tmp_path: Path, pixel: tuple[int, int, int], expected: int) -> None:
    """The score is a pixel's red, blue, or one above the image."""
    columns, weights = yolo_columns([((16, 16, 8, 8), 0)]), np.zeros((56, 1))
    weights[4] = 1
    path = write_graph(tmp_path / "a.onnx", {"output0": columns}, added={"output0": weights}, pixel=pixel)
    picture = np.full((16, 32, 3), (51, 102, 204), np.uint8)
    np.testing.assert_allclose(estimator(path, min_score=0.0)([picture]).scores, [expected / 255], rtol=1e-6)


def test_inputs_of_free_size_are_multiples_of_32(tmp_path: Path) -> None:
    """Images of 30 x 60 and 64 x 16 become 32 x 64 and 64 x 32, in which they stand in the middle."""
    outputs = {"output0": yolo_columns(PEOPLE[2:3])}
    path = write_graph(tmp_path / "a.onnx", outputs, size=("height", "width"), batch="batch")
    estimate = estimator(path, long_side=64)
    poses = estimate([np.zeros((30, 60, 3), np.uint8), np.zeros((64, 16, 3), np.uint8)])
    np.testing.assert_allclose(poses.boxes, [[3.75, 15, 11.25, 22.5], [-4, 16, 4, 24]], atol=1e-5)


def test_other_joint_sets(tmp_path: Path) -> None:
    path = write_graph(tmp_path / "a.onnx", {"output0": yolo_columns(PEOPLE, 15)})
    assert estimator(path, POSETRACK_15)([WIDE]).keypoints.shape == (2, 15, 2)
    with pytest.raises(ValueError, match=r"YOLO pose \(\(B, 56, A\) .* found output0 \(1, 50, 4\)"):
        load_onnx(path)


def test_several_classes_are_told_by_the_metadata(tmp_path: Path) -> None:
    """A dog's score comes after the person's."""
    columns = yolo_columns(PEOPLE[2:3])
    columns = np.concatenate([columns[:5], [[0.99]], columns[5:]])
    path = write_graph(tmp_path / "a.onnx", {"output0": columns}, metadata={"kpt_shape": "[17, 3]"})
    poses = estimator(path)([WIDE])
    np.testing.assert_allclose(poses.scores, [0.5], rtol=1e-6)
    np.testing.assert_allclose(poses.keypoints[0], joints(8, 12, 0)[:, :2], rtol=1e-6)


def test_without_images_there_is_nobody(tmp_path: Path) -> None:
    estimate = estimator(write_graph(tmp_path / "a.onnx", {"output0": yolo_columns(PEOPLE)}))
    assert len(estimate([])) == 0
    assert estimate([None, None]).keypoints.shape == (0, 17, 2)


def simcc(size: tuple[int, int], places: list[tuple[int, int]]) -> dict[str, np.ndarray]:
    """Scores of twice as many columns and rows as a crop of `size` has pixels, 0.8 and 0.6 at a joint's."""
    outputs = {"simcc_x": np.zeros((17, 2 * size[1])), "simcc_y": np.zeros((17, 2 * size[0]))}
    for joint, (x, y) in enumerate(places):
        outputs["simcc_x"][joint, x], outputs["simcc_y"][joint, y] = 0.8, 0.6
    return outputs


PLACES = [(joint, 2 * joint) for joint in range(17)]


def poses_in_boxes(path: Path) -> OnnxPersonPoses:
    found = load_onnx(path)
    assert isinstance(found, OnnxPersonPoses)
    return found


def test_joints_of_rtmpose_are_shares_of_the_crop(tmp_path: Path) -> None:
    """A box 48 wide and 40 high becomes 48 x 64, then 60 x 80: 1.25 pixels a pixel of a crop of 48 x 64."""
    path = write_graph(tmp_path / "a.onnx", simcc((64, 48), PLACES), size=(64, 48), batch="batch")
    frames = [Frame(np.zeros((90, 80, 3), np.uint8), "", f) for f in range(3)]
    boxes = np.array([[16, 20, 64, 60], [0, 0, 48, 40]], np.float32)
    keypoints, scores = poses_in_boxes(path)(frames, boxes, np.array([[0, 1, 2], [2, 1, 0]]))
    assert keypoints.shape == (2, 3, 17, 2) and keypoints.dtype == scores.dtype == np.float32
    expected = np.array(PLACES) / 2 * 1.25 + (10, 0)
    np.testing.assert_allclose(keypoints[0], np.tile(expected, (3, 1, 1)), atol=1e-5)
    np.testing.assert_allclose(keypoints[1], np.tile(expected - (16, 20), (3, 1, 1)), atol=1e-5)
    np.testing.assert_allclose(scores, np.full((2, 3, 17), 0.6), rtol=1e-6)


@pytest.mark.parametrize("batch", [1, "batch"])
def test_people_are_seen_in_their_own_frames(tmp_path: Path, batch: int | str) -> None:
    """The first joint's score is the red of a pixel of its crop, about ImageNet's mean; there are two batches of 16."""
    outputs = simcc((64, 48), PLACES)
    weights = {name: np.zeros_like(values) for name, values in outputs.items()}
    outputs["simcc_x"][0], outputs["simcc_y"][0] = 0, 0
    outputs["simcc_x"][0, 6], outputs["simcc_y"][0, 8] = 100, 50
    weights["simcc_y"][0, 8] = 1
    path = write_graph(tmp_path / "a.onnx", outputs, added=weights, pixel=(0, 32, 24), size=(64, 48), batch=batch)
    frames = [Frame(np.full((90, 80, 3), (40 * f, 7, 9), np.uint8), "", f) for f in range(4)]
    index = np.stack([np.arange(20) % 4, np.arange(20) % 3], 1)
    _, scores = poses_in_boxes(path)(frames, np.tile(np.float32([16, 20, 64, 60]), (20, 1)), index)
    np.testing.assert_allclose(scores[..., 0] - 50, (40 * index - 123.675) / 58.395, atol=2e-5)


def test_nobody_has_no_joints(tmp_path: Path) -> None:
    estimate = poses_in_boxes(write_graph(tmp_path / "a.onnx", simcc((64, 48), PLACES), size=(64, 48)))
    keypoints, scores = estimate([], np.zeros((0, 4), np.float32), np.zeros((0, 3), np.int64))
    assert keypoints.shape == (0, 3, 17, 2) and scores.shape == (0, 3, 17)


def test_crops_of_free_size_are_refused(tmp_path: Path) -> None:
    path = write_graph(tmp_path / "a.onnx", simcc((64, 48), PLACES), size=("height", "width"))
    with pytest.raises(ValueError, match=r"a.onnx: expected an input of a fixed height and width"):
        load_onnx(path)
