"""ptfast track with networks of ONNX files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ptfast.cli import main
from ptfast.io import read_poses
from ptfast.structures import Poses

from ..pipeline.onnx_graphs import write_graph


def test_a_detector_and_a_pose_network_of_files(tmp_path: Path) -> None:
    """The box becomes a crop of 15 x 20 at (2.5, 6), of which the joints are at 1 / 4 and 3 / 4."""
    scores = {"simcc_x": np.zeros((17, 96)), "simcc_y": np.zeros((17, 128))}
    scores["simcc_x"][:, 24], scores["simcc_y"][:, 96] = 1, 0.9
    box = {"dets": np.array([[4, 8, 16, 24, 0.8]]), "labels": np.array([0])}
    detector = write_graph(tmp_path / "rtmdet.onnx", box)
    pose = write_graph(tmp_path / "rtmpose-m.onnx", scores, size=(64, 48), batch="batch")
    video, out = tmp_path / "walk", tmp_path / "tracks.json"
    video.mkdir()
    for index in range(3):
        cv2.imwrite(str(video / f"{index}.png"), np.zeros((32, 32, 3), np.uint8))
    main(["track", str(video), "-o", str(out), "--detector", str(detector), "--pose", str(pose)])
    poses = read_poses(out)
    assert isinstance(poses, Poses)
    assert len(poses) == len(poses.track_ids) == 3 and len({*poses.track_ids.tolist()}) == 1
    nose = poses.skeleton.index("nose")
    np.testing.assert_allclose(poses.keypoints[:, nose], [[6.25, 21]] * 3, atol=1e-3)
