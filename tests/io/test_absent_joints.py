"""Absent joints in files: what tools write for none has no place, no box, and visibility 0."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast import COCO_17, POSETRACK_17, Poses, read_poses, write_poses

NAN = float("nan")
NANS = [(NAN, 5), (5, NAN), (NAN, NAN)]
SENTINELS = [(0, 0), (-1, -1), (0, -3)]
BOX = [10, 20, 26, 36]


def triples(place: tuple[float, float], score: float = 0.0) -> np.ndarray:
    """(17, 3) joints on a diagonal, x, y and a score of 0.5, but the fourth, which stands at `place`."""
    joints = np.stack([np.arange(17) + 10.0, np.arange(17) + 20.0, np.full(17, 0.5)], 1)
    joints[3] = [*place, score]
    return joints


def read(folder: Path, content: Any) -> Poses:
    (folder / "file.json").write_text(json.dumps(content))
    return read_poses(folder / "file.json")


def annolist(joints: np.ndarray) -> dict[str, Any]:
    """A PoseTrack 2017 file of the first 15 joints."""
    points = [{"id": [k], "x": [x], "y": [y], "score": [score]} for k, (x, y, score) in enumerate(joints[:15].tolist())]
    return {"annolist": [{"image": [{"name": "a.jpg"}], "annorect": [{"annopoints": [{"point": points}]}]}]}


def posetrack18(joints: np.ndarray) -> dict[str, Any]:
    flagged = joints.copy()
    flagged[:, 2] = joints[:, 2] != 0
    return document(flagged, POSETRACK_17.joints, scores=joints[:, 2].tolist())


FORMATS = {
    "frames": lambda joints: {"frames": {"a.jpg": [{"keypoints": joints.ravel().tolist()}]}},
    "coco_results": lambda joints: [{"image_id": 1, "score": 1, "keypoints": joints.ravel().tolist()}],
    "posetrack18": posetrack18,
    "posetrack17": annolist,
}


def document(keypoints: np.ndarray, names: tuple[str, ...], **more: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 1, "file_name": "1.jpg", **({"vid_id": "1"} if more else {})}],
        "annotations": [{"image_id": 1, "keypoints": keypoints.ravel().tolist(), **more}],
        "categories": [{"id": 1, "name": "person", "keypoints": list(names)}],
    }


def fourth_alone_is_absent(poses: Poses) -> None:
    assert np.flatnonzero(poses.joint_visibility[0] == 0).tolist() == [3]
    assert (poses.keypoints[0, 3] == 0).all()
    assert poses.boxes.tolist() == [BOX]


@pytest.mark.parametrize("place", SENTINELS)
def test_sentinels_of_scored_joints_are_absent(place: tuple[int, int], tmp_path: Path) -> None:
    person = {"keypoints": triples(place).ravel().tolist()}
    fourth_alone_is_absent(read(tmp_path, {"frames": {"a.jpg": [person]}}))
    fourth_alone_is_absent(read(tmp_path, [{"image_id": 1, "score": 1, **person}]))


@pytest.mark.parametrize("place", SENTINELS)
def test_sentinels_of_posetrack18_are_absent(place: tuple[int, int], tmp_path: Path) -> None:
    fourth_alone_is_absent(read(tmp_path, posetrack18(triples(place))))


@pytest.mark.parametrize("place", SENTINELS)
def test_sentinels_of_posetrack17_are_absent(place: tuple[int, int], tmp_path: Path) -> None:
    content = annolist(triples(place))
    poses = read(tmp_path, content)
    assert np.flatnonzero(poses.joint_visibility[0] == 0).tolist() == [3]
    assert poses.boxes.tolist() == [[10, 20, 24, 34]]
    content["annolist"][0]["annorect"][0]["annopoints"][0]["point"][3]["is_visible"] = [1]
    assert (read(tmp_path, content).joint_visibility == 2).all()


def test_cocos_flag_of_0_is_absent_wherever_it_stands(tmp_path: Path) -> None:
    joints = triples((700, 900))
    joints[:, 2] = np.where(joints[:, 2] > 0, 2, 0)
    fourth_alone_is_absent(read(tmp_path, document(joints, COCO_17.joints)))


def test_the_corner_with_a_score_is_a_joint(tmp_path: Path) -> None:
    person = {"keypoints": triples((0, 0), 0.25).ravel().tolist()}
    poses = read(tmp_path, {"frames": {"a.jpg": [person]}})
    assert (poses.joint_visibility == 2).all() and poses.boxes.tolist() == [[0, 0, 26, 36]]


def test_boxes_of_the_file_stay(tmp_path: Path) -> None:
    person = {"keypoints": triples((0, 0)).ravel().tolist(), "box": [0, 0, 99, 99]}
    assert read(tmp_path, {"frames": {"a.jpg": [person]}}).boxes.tolist() == [[0, 0, 99, 99]]


@pytest.mark.parametrize("cell", ["", "nan"])
@pytest.mark.parametrize("column", ["left_ear_x", "left_ear_y"])
def test_joints_of_a_table_without_a_coordinate_are_absent(cell: str, column: str, tmp_path: Path) -> None:
    write_poses(Poses(triples((5, 5))[None, :, :2], [0, 1], COCO_17), tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        header, row = csv.reader(file)
    row[header.index(column)] = cell
    row[header.index("left_ear_visibility")] = cell.replace("nan", "2")
    with (tmp_path / "b.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, row])
    poses = read_poses(tmp_path / "b.csv")
    assert np.flatnonzero(poses.joint_visibility[0] == 0).tolist() == [3]
    assert (poses.keypoints[0, 3] == 0).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("score", [0.0, 0.25, NAN])
@pytest.mark.parametrize("place", NANS)
@pytest.mark.parametrize("format", FORMATS)
def test_nan_joints_are_absent(format: str, place: tuple[float, float], score: float, tmp_path: Path) -> None:
    poses = read(tmp_path, FORMATS[format](triples(place, score)))
    assert np.flatnonzero(poses.joint_visibility[0] == 0).tolist() == [3]
    assert (poses.keypoints[0, 3] == 0).all() and poses.joint_scores[0, 3] == 0
    assert (np.delete(poses.joint_scores[0], 3) == 0.5).all() and poses.scores[0] in (0.5, 1)
    assert poses.boxes.tolist() == [[10, 20, 24, 34] if format == "posetrack17" else BOX]
    assert poses.features == {}


@pytest.mark.parametrize("flag", [0, 1, 2, NAN])
@pytest.mark.parametrize("place", NANS)
def test_nan_joints_of_annotations_are_absent_whatever_their_flag(
    place: tuple[float, float], flag: float, tmp_path: Path
) -> None:
    joints = triples(place)
    joints[:, 2] = 2
    joints[3, 2] = flag
    fourth_alone_is_absent(read(tmp_path, document(joints, COCO_17.joints)))
    content = document(joints, POSETRACK_17.joints, visibility=[2] * 17)
    fourth_alone_is_absent(read(tmp_path, content))
    del content["annotations"][0]["visibility"]
    fourth_alone_is_absent(read(tmp_path, content))


def test_nan_points_of_posetrack17_are_absent_whatever_their_flag(tmp_path: Path) -> None:
    content = annolist(triples((NAN, 5), 0.25))
    content["annolist"][0]["annorect"][0]["annopoints"][0]["point"][3]["is_visible"] = [1]
    assert np.flatnonzero(read(tmp_path, content).joint_visibility[0] == 0).tolist() == [3]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("place", [(50, 60), (0, 0)])
@pytest.mark.parametrize("format", FORMATS)
def test_a_score_that_alone_is_nan_is_missing(format: str, place: tuple[float, float], tmp_path: Path) -> None:
    poses = read(tmp_path, FORMATS[format](triples(place, NAN)))
    assert (poses.joint_visibility > 0).all() and poses.keypoints[0, 3].tolist() == list(place)
    assert np.argwhere(~poses.features["joint_scored"]).tolist() == [[0, 3]]
    assert poses.joint_scores[0, 3] == 0 and (np.delete(poses.joint_scores[0], 3) == 0.5).all()


@pytest.mark.parametrize("format", FORMATS)
def test_people_of_nan_joints_alone_have_no_box(format: str, tmp_path: Path) -> None:
    poses = read(tmp_path, FORMATS[format](np.full((17, 3), NAN)))
    assert not poses.joint_visibility.any() and not poses.keypoints.any() and not poses.boxes.any()


def test_a_nan_is_no_score_by_which_posetrack18_means_none(tmp_path: Path) -> None:
    content = posetrack18(triples((-1, -1), NAN))
    content["annotations"][0]["keypoints"][11] = 0
    poses = read(tmp_path, content)
    assert poses.joint_visibility[0].tolist() == [2, 2, 2, 1, *[2] * 13]
    assert poses.keypoints[0, 3].tolist() == [-1, -1]
