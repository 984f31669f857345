"""ONNX files wherever a detector or pose network is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ptfast.io import Frame
from ptfast.pipeline import (
    MultiPose,
    OneShotBoxes,
    SinglePose,
    TopDown,
    load_detector,
    load_one_shot,
    load_person_poses,
)
from ptfast.pipeline.onnx import OnnxDetector, OnnxOneShot, OnnxPersonPoses, export_movenet
from ptfast.pipeline.weights import load_movenet_weights

from .onnx_graphs import write_graph

IMAGE = np.zeros((32, 32, 3), np.uint8)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A detector that finds a box of 12 x 16, a pose network of crops of 48 x 64, and a one-shot estimator."""
    scores = {"simcc_x": np.zeros((17, 96)), "simcc_y": np.zeros((17, 128))}
    scores["simcc_x"][:, 24], scores["simcc_y"][:, 96] = 1, 0.5
    box = np.array([[4, 8, 16, 24, 0.8]])
    people = {"dets": box, "keypoints": np.ones((1, 17, 3))}
    return {
        "rtmdet": write_graph(tmp_path / "rtmdet.onnx", {"dets": box, "labels": np.array([0])}),
        "rtmpose": write_graph(tmp_path / "rtmpose.ONNX", scores, size=(64, 48), batch="batch"),
        "rtmo": write_graph(tmp_path / "rtmo.onnx", people),
    }


def test_a_detector_and_a_pose_network_together(files: dict[str, Path]) -> None:
    """The box becomes a crop of 15 x 20 at (2.5, 6), of which the joints are at 1 / 4 and 3 / 4."""
    detector, person_poses = load_detector(files["rtmdet"]), load_person_poses(files["rtmpose"])
    assert isinstance(detector, OnnxDetector) and isinstance(person_poses, OnnxPersonPoses)
    poses = TopDown(detector, person_poses)([IMAGE, None, IMAGE])
    assert poses.frame_offsets.tolist() == [0, 1, 1, 2]
    np.testing.assert_allclose(poses.keypoints[1], np.tile([6.25, 21], (17, 1)), atol=1e-5)
    np.testing.assert_allclose(poses.scores, [0.4, 0.4], rtol=1e-6)


def test_a_one_shot_estimator_is_a_detector(files: dict[str, Path]) -> None:
    detector = load_detector(files["rtmo"])
    assert isinstance(detector, OneShotBoxes)
    ((boxes, scores),) = detector([Frame(IMAGE, "", 0)], [0])
    assert boxes.tolist() == [[4, 8, 16, 24]] and scores.tolist() == [np.float32(0.8)]


def test_one_shot_estimators(files: dict[str, Path]) -> None:
    estimate = load_one_shot(files["rtmo"])
    assert isinstance(estimate, OnnxOneShot) and isinstance(load_one_shot(), MultiPose)
    assert estimate([IMAGE]).keypoints.tolist() == [[[1, 1]] * 17]


def test_networks_of_the_other_kind_are_refused(files: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match=r"rtmpose.ONNX: expected a network that finds people"):
        load_detector(files["rtmpose"])
    for name in ("rtmdet", "rtmo"):
        with pytest.raises(ValueError, match=rf"{name}.onnx: expected a pose network that sees crops"):
            load_person_poses(files[name])
    for name in ("rtmdet", "rtmpose"):
        with pytest.raises(ValueError, match=rf"{name}.(onnx|ONNX): expected a network that finds people and"):
            load_one_shot(files[name])


def test_thunder_out_of_a_file_is_a_pose_network(tmp_path: Path) -> None:
    export_movenet(load_movenet_weights("movenet-thunder").model, tmp_path / "thunder.onnx")
    found = load_person_poses(tmp_path / "thunder.onnx")
    assert isinstance(found, SinglePose)
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    inputs = [Frame(picture, "", 0)], np.array([[5, 5, 30, 35]], np.float32), np.zeros((1, 1), np.int64)
    expected = load_person_poses("movenet-thunder")(*inputs)
    for array, wanted in zip(found(*inputs), expected, strict=True):
        np.testing.assert_allclose(array, wanted, atol=1e-3)
