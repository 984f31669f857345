"""PoseTrack 2018 and COCO keypoint JSON: what its fields mean."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast import COCO_17, POSETRACK_15, POSETRACK_17, Poses, Skeleton, read_poses, read_sequences, write_poses


def document(annotations: list[dict[str, Any]], *, names: tuple[str, ...] = POSETRACK_17.joints, **image: Any) -> Any:
    """Two frames, the annotations in the second one unless they say so."""
    images = [{"id": 10 + f, "file_name": f"images/val/000007_bonn/00000{f}.jpg", **image} for f in range(2)]
    category = {"id": 1, "name": "person", "keypoints": list(names)}
    return {
        "images": images,
        "annotations": [{"image_id": 11, **annotation} for annotation in annotations],
        "categories": [category],
    }


@pytest.fixture
def read(tmp_path: Path) -> Callable[[Any], Any]:
    def parse(content: Any) -> Any:
        path = tmp_path / "file.json"
        path.write_text(json.dumps(content))
        return read_poses(path)

    return parse


def joints(*triples: tuple[float, float, float], count: int = 17) -> list[float]:
    values = [value for triple in triples for value in triple]
    return values + [0] * (3 * count - len(values))


def test_posetrack_flags_say_absent_hidden_or_visible(read: Callable[[Any], Any]) -> None:
    keypoints = joints((5, 6, 1), (0, 0, 0), (7, 0, 0), (0, 0, 1))
    poses = read(document([{"keypoints": keypoints}], vid_id="000007"))
    assert poses.joint_visibility[0].tolist() == [2, 0, 1, 2] + [0] * 13


def test_coco_flags_are_taken_as_they_are_and_unlabelled_joints_have_no_place(read: Callable[[Any], Any]) -> None:
    poses = read(document([{"keypoints": joints((5, 6, 1), (1, 2, 0), (7, 0, 2))}], names=COCO_17.joints))
    assert poses.joint_visibility[0, :4].tolist() == [1, 0, 2, 0]
    assert poses.keypoints[0, :3].tolist() == [[5, 6], [0, 0], [7, 0]]


def test_ground_truth_has_scores_of_one_and_a_box_from_its_joints(read: Callable[[Any], Any]) -> None:
    poses = read(document([{"keypoints": joints((5, 6, 1), (1, 8, 1)), "scores": []}], vid_id="000007"))
    assert poses.joint_scores[0].tolist() == [1, 1] + [0] * 15
    assert poses.scores.tolist() == [1]
    assert poses.boxes.tolist() == [[1, 6, 5, 8]]
    assert poses.track_ids.tolist() == [-1]
    assert (poses.head_boxes, poses.areas, poses.frame_size, poses.ignore_regions) == (None,) * 4
    assert poses.frame_offsets.tolist() == [0, 0, 1]
    assert (poses.frame_ids.tolist(), poses.sequence) == ([10, 11], "file")


def test_a_missing_pose_score_is_the_mean_over_the_joints_that_are_there(read: Callable[[Any], Any]) -> None:
    scores = [0.5, 0.25, 8.0] + [0.0] * 14
    annotations = [
        {"keypoints": joints((5, 6, 1), (1, 8, 1)), "scores": scores},
        {"keypoints": joints((5, 6, 1)), "scores": scores, "score": 0.75},
        {"keypoints": joints((5, 6, 1))},
    ]
    poses = read(document(annotations, vid_id="000007"))
    assert poses.scores.tolist() == [0.375, 0.75, 0]


def test_rows_are_sorted_by_frame_and_stay_in_order_inside_one(read: Callable[[Any], Any]) -> None:
    order = [(11, 3), (10, 5), (11, 1), (10, 0)]
    poses = read(document([{"keypoints": joints((1, 1, 1)), "image_id": i, "track_id": t} for i, t in order]))
    assert poses.track_ids.tolist() == [5, 0, 3, 1]
    assert poses.frame_offsets.tolist() == [0, 2, 4]


@pytest.mark.parametrize("synonym", ["head_bottom", "neck", "upper_neck"])
def test_fifteen_joints_are_known_by_their_names_in_any_order(synonym: str, read: Callable[[Any], Any]) -> None:
    names = [synonym if name == "head_bottom" else name for name in sorted(POSETRACK_15.joints)]
    triples = [(10 + i, 20 + i, 1) for i in range(15)]
    poses = read(document([{"keypoints": joints(*triples, count=15)}], names=tuple(names), vid_id="1"))
    assert poses.skeleton == POSETRACK_15
    neck = names.index(synonym)
    assert poses.keypoints[0, POSETRACK_15.index("neck")].tolist() == [10 + neck, 20 + neck]


@pytest.mark.parametrize("skeleton", [POSETRACK_15, POSETRACK_17])
@pytest.mark.parametrize("image", [{"vid_id": "1"}, {"frame_id": 1}])
def test_predictions_without_categories_have_posetracks_joints_by_their_number(
    skeleton: Skeleton, image: dict[str, Any], read: Callable[[Any], Any]
) -> None:
    count = len(skeleton)
    content = document([{"keypoints": joints((5, 6, 1), count=count), "scores": [0.5] * count}], **image)
    del content["categories"]
    poses = read(content)
    assert (poses.skeleton, poses.keypoints[0, 0].tolist()) == (skeleton, [5, 6])


def test_keypoints_of_another_number_need_categories(read: Callable[[Any], Any]) -> None:
    content = document([{"keypoints": [1, 2, 1]}], vid_id="1")
    del content["categories"]
    with pytest.raises(ValueError, match=r"\[0\]\.keypoints: expected 51 or 45 numbers, or categories .*, found 3"):
        read(content)


def test_unknown_joints_make_a_skeleton_of_their_own(read: Callable[[Any], Any]) -> None:
    content = document([{"keypoints": [1, 2, 2, 3, 4, 2]}], names=("beak", "tail"))
    content["categories"][0] |= {"name": "duck", "skeleton": [[1, 2]]}
    skeleton = read(content).skeleton
    assert (skeleton.name, skeleton.joints, skeleton.edges) == ("duck", ("beak", "tail"), ((0, 1),))


def test_annotations_of_categories_without_keypoints_are_left_out(read: Callable[[Any], Any]) -> None:
    annotations = [{"category_id": 3, "bbox": [1, 2, 3, 4]}, {"category_id": 1, "keypoints": joints((1, 1, 2))}]
    content = document(annotations, names=COCO_17.joints)
    content["categories"].append({"id": 3, "name": "car"})
    assert read(content).keypoints.shape == (1, 17, 2)


def test_crowds_become_ignore_regions(read: Callable[[Any], Any]) -> None:
    crowd = {"keypoints": [0] * 51, "bbox": [1, 2, 3, 4], "iscrowd": 1}
    poses = read(document([crowd, {"keypoints": joints((1, 1, 2)), "iscrowd": 0}], names=COCO_17.joints))
    assert poses.keypoints.shape == (1, 17, 2)
    assert [len(regions) for regions in poses.ignore_regions] == [0, 1]
    assert poses.ignore_regions[1][0].tolist() == [[1, 2], [4, 2], [4, 6], [1, 6]]


def test_frames_that_say_nothing_of_ignore_regions_have_none(read: Callable[[Any], Any]) -> None:
    content = document([])
    content["images"][1] |= {"ignore_regions_x": [[1, 2, 3]], "ignore_regions_y": [[4, 5, 6]]}
    first, second = read(content).ignore_regions
    assert first == ()
    assert second[0].tolist() == [[1, 4], [2, 5], [3, 6]]


def test_images_that_do_not_say_so_are_labelled(read: Callable[[Any], Any]) -> None:
    content = document([])
    content["images"][1]["is_labeled"] = False
    assert read(content).is_labeled.tolist() == [True, False]


def test_an_image_id_that_repeats_is_refused_even_without_poses(read: Callable[[Any], Any]) -> None:
    content = document([])
    content["images"][1]["id"] = 10
    with pytest.raises(ValueError, match=r"images\[1\]\.id: expected a distinct id .* found 10, which images\[0\] has"):
        read(content)


@pytest.mark.parametrize(("folders", "names"), [(("b_x", "a_x"), ["a_x", "b_x"]), (("s", "s"), ["1", "2"])])
def test_a_file_of_several_videos_gives_each_one(
    folders: tuple[str, str], names: list[str], read: Callable[[Any], Any], tmp_path: Path
) -> None:
    content = document([{"keypoints": joints((5, 6, 1)), "image_id": 12}])
    content["images"] = [
        {"id": 10 + f, "file_name": f"{folders[f % 2]}/{f}.jpg", "vid_id": str(2 - f % 2)} for f in range(4)
    ]
    with pytest.raises(ValueError, match=r"file\.json: expected one sequence, found 2; read_sequences reads them"):
        read(content)
    sequences = read_sequences(tmp_path / "file.json")
    assert [(name, poses.sequence) for name, poses in sequences.items()] == [(name, name) for name in names]
    assert sequences[names[1]].frame_ids.tolist() == [10, 12]
    assert sequences[names[1]].frame_offsets.tolist() == [0, 0, 1]
    assert sequences[names[0]].frame_ids.tolist() == [11, 13]


def test_posetrack_ids_count_from_zero_in_order_of_appearance(tmp_path: Path) -> None:
    poses = Poses(np.ones((4, 17, 2)), np.array([0, 2, 4]), POSETRACK_17, track_ids=np.array([70, 5, -1, 70]))
    write_poses(poses, tmp_path / "a.json")
    assert read_poses(tmp_path / "a.json").track_ids.tolist() == [0, 1, -1, 0]


@pytest.mark.parametrize("format", ["posetrack18", "posetrack17"])
def test_more_than_ten_thousand_ids_are_refused(format: str, tmp_path: Path) -> None:
    def poses(count: int) -> Poses:
        one_joint = np.tile(np.arange(15) == 0, (count, 1))
        ids = np.arange(count) + 3
        return Poses(
            np.ones((count, 15, 2)), np.array([0, count]), POSETRACK_15, joint_visibility=one_joint, track_ids=ids
        )

    write_poses(poses(10_000), tmp_path / "a.json", format=format)
    assert read_poses(tmp_path / "a.json").track_ids.max() == 9_999
    with pytest.raises(ValueError, match="at most 10,000 track ids to be written for PoseTrack, got 10,001"):
        write_poses(poses(10_001), tmp_path / "b.json", format=format)
    assert not (tmp_path / "b.json").exists()


def test_the_official_reader_takes_what_is_written(tmp_path: Path) -> None:
    """Values that poseval's conversion from the 2018 format asserts or looks up."""
    names = tuple(f"images/val/000023_bonn/{f:06d}.jpg" for f in range(2))
    poses = Poses(
        np.full((3, 15, 2), 321.3731079101562),
        np.array([0, 2, 3]),
        POSETRACK_15,
        track_ids=np.array([4, 9, 4]),
        head_boxes=np.tile([1, 2, 3, 5], (3, 1)),
        frame_names=names,
        sequence="000023_bonn",
    )
    write_poses(poses, tmp_path / "a.json")
    text = (tmp_path / "a.json").read_text()
    content = json.loads(text)
    (category,) = content["categories"]
    assert category["name"] == "person"
    assert len(category["keypoints"]) == 17
    assert set(POSETRACK_15.joints) <= set(category["keypoints"])
    assert [image["id"] for image in content["images"]] == [10000230000, 10000230001]
    assert {image["vid_id"] for image in content["images"]} == {"000023"}
    assert all(re.fullmatch(r"images/val/\d{6}_bonn/\d+\.jpg", image["file_name"]) for image in content["images"])
    for annotation in content["annotations"]:
        assert annotation["image_id"] in (10000230000, 10000230001)
        assert annotation["track_id"] < 10_000
        assert len(annotation["keypoints"]) == 51
        assert len(annotation["scores"]) == 17
        assert {type(score) for score in annotation["scores"]} == {float}
        assert annotation["bbox_head"] == [1, 2, 2, 3]
    assert len({annotation["id"] for annotation in content["annotations"]}) == 3
    assert "321.3731," in text
    assert "321.37310" not in text


