"""Formats of detectors and box trackers: the simple per-frame JSON, COCO results and MOT text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast import COCO_17, POSETRACK_15, POSETRACK_17, Poses, read_poses, write_poses
from ptfast.io import BOX_CENTER


def read(folder: Path, content: Any, name: str = "file.json") -> Poses:
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    poses = read_poses(folder / name)
    return poses


def person(**more: Any) -> dict[str, Any]:
    return {"keypoints": [4, 5, 0.5, 8, 9, 0.25] + [0] * 45, **more}


def test_frames_may_stand_alone_without_anything_about_them(tmp_path: Path) -> None:
    poses = read(tmp_path, {"b.jpg": [], "a.jpg": [person(score=0.7, area=30, center=[1, 2], origbox=[1, 2, 3, 4])]})
    assert (poses.frame_names, poses.skeleton, poses.sequence) == (("b.jpg", "a.jpg"), COCO_17, "file")
    assert poses.frame_offsets.tolist() == [0, 0, 1]
    assert poses.joint_visibility[0].tolist() == [2, 2] + [0] * 15
    assert poses.joint_scores[0, :2].tolist() == [0.5, 0.25]
    assert (poses.scores.tolist(), poses.areas.tolist()) == ([np.float32(0.7)], [30])
    assert poses.boxes.tolist() == [[1, 2, 3, 4]]


def test_what_a_frames_file_does_not_say_comes_from_the_joints(tmp_path: Path) -> None:
    poses = read(tmp_path, {"frames": {"a.jpg": [person(), person(box=[0, 0, 9, 9], origbox=[1, 2, 3, 4])]}})
    assert poses.boxes.tolist() == [[4, 5, 8, 9], [0, 0, 9, 9]]
    assert poses.scores.tolist() == [0.375, 0.375]
    assert poses.areas is None
    assert poses.track_ids.tolist() == [-1, -1]


def test_a_frames_file_may_name_its_skeleton(tmp_path: Path) -> None:
    assert read(tmp_path, {"skeleton": "posetrack_17", "frames": {"a": [person()]}}).skeleton == POSETRACK_17
    assert read(tmp_path, {"a": [{"keypoints": [1] * 45}]}).skeleton == POSETRACK_15


def test_image_ids_of_coco_results_become_frames_in_order(tmp_path: Path) -> None:
    content = [person(image_id=i, category_id=1, score=0.5, track_id=i) for i in (30, 7, 30)]
    content[2]["track_id"] = 5
    poses = read(tmp_path, content)
    assert poses.frame_ids.tolist() == [7, 30]
    assert poses.track_ids.tolist() == [7, 30, 5]
    assert poses.boxes[0].tolist() == [4, 5, 8, 9]
    assert poses.joint_scores[0, :2].tolist() == [0.5, 0.25]


def test_coco_results_without_keypoints_are_boxes(tmp_path: Path) -> None:
    poses = read(tmp_path, [{"image_id": 3, "bbox": [2, 4, 6, 8], "score": 0.5}, {"image_id": 3, "bbox": [0, 0, 1, 1]}])
    assert poses.skeleton == BOX_CENTER
    assert poses.boxes[0].tolist() == [2, 4, 8, 12]
    assert poses.keypoints[0].tolist() == [[5, 8]]
    assert poses.scores.tolist() == [0.5, 1]


def test_an_empty_list_of_coco_results_has_no_frames(tmp_path: Path) -> None:
    assert len(read(tmp_path, "[]")) == 0


def test_coco_results_hold_cocos_joints_alone(tmp_path: Path) -> None:
    poses = Poses(np.ones((1, 17, 2)), np.array([0, 1]), POSETRACK_17)
    with pytest.raises(ValueError, match="skeleton coco_17 to be written as COCO results, got posetrack_17"):
        write_poses(poses, tmp_path / "a.json", format="coco_results")


def test_mot_frames_go_from_one_to_the_last_box(tmp_path: Path) -> None:
    poses = read(tmp_path, "4,2,10,20,30,40,0.5,-1,-1,-1\n2,-1,1,2,3,4,-1,-1,-1,-1\n", "a.txt")
    assert poses.frame_ids.tolist() == [1, 2, 3, 4]
    assert poses.frame_offsets.tolist() == [0, 0, 1, 1, 2]
    assert poses.boxes.tolist() == [[1, 2, 4, 6], [10, 20, 40, 60]]
    assert poses.keypoints[:, 0].tolist() == [[2.5, 4], [25, 40]]
    assert (poses.scores.tolist(), poses.track_ids.tolist()) == ([1, 0.5], [-1, 2])
    assert poses.skeleton == BOX_CENTER


def test_mot_columns_that_are_not_read_may_hold_anything(tmp_path: Path) -> None:
    poses = read(tmp_path, "1,1,1,2,3,4,1,a_car\n2,1,1,2,3,4,1,\n", "a.txt")
    assert poses.frame_ids.tolist() == [1, 2]


def test_mot_text_of_no_box_is_not_written_as_an_empty_file_is_not_read(tmp_path: Path) -> None:
    poses = Poses(np.zeros((0, 17, 2)), np.zeros(4), POSETRACK_17)
    with pytest.raises(ValueError, match="at least one box to be written as MOT text, where no box is an empty file"):
        write_poses(poses, tmp_path / "a.txt")
    assert list(tmp_path.iterdir()) == []


def test_mot_lines_are_the_challenges(tmp_path: Path) -> None:
    poses = Poses(
        np.ones((1, 17, 2)),
        np.array([0, 0, 1]),
        POSETRACK_17,
        boxes=np.array([[1, 2, 4.1, 6]]),
        track_ids=np.array([8]),
    )
    write_poses(poses, tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "2,8,1.0,2.0,3.1,4.0,1.0,-1,-1,-1\n"
