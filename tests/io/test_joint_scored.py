"""Missing scores of joints: readers say which, they travel with their rows, and writers leave them out again."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast import COCO_17, POSETRACK_15, POSETRACK_17, Poses, Skeleton, read_poses, write_poses


def annotations(*scores: list[float] | None, joints: int = 17) -> dict[str, Any]:
    """A PoseTrack 2018 file of a person a frame, whose last joint is absent, with these scores."""
    keypoints = [10.0, 20.0, 1] * (joints - 1) + [0.0, 0.0, 0]
    people = [{"image_id": f, "keypoints": keypoints, "score": 0.5} for f in range(len(scores))]
    return {
        "images": [{"id": f, "file_name": f"{f}.jpg", "vid_id": "1"} for f in range(len(scores))],
        "annotations": [p | ({} if s is None else {"scores": s}) for p, s in zip(people, scores, strict=True)],
    }


@pytest.fixture
def read(tmp_path: Path) -> Callable[[Any], Poses]:
    def parse(content: Any) -> Poses:
        (tmp_path / "file.json").write_text(json.dumps(content))
        return read_poses(tmp_path / "file.json")

    return parse


def test_a_file_with_all_scores_has_no_such_feature(read: Callable[[Any], Poses]) -> None:
    assert read(annotations([0.5] * 17, [0.25] * 17)).features == {}


def test_joints_without_a_score_in_the_file_are_known(read: Callable[[Any], Poses]) -> None:
    poses = read(annotations([0.5] * 17, None))
    scored = poses.features["joint_scored"]
    assert scored.dtype == bool
    assert scored.tolist() == [[True] * 17, [False] * 16 + [True]]  # an absent joint lacks none
    assert np.isfinite(poses.joint_scores).all()
    everybody = read(annotations(None, None))
    assert everybody.features["joint_scored"].sum() == 2 and everybody.joint_scores[:, :16].min() == 1


def test_rows_are_sorted_with_it(read: Callable[[Any], Poses]) -> None:
    content = annotations([0.5] * 17, None)
    content["annotations"].reverse()
    assert read(content).features["joint_scored"].all(1).tolist() == [True, False]


def test_joints_of_another_order_keep_their_own(read: Callable[[Any], Poses]) -> None:
    content = annotations(None, None)
    names = [*COCO_17.joints[1:], COCO_17.joints[0]]
    content["categories"] = [{"id": 1, "name": "person", "keypoints": names}]
    assert np.argwhere(read(content).features["joint_scored"]).tolist() == [[0, 0], [1, 0]]


def test_points_of_posetrack17_have_each_their_own(read: Callable[[Any], Poses]) -> None:
    points = [{"id": [k], "x": [5 + k], "y": [6]} | ({"score": [0.5]} if k else {}) for k in range(3)]
    poses = read({"annolist": [{"image": [{"name": "a.jpg"}], "annorect": [{"annopoints": [{"point": points}]}]}]})
    assert np.argwhere(~poses.features["joint_scored"]).tolist() == [[0, 0]]


@pytest.mark.parametrize("scores", [(None, None), (None, [0.5] * 17)])
@pytest.mark.parametrize(
    ("format", "skeleton"),
    [("posetrack18", POSETRACK_17), ("coco", COCO_17), ("posetrack17", POSETRACK_15), ("csv", COCO_17),
     ("parquet", COCO_17)],
)  # fmt: skip
def test_a_round_trip_keeps_who_has_a_score(
    format: str, skeleton: Skeleton, scores: Any, read: Callable[[Any], Poses], tmp_path: Path
) -> None:
    if format == "parquet":
        pytest.importorskip("pyarrow")
    poses = read(annotations(*scores)).to_skeleton(skeleton)
    path = tmp_path / {"csv": "a.csv", "parquet": "a.parquet"}.get(format, "a.json")
    write_poses(poses, path, format=format)
    found = read_poses(path)
    np.testing.assert_array_equal(found.features["joint_scored"], poses.features["joint_scored"])
    there = poses.joint_visibility > 0
    np.testing.assert_array_equal(found.joint_scores[there], poses.joint_scores[there])


def test_empty_cells_and_missing_columns_of_a_table_are_missing_scores(tmp_path: Path) -> None:
    write_poses(
        Poses(np.ones((2, 15, 2)), [0, 1, 2], POSETRACK_15, joint_scores=np.full((2, 15), 0.5)), tmp_path / "a.csv"
    )
    with (tmp_path / "a.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    rows[1][header.index("nose_score")] = ""
    rows[0][header.index("head_top_score")] = "nan"
    rows[1][header.index("score")] = ""
    header[header.index("right_knee_score")] = "other"
    with (tmp_path / "b.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    poses = read_poses(tmp_path / "b.csv")
    knee, nose, top = map(POSETRACK_15.index, ("right_knee", "nose", "head_top"))
    assert np.argwhere(~poses.features["joint_scored"]).tolist() == [[0, knee], [0, top], [1, knee], [1, nose]]
    assert poses.joint_scores[0, knee] == 0
    assert poses.scores.tolist() == [1, np.float32(13 * 0.5 / 15)]


def test_it_travels_with_rows_and_joints() -> None:
    scored = np.arange(17) > 2
    poses = Poses(np.ones((2, 17, 2)), [0, 1, 2], COCO_17, features={"joint_scored": np.stack([scored, ~scored])})
    assert poses.select(np.array([False, True])).features["joint_scored"].tolist() == [(~scored).tolist()]
    mapped = poses.to_skeleton(POSETRACK_17)
    expected = [*scored[:1], True, True, *scored[3:]]  # neck and head top are new, and absent
    assert mapped.features["joint_scored"].tolist()[0] == expected


def test_parts_without_it_join_as_scored() -> None:
    lacking = Poses(np.ones((1, 17, 2)), [0, 1], COCO_17, features={"joint_scored": np.zeros((1, 17), bool)})
    joined = Poses.concatenate([lacking, Poses(np.ones((1, 17, 2)), [0, 1], COCO_17), lacking])
    assert joined.features["joint_scored"].all(1).tolist() == [False, True, False]
    torch = pytest.importorskip("torch")
    tensors = Poses.concatenate([part.to("cpu") for part in (joined.frame(1), joined.frame(0))])
    assert tensors.features["joint_scored"].dtype == torch.bool