@pytest.mark.parametrize(
    ("sequence", "folder"),
    [
        ("000023_bonn", "000023_bonn"),
        ("000023_mpiinew_test", "000023_mpiinew_test"),
        ("000023", "000023_mpii_000023"),
        ("20240131_walk", "240131_mpii_20240131_walk"),
        ("ts1", "000000_mpii_ts1"),
        ("a/b_c", "000000_mpii_a-b_c"),
        ("", "000000_mpii"),
    ],
)
def test_made_frame_names_are_those_that_the_official_reader_takes_ids_from(
    sequence: str, folder: str, tmp_path: Path
) -> None:
    poses = Poses(np.ones((2, 17, 2)), np.array([0, 1, 2]), POSETRACK_17, sequence=sequence)
    write_poses(poses, tmp_path / "a.json")
    names = read_poses(tmp_path / "a.json").frame_names
    assert names == tuple(f"images/val/{folder}/00000{f}.jpg" for f in range(2))
    parts = names[0].split("/")[-2].split("_")
    assert parts[0].isdecimal()
    assert parts[1] in ("mpii", "bonn", "mpiinew")


def test_a_pose_without_track_has_no_track_id(tmp_path: Path) -> None:
    write_poses(Poses(np.ones((1, 17, 2)), np.array([0, 1]), POSETRACK_17), tmp_path / "a.json")
    assert "track_id" not in json.loads((tmp_path / "a.json").read_text())["annotations"][0]


def test_annotation_ids_are_distinct_in_crowded_frames(tmp_path: Path) -> None:
    poses = Poses(np.ones((250, 17, 2)), np.array([0, 120, 250]), POSETRACK_17)
    write_poses(poses, tmp_path / "a.json")
    ids = [annotation["id"] for annotation in json.loads((tmp_path / "a.json").read_text())["annotations"]]
    assert len(set(ids)) == 250
