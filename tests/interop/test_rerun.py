"""What the rerun viewer is told."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast import COCO_17, Poses, Skeleton
from ptfast.interop import log_to_rerun

from ..io.conftest import make_poses


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str, str, dict[str, Any]]]:
    """What a rerun of the tests' own is told: frame, path, shape, its arguments."""
    told: list[tuple[int, str, str, dict[str, Any]]] = []
    now = [0]

    def shape(name: str) -> Any:
        return lambda *values, **named: (name, {str(index): value for index, value in enumerate(values)} | named)

    def log(path: str, logged: tuple[str, dict[str, Any]], *, recording: object) -> None:
        assert recording == "stream"
        told.append((now[0], path, *logged))

    rerun: Any = ModuleType("rerun")
    rerun.set_time = lambda timeline, sequence, recording: now.__setitem__(0, sequence)
    rerun.log = log
    rerun.Box2DFormat = SimpleNamespace(XYXY="xyxy")
    for name in ("Image", "Clear", "Boxes2D", "LineStrips2D", "Points2D"):
        setattr(rerun, name, shape(name))
    monkeypatch.setitem(sys.modules, "rerun", rerun)
    return told


def test_rerun_is_told_frames_boxes_bones_and_ids(logged: list[tuple[int, str, str, dict[str, Any]]]) -> None:
    three = Skeleton("three", ("a", "b", "c"), ((0, 1), (1, 2)), (), (0.1,) * 3)
    poses = Poses(
        keypoints=np.arange(12).reshape(2, 3, 2),
        frame_offsets=np.array([0, 2, 2]),
        skeleton=three,
        joint_visibility=np.array([[2, 2, 1], [0, 2, 2]]),
        track_ids=np.array([-1, 65536]),
    )
    image = np.zeros((4, 6, 3), np.uint8)
    frames = iter([SimpleNamespace(image=image), None, image])
    log_to_rerun(poses, frames, path="cam", first_frame=10, recording="stream")
    assert [(frame, path, shape) for frame, path, shape, _ in logged] == [
        (10, "cam", "Image"), (10, "cam/boxes", "Boxes2D"), (10, "cam/skeletons", "LineStrips2D"),
        (10, "cam/joints", "Points2D"),
        (11, "cam", "Clear"), (11, "cam/boxes", "Boxes2D"), (11, "cam/skeletons", "LineStrips2D"),
        (11, "cam/joints", "Points2D"),
    ]  # fmt: skip
    _, boxes, bones, joints = (arguments for *_, arguments in logged[:4])
    assert boxes["labels"] == ["", "65536"]
    np.testing.assert_array_equal(boxes["array"], poses.boxes)
    np.testing.assert_array_equal(boxes["class_ids"], [0, 1])
    np.testing.assert_array_equal(bones["0"], [[[0, 1], [2, 3]], [[2, 3], [4, 5]], [[8, 9], [10, 11]]])
    np.testing.assert_array_equal(bones["class_ids"], [0, 0, 1])
    np.testing.assert_array_equal(joints["0"], [[0, 1], [2, 3], [4, 5], [8, 9], [10, 11]])
    np.testing.assert_array_equal(joints["class_ids"], [0, 0, 0, 1, 1])
    assert [len(arguments.get("0", arguments.get("array"))) for *_, arguments in logged[5:]] == [0, 0, 0]
    assert len(list(frames)) == 1  # a stream of images can go on


def test_rerun_without_enough_images(logged: list[tuple[int, str, str, dict[str, Any]]]) -> None:
    poses = Poses(np.zeros((0, 17, 2)), np.array([0, 0, 0]), COCO_17)
    with pytest.raises(ValueError, match="frames must have an image for each of 2 frames, got 1"):
        log_to_rerun(poses, [np.zeros((1, 1, 3), np.uint8)], recording="stream")
    logged.clear()
    log_to_rerun(poses, recording="stream")
    assert {path for _, path, *_ in logged} == {"video/boxes", "video/skeletons", "video/joints"}


def test_rerun_s_own_recording_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rerun, chunk = peer("rerun"), peer("rerun.chunk")
    monkeypatch.setattr("rerun.error_utils._strict_mode", True)  # errors in what is logged are warnings otherwise
    recording = rerun.RecordingStream("ptfast_test")
    recording.save(str(tmp_path / "a.rrd"))
    poses = make_poses(6, COCO_17, frames=5)
    images = [np.full((8, 8, 3), f, np.uint8) for f in range(4)]
    log_to_rerun(poses, [*images, None], recording=recording)
    recording.disconnect()
    rows: dict[str, dict[int, dict[str, Any]]] = {}
    for part in chunk.RrdReader(str(tmp_path / "a.rrd")).stream():
        for row in part.to_record_batch().to_pylist():
            rows.setdefault(part.entity_path, {}).setdefault(row.get("frame", -1), {}).update(row)
    there = poses.joint_visibility > 0
    bones = there[:, np.array(COCO_17.edges)].all(2).sum(1)
    for f in range(5):
        frame = slice(*poses.frame_offsets[f : f + 2])
        boxes = rows["/video/boxes"][f]
        assert boxes["Boxes2D:labels"] == ["" if i < 0 else str(i) for i in poses.track_ids[frame]]
        centers = (poses.boxes[frame, :2] + poses.boxes[frame, 2:]) / 2
        np.testing.assert_allclose(np.reshape(boxes["Boxes2D:centers"], (-1, 2)), centers, rtol=1e-6)
        assert len(rows["/video/skeletons"][f]["LineStrips2D:strips"]) == bones[frame].sum()
        joints = np.reshape(rows["/video/joints"][f]["Points2D:positions"], (-1, 2))
        np.testing.assert_array_equal(joints, poses.keypoints[frame][there[frame]])
        assert bytes(rows["/video"][f].get("Image:buffer", [b""])[0]) == (bytes([f] * 192) if f < 4 else b"")
