"""The counts of the study of real people (benchmarks/real_people_scores.py), against examples made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from real_people_scores import (
    coco_average_precision,
    coco_results,
    ids_in_video,
    pck,
    people_found,
    torso_sizes,
)

from ptfast.skeletons import COCO_17, POSETRACK_15
from ptfast.structures import Poses


def test_a_torso_is_the_longest_diagonal_that_is_annotated() -> None:
    keypoints = np.array([[[0, 0], [3, 4], [0, 10], [0, 0]]] * 4, float)
    annotated = np.array([[1, 1, 1, 1], [1, 1, 0, 1], [0, 1, 1, 1], [0, 1, 1, 0]], bool)
    sizes = torso_sizes(keypoints, annotated, np.array([[0, 1], [2, 3]]))
    np.testing.assert_array_equal(sizes, [10, 5, 10, np.nan])
    np.testing.assert_array_equal(torso_sizes(keypoints, annotated, np.array([[0, 1]])), [5, 5, np.nan, np.nan])


def test_pck_counts_annotated_joints_of_people_with_a_torso() -> None:
    truth = np.zeros((3, 3, 2))
    found = np.array([[[2, 0], [0, 2.01], [9, 9]], [[4, 0], [0, 0], [0, 0]], [[0, 0]] * 3])
    annotated = np.array([[1, 1, 0], [1, 1, 1], [1, 1, 1]], bool)
    sizes = np.array([10, 10, np.nan])
    assert pck(found, truth, annotated, sizes) == pytest.approx(100 * 3 / 5)
    assert pck(found, truth, annotated, sizes, threshold=0.5) == 100


def people(*frames: list[tuple[int, float]]) -> Poses:
    """People by (id, x): joints on a grid of 56 by 70 pixels, whose box has an area of 3,920."""
    everybody = [person for frame in frames for person in frame]
    grid = np.array([(14 * (joint % 5), 35 * (joint // 5)) for joint in range(15)], float)
    return Poses(
        np.array([grid + np.array([x, 0]) for _, x in everybody]).reshape(-1, 15, 2),
        np.cumsum([0, *map(len, frames)]),
        POSETRACK_15,
        track_ids=np.array([name for name, _ in everybody], np.int64),
    )


def test_people_are_found_once_and_their_ids_counted() -> None:
    truth = people([(0, 0), (1, 500)], [(0, 0), (1, 500)], [(0, 0)], [(0, 0)])
    found = people([(5, 1), (6, 900)], [(5, 0), (5, 1), (7, 501)], [], [(8, 0)])
    assert people_found(truth, found) == {"people": 6, "found": 4, "false": 2, "id changes": 1}


def test_a_pose_too_far_away_is_nobody() -> None:
    """OKS at a shift of d is the mean of exp(-d^2 / (8 sigma^2 area)), with an area of 0.53 x 3,920."""
    sigmas, area = np.array(POSETRACK_15.sigmas), 0.53 * 56 * 70
    for shift, hits in ((7, 1), (12, 0)):
        oks = np.exp(-(shift**2) / (8 * sigmas**2 * area)).mean()
        assert (oks >= 0.5) == hits
        assert people_found(people([(0, 0)]), people([(0, shift)]))["found"] == hits


def test_ids_a_second() -> None:
    figures = ids_in_video(people([(0, 0), (3, 9)], [(0, 0)], [], [(4, 0)]), seconds=2)
    assert figures == {"ids": 3, "ids a second": 1.5, "people a frame": 1, "frames a track": 1.3}
    assert ids_in_video(people([], []), seconds=2)["ids"] == 0


def test_absent_joints_are_nowhere_in_cocos_results() -> None:
    visibility = np.full((1, 17), 2)
    visibility[0, 3] = 0
    poses = Poses(
        np.full((1, 17, 2), 7), [0, 0, 1], COCO_17, joint_visibility=visibility, joint_scores=np.full((1, 17), 0.5)
    )
    (result,) = coco_results(poses, [11, 12])
    assert (result["image_id"], result["category_id"], result["score"]) == (12, 1, 1)
    assert result["keypoints"] == [7, 7, 0.5] * 3 + [0, 0, 0] + [7, 7, 0.5] * 13


def test_ap_of_one_person_of_two(tmp_path: Path) -> None:
    pytest.importorskip("pycocotools")
    body = [value for joint in range(17) for value in (10 * joint, 20 * joint, 2)]
    document = {
        "images": [{"id": image} for image in (1, 2)],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [
            {"id": image, "image_id": image, "category_id": 1, "keypoints": body, "num_keypoints": 17}
            | {"bbox": [0, 0, 160, 320], "area": 25600, "iscrowd": 0}
            for image in (1, 2)
        ],
    }
    (tmp_path / "a.json").write_text(json.dumps(document))
    keypoints = np.array(body, float).reshape(1, 17, 3)[..., :2]
    figures = coco_average_precision(tmp_path / "a.json", Poses(keypoints, [0, 1, 1], COCO_17), [1, 2])
    # Precision is 1 up to a recall of 0.5: 51 of COCO's 101 places.
    half = round(100 * 51 / 101, 1)
    assert figures == {"AP": half, "AP50": half, "AP large": half, "AR": 50}  # nobody is of medium size
    nobody = Poses(keypoints[:0], [0, 0, 0], COCO_17)
    assert coco_average_precision(tmp_path / "a.json", nobody, [1, 2]) == {"AP": 0, "AP50": 0, "AR": 0}


def test_no_more_people_of_an_image_count_than_are_asked_for() -> None:
    pytest.importorskip("pycocotools")
    grid = np.array([(10 * joint, 20 * joint) for joint in range(17)], float)
    keypoints = np.stack([grid + 1000 * place for place in range(30)])
    rows = np.concatenate([keypoints, np.full((30, 17, 1), 2)], 2).reshape(30, -1).tolist()
    document = {
        "info": {},
        "images": [{"id": 1}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [
            {"id": 1 + place, "image_id": 1, "category_id": 1, "keypoints": row, "num_keypoints": 17, "iscrowd": 0}
            | {"bbox": [1000 * place, 1000 * place, 160, 320], "area": 25600}
            for place, row in enumerate(rows)
        ],
    }
    poses = Poses(keypoints, [0, 30], COCO_17, scores=np.linspace(0.9, 0.1, 30))
    assert coco_average_precision(document, poses, [1])["AR"] == round(100 * 20 / 30, 1)
    assert coco_average_precision(document, poses, [1], most=100)["AR"] == 100
