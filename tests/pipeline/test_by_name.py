"""Detectors and pose networks by name, each on a picture of a few pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ptfast.io import Frame
from ptfast.pipeline import (
    MaskRcnn,
    NanoDetBoxes,
    OneShotBoxes,
    SinglePose,
    TubePoses,
    load_detector,
    load_one_shot,
    load_person_poses,
)
from ptfast.pipeline.weights import path_of

FRAMES = [Frame(np.full((48, 64, 3), level, np.uint8), "", place) for place, level in enumerate((0, 90, 200))]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("nanodet-g", NanoDetBoxes),
        ("movenet-multipose", OneShotBoxes),
        ("detect-and-track-2d", MaskRcnn),
        ("detect-and-track", MaskRcnn),
        (path_of("nanodet-g"), NanoDetBoxes),
    ],
)
def test_detectors(name: str | Path, kind: type) -> None:
    detector = load_detector(name)
    assert isinstance(detector, kind)
    found = detector(FRAMES, [0, 2])
    assert len(found) == 2
    for boxes, scores in found:
        assert boxes.shape == (len(scores), 4) and boxes.dtype == scores.dtype == np.float32


@pytest.mark.parametrize(
    ("name", "kind", "joints"),
    [
        ("movenet-thunder", SinglePose, 17),
        ("clip-tracking-2d", TubePoses, 15),
        ("simple-baselines", TubePoses, 15),
        ("clip-tracking", TubePoses, 15),
        (path_of("movenet-thunder"), SinglePose, 17),
    ],
)
def test_pose_networks(name: str | Path, kind: type, joints: int) -> None:
    network = load_person_poses(name)
    assert isinstance(network, kind) and len(network.skeleton) == joints
    boxes = np.array([[10, 5, 40, 45], [30, 10, 60, 40]], np.float32)
    for index in (np.array([[1], [2]]), np.zeros((0, 1), np.int64)):
        keypoints, scores = network(FRAMES, boxes[: len(index)], index)
        assert keypoints.shape == (len(index), 1, joints, 2) and scores.shape == (len(index), 1, joints)
        assert keypoints.dtype == scores.dtype == np.float32


@pytest.mark.parametrize("load", [load_detector, load_person_poses])
def test_a_name_that_nothing_has_is_refused(load: object, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nobody: expected a file, or one of: detect-and-track, .*nanodet-g"):
        load("nobody")  # type: ignore[operator]
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(ValueError, match=r"a.txt: expected a file of weights of a"):
        load(tmp_path / "a.txt")  # type: ignore[operator]


def test_a_network_of_the_other_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="network: expected 'mask-rcnn', found 'hrnet'"):
        load_detector("clip-tracking")
    with pytest.raises(
        ValueError,
        match=r"nanodet-g: network: expected one of 'hrnet', .*'inception-pose', 'movenet', found 'nanodet'",
    ):
        load_person_poses("nanodet-g")
    for load in (load_detector, load_one_shot):
        with pytest.raises(
            ValueError, match="movenet-thunder: expected a MoveNet with boxes, as movenet-multipose, found one for"
        ):
            load("movenet-thunder")  # type: ignore[operator]


@pytest.mark.parametrize("load", [load_detector, load_person_poses, load_one_shot])
def test_an_empty_name_is_refused(load: object) -> None:
    with pytest.raises(ValueError, match=r"weights must be a file or a name .*, got an empty name"):
        load("")  # type: ignore[operator]
