"""Public files of every format, where the optional data folder is there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ptfast import COCO_17, POSETRACK_15, POSETRACK_17, Poses, Skeleton, read_poses, read_sequences, write_poses
from ptfast.io import BOX_CENTER

FOLDERS = [
    ("posetrack/annotations/train", 30, POSETRACK_17),
    ("posetrack/annotations/val", 15, POSETRACK_17),
    ("posetrack/detections/val", 15, POSETRACK_17),
    ("somof/train", 68, POSETRACK_17),
    ("somof/val", 36, POSETRACK_17),
    ("poseval_golden/gt17", 5, POSETRACK_15),
    ("poseval_golden/pred17", 5, POSETRACK_15),
    ("poseval_golden/gt18", 5, POSETRACK_17),
    ("poseval_golden/pred18", 5, POSETRACK_17),
    ("mmpose_posetrack18/annotations/val", 3, POSETRACK_17),
    ("mot/TUD-Campus", 2, BOX_CENTER),
    ("mot/TUD-Stadtmitte", 2, BOX_CENTER),
]


@pytest.mark.parametrize(("folder", "count", "skeleton"), FOLDERS)
def test_every_sequence_of_a_folder_is_read_and_survives_csv(
    folder: str, count: int, skeleton: Skeleton, data: Path, tmp_path: Path, assert_same: Callable[[Poses, Poses], None]
) -> None:
    sequences = read_sequences(data / folder)
    assert len(sequences) == count
    assert {poses.skeleton for poses in sequences.values()} == {skeleton}
    assert all(np.isfinite(poses.keypoints).all() for poses in sequences.values())
    name, poses = min(sequences.items(), key=lambda item: len(item[1].keypoints))
    write_poses(poses, tmp_path / f"{name}.csv")
    assert_same(read_poses(tmp_path / f"{name}.csv"), poses)


def test_rows_of_a_posetrack18_file_are_what_json_says(data: Path) -> None:
    path = data / "poseval_golden/pred18/000023.json"
    content = json.loads(path.read_text())
    poses = read_poses(path)
    annotation, image = content["annotations"][-1], content["images"][-1]
    triples = np.array(annotation["keypoints"]).reshape(17, 3)
    x, y, width, height = annotation["bbox"]
    assert np.array_equal(poses.keypoints[-1], triples[:, :2].astype(np.float32))
    assert poses.joint_visibility[-1].tolist() == (2 * triples[:, 2]).tolist()
    assert np.array_equal(poses.joint_scores[-1], np.array(annotation["scores"], np.float32))
    assert np.array_equal(poses.boxes[-1], np.array([x, y, x + width, y + height], np.float32))
    assert poses.track_ids[-1] == annotation["track_id"]
    assert (poses.frame_names[-1], poses.frame_ids[-1]) == (image["file_name"], image["id"])
    assert (image["ignore_regions_x"], poses.ignore_regions) == ([], None)


def test_both_golden_formats_hold_the_same_joints(data: Path) -> None:
    old = read_poses(data / "poseval_golden/gt17/000002.json")
    new = read_poses(data / "poseval_golden/gt18/000002.json")
    new = new.to_skeleton(POSETRACK_15)
    assert np.array_equal(old.keypoints, new.keypoints)
    assert np.array_equal(old.joint_visibility > 0, new.joint_visibility > 0)
    assert np.array_equal(old.frame_offsets, new.frame_offsets)
    assert (old.joint_visibility == 1).sum() == 3115


def test_ignore_regions_and_image_sizes_are_read(data: Path) -> None:
    poses = read_poses(data / "mmpose_posetrack18/annotations/val/012834_mpii_test.json")
    assert [len(polygon) for polygon in poses.ignore_regions[0]][:1] == [152]
    assert poses.ignore_regions[0][0][0].tolist() == [3, 1079]
    assert poses.frame_size.tolist() == [[1920, 1080]]


def test_a_file_of_three_videos_gives_three(data: Path) -> None:
    sequences = read_sequences(data / "mmpose_posetrack18/annotations/test_posetrack18_val.json")
    assert list(sequences) == ["003418_mpii_test", "009473_mpii_test", "012834_mpii_test"]
    assert [len(poses.keypoints) for poses in sequences.values()] == [1, 2, 11]


def test_coco_files_are_read(data: Path) -> None:
    poses = read_poses(data / "mmpose_coco/test_coco.json")
    boxes = read_poses(data / "mmpose_coco/test_coco_det_AP_H_56.json")
    assert (poses.skeleton, poses.keypoints.shape, len(poses)) == (COCO_17, (14, 17, 2), 4)
    assert np.bincount(poses.joint_visibility.ravel()).tolist() == [57, 17, 164]
    assert poses.frame_size[0].tolist() == [640, 425]
    assert (boxes.skeleton, boxes.boxes.shape) == (BOX_CENTER, (118, 4))


def test_keypoints_that_their_category_does_not_declare_are_refused(data: Path) -> None:
    with pytest.raises(ValueError, match=r"annotations\[0\]\.keypoints: expected 51 numbers, found 399"):
        read_poses(data / "mmpose_coco/test_keypoint_partition_metric.json")


def test_per_frame_detections_are_read(data: Path) -> None:
    poses = read_poses(data / "detections/globalflow_ts1.json")
    assert (len(poses), poses.keypoints.shape, poses.skeleton) == (201, (607, 17, 2), COCO_17)
    assert poses.frame_names[0] == "img_000001.jpg"
    content = json.loads((data / "detections/globalflow_ts1.json").read_text())
    assert np.array_equal(poses.boxes[0], np.array(content["img_000001.jpg"][0]["origbox"], np.float32))
    assert poses.areas[0] == np.float32(1253416.625)
