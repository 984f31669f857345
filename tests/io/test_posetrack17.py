"""PoseTrack 2017 JSON: what its fields mean."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast import COCO_17, POSETRACK_15, Poses, read_poses, write_poses


def point(joint: int, x: float, y: float, **more: Any) -> dict[str, list[Any]]:
    return {"id": [joint], "x": [x], "y": [y]} | {key: [value] for key, value in more.items()}


def frame(name: str, *people: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"image": [{"name": name}], "annorect": list(people), **more}


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Poses]:
    def parse(*frames: dict[str, Any]) -> Poses:
        (tmp_path / "file.json").write_text(json.dumps({"annolist": frames}))
        poses = read_poses(tmp_path / "file.json")
        return poses

    return parse


def test_joints_that_are_missing_are_absent_and_others_exist_even_at_the_origin(read: Callable[..., Poses]) -> None:
    points = [point(2, 5, 6, is_visible=1), point(0, 0, 0, is_visible=0), point(14, 7, 8)]
    poses = read(frame("a.jpg", {"annopoints": [{"point": points}]}))
    assert poses.joint_visibility[0].tolist() == [1, 0, 2] + [0] * 11 + [2]
    assert poses.keypoints[0, [2, 14]].tolist() == [[5, 6], [7, 8]]
    assert poses.joint_scores[0].tolist() == [1, 0, 1] + [0] * 11 + [1]
    assert poses.boxes.tolist() == [[0, 0, 7, 8]]
    assert poses.scores.tolist() == [1]


def test_points_may_hold_different_keys_in_any_order(read: Callable[..., Poses]) -> None:
    plain = [point(joint, joint + 1, 2, is_visible=joint % 2, score=0.5) for joint in range(3)]
    mixed = [plain[0], dict(reversed(plain[1].items())), plain[2] | {"note": "any", "score": []}]
    uniform = read(frame("a.jpg", {"annopoints": [{"point": plain}]}))
    poses = read(frame("a.jpg", {"annopoints": [{"point": mixed}]}))
    assert np.array_equal(poses.keypoints, uniform.keypoints)
    assert poses.joint_visibility[0, :4].tolist() == uniform.joint_visibility[0, :4].tolist() == [1, 2, 1, 0]
    assert poses.joint_scores[0, :3].tolist() == [0.5, 0.5, 0]


@pytest.mark.parametrize("points", [{}, {"annopoints": []}, {"annopoints": [{}]}, {"annopoints": [{"point": []}]}])
def test_a_person_without_points_stays(points: dict[str, Any], read: Callable[..., Poses]) -> None:
    poses = read(frame("a.jpg"), frame("b.jpg", {"track_id": [3], **points}))
    assert poses.frame_offsets.tolist() == [0, 0, 1]
    assert poses.joint_visibility.sum() == 0
    assert poses.track_ids.tolist() == [3]


def test_predictions_have_scores_and_a_pose_without_one_gets_the_mean(read: Callable[..., Poses]) -> None:
    points = [point(0, 1, 1, score=0.5), point(1, 1, 1, score=1.0), point(2, 1, 1)]
    person = {"annopoints": [{"point": points}], "track_id": [0]}
    poses = read(frame("a.jpg", person, {**person, "track_id": [1], "score": [0.25]}))
    assert poses.joint_scores[0, :4].tolist() == [0.5, 1, 0, 0]
    assert poses.scores.tolist() == [0.5, 0.25]


def test_what_a_file_does_not_say_is_none(read: Callable[..., Poses]) -> None:
    poses = read(frame("a.jpg"), {"image": [{"name": "b.jpg"}]})
    assert (poses.frame_ids, poses.is_labeled, poses.ignore_regions, poses.head_boxes) == (None,) * 4
    assert (poses.frame_names, poses.skeleton, len(poses)) == (("a.jpg", "b.jpg"), POSETRACK_15, 2)


def test_frames_carry_numbers_labels_and_ignore_regions(read: Callable[..., Poses]) -> None:
    region = {"point": [{"x": [1], "y": [2]}, {"x": [3.5], "y": [4]}, {"x": [5], "y": [6]}]}
    poses = read(
        frame("a.jpg", {"x1": [1], "y1": [2], "x2": [3], "y2": [4]}, imgnum=[7], is_labeled=[1], ignore_regions=[]),
        frame("b.jpg", {}, imgnum=[9], is_labeled=[0], ignore_regions=[region]),
    )
    assert poses.frame_ids.tolist() == [7, 9]
    assert poses.is_labeled.tolist() == [True, False]
    assert poses.ignore_regions[0] == ()
    assert poses.ignore_regions[1][0].tolist() == [[1, 2], [3.5, 4], [5, 6]]
    assert poses.head_boxes[0].tolist() == [1, 2, 3, 4]
    assert np.isnan(poses.head_boxes[1]).all()


def test_every_value_is_written_in_a_list_and_short(tmp_path: Path) -> None:
    poses = Poses(
        np.full((1, 15, 2), 321.3731079101562), np.array([0, 1]), POSETRACK_15, track_ids=np.array([12]), sequence="s"
    )
    write_poses(poses, tmp_path / "a.json", format="posetrack17")
    (written,) = json.loads((tmp_path / "a.json").read_text())["annolist"]
    assert written["image"] == [{"name": "images/val/000000_mpii_s/000000.jpg"}]
    (person,) = written["annorect"]
    assert (person["track_id"], person["score"]) == ([0], [1.0])
    assert person["annopoints"][0]["point"][3] == point(3, 321.3731, 321.3731, is_visible=1, score=1.0)


def test_other_skeletons_are_refused(tmp_path: Path) -> None:
    poses = Poses(np.ones((1, 17, 2)), np.array([0, 1]), COCO_17)
    with pytest.raises(ValueError, match="posetrack_15 or posetrack_17 to be written as PoseTrack 2017, got coco_17"):
        write_poses(poses, tmp_path / "a.json", format="posetrack17")


def test_frame_names_that_repeat_are_refused(tmp_path: Path) -> None:
    poses = Poses(np.ones((0, 15, 2)), np.zeros(3), POSETRACK_15, frame_names=("a", "a"))
    with pytest.raises(ValueError, match=r"poses\.frame_names must be distinct"):
        write_poses(poses, tmp_path / "a.json", format="posetrack17")
