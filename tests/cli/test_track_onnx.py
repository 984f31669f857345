"""ptfast track with networks of ONNX files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ptfast.cli import main
from ptfast.io import read_poses
from ptfast.methods import Online
from ptfast.models import MoveNet, MoveNetArchitecture
from ptfast.pipeline import MultiPose, MultiPoseSettings
from ptfast.pipeline.onnx import export_movenet
from ptfast.structures import Poses

from ..pipeline.onnx_graphs import write_graph


def black(folder: Path) -> Path:
    """A folder of three black pictures."""
    folder.mkdir()
    for index in range(3):
        cv2.imwrite(str(folder / f"{index}.png"), np.zeros((32, 32, 3), np.uint8))
    return folder


@pytest.mark.parametrize("method", ["online", "clip-tracking"])
def test_a_detector_and_a_pose_network_of_files(method: str, tmp_path: Path) -> None:
    """The box becomes a crop of 15 x 20 at (2.5, 6), of which the joints are at 1 / 4 and 3 / 4."""
    scores = {"simcc_x": np.zeros((17, 96)), "simcc_y": np.zeros((17, 128))}
    scores["simcc_x"][:, 24], scores["simcc_y"][:, 96] = 1, 0.9
    box = {"dets": np.array([[4, 8, 16, 24, 0.8]]), "labels": np.array([0])}
    detector = write_graph(tmp_path / "rtmdet.onnx", box)
    pose = write_graph(tmp_path / "rtmpose-m.onnx", scores, size=(64, 48), batch="batch")
    video, out = black(tmp_path / "walk"), tmp_path / "tracks.json"
    given = {
        "online": ["--pose", str(pose)],
        "clip-tracking": ["--weights", str(pose), "--min-area", "0", "--min-length", "1"],
    }
    main(["track", str(video), "-o", str(out), "--method", method, "--detector", str(detector), *given[method]])
    poses = read_poses(out)
    assert isinstance(poses, Poses)
    assert len(poses) == len(poses.track_ids) == 3 and len({*poses.track_ids.tolist()}) == 1
    nose = poses.skeleton.index("nose")
    np.testing.assert_allclose(poses.keypoints[:, nose], [[6.25, 21]] * 3, atol=1e-3)


def rtmo(path: Path, score: float = 0.8, joint: float = 0.7) -> Path:
    """A one-shot network that finds two people, one of whom is unsure."""
    boxes = np.array([[4, 8, 16, 24, score], [16, 8, 28, 24, 0.31]])
    joints = np.tile(np.float32([0, 0, joint]), (2, 17, 1))
    joints[..., :2] += boxes[:, None, :2] + np.arange(17)[:, None] / 2
    return write_graph(path, {"dets": boxes, "keypoints": joints})


def test_a_one_shot_network_of_a_file(tmp_path: Path) -> None:
    video, out, weights = black(tmp_path / "walk"), tmp_path / "tracks.json", str(rtmo(tmp_path / "rtmo.onnx"))
    main(["track", str(video), "-o", str(out), "--weights", weights])
    poses = read_poses(out)
    assert isinstance(poses, Poses) and np.diff(poses.frame_offsets).tolist() == [2, 2, 2]
    assert len({*poses.track_ids.tolist()}) == 2
    ankle = poses.skeleton.index("right_ankle")
    np.testing.assert_allclose(sorted(poses.keypoints[:2, ankle].tolist()), [[12, 16], [24, 16]], atol=1e-3)
    main(["track", str(video), "-o", str(out), "--weights", weights, "--min-score", "0.5", "--batch", "2"])
    assert len(read_poses(out).scores) == 3


def test_a_one_shot_network_of_a_file_looks_first(tmp_path: Path) -> None:
    """Thunder finds nothing in black pictures that it would be surer of."""
    weights = rtmo(tmp_path / "rtmo.onnx")
    found = Online.load(weights, quality="full").estimate([np.zeros((32, 32, 3), np.uint8)])
    assert len(found.scores) == 2
    nose = found.skeleton.index("nose")
    np.testing.assert_allclose(sorted(found.keypoints[:, nose].tolist()), [[4, 8], [16, 8]], atol=1e-3)


def test_a_one_shot_network_of_a_file_has_the_defaults_and_no_settings_of_multipose(tmp_path: Path) -> None:
    weights = rtmo(tmp_path / "rtmo.onnx")
    method = Online.load(weights, batch=2)
    assert method.thresholds() == Online(method.estimate).thresholds()
    assert method.depends_on() == {"min_score": 0.3, "overlap": 0.65, "long_side": 640, "batch": 2}
    for quality in ("fast", "full"):
        with pytest.raises(ValueError, match="long_side is for MultiPose, which is not among the networks, got 320"):
            Online.load(weights, quality=quality, long_side=320)  # type: ignore[arg-type]


def test_multipose_out_of_a_file_has_its_settings(tmp_path: Path) -> None:
    export_movenet(MoveNet(MoveNetArchitecture(width=0.125)), tmp_path / "movenet.onnx")
    estimate = Online.load(tmp_path / "movenet.onnx", long_side=96, max_people=3).estimate
    wanted = MultiPoseSettings(long_side=96, max_people=3, precision="float32")  # the file's own
    assert isinstance(estimate, MultiPose) and estimate.settings == wanted
    with pytest.raises(ValueError, match=r"movenet.onnx: precision must be 'auto' or 'float32' for an ONNX file, got"):
        Online.load(tmp_path / "movenet.onnx", precision="bfloat16")
