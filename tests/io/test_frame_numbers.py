"""Frames are numbers: as files and names tell them, in rising order, with the gaps and the frames without anybody."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast import COCO_17, POSETRACK_17, Poses, link, read_poses, read_sequences, write_poses
from ptfast.evaluation import boxes
from ptfast.io.frame_numbers import numbers_of_names
from ptfast.skeletons import POSETRACK_15

WALK = np.array([*range(1, 8), *range(13, 21)])  # frames 8 to 12 are not there
FORMATS = [("posetrack18", ".json"), ("coco", ".json"), ("coco_results", ".json"), ("csv", ".csv"), ("mot", ".txt")]


def walkers(numbers: np.ndarray, **columns: Any) -> Poses:
    """Two people who walk to the right, 4 pixels a frame, in the frames of these numbers."""
    joints = np.random.default_rng(0).uniform(0, 100, (17, 2))
    at = [joints + np.array([300 * who + 4 * number, 0]) for number in numbers for who in range(2)]
    offsets = np.arange(len(numbers) + 1) * 2
    return Poses(np.array(at), offsets, COCO_17, track_ids=np.tile([0, 1], len(numbers)), **columns)


def results(numbers: np.ndarray) -> list[dict[str, Any]]:
    poses = walkers(numbers)
    keypoints = np.concatenate([poses.keypoints, np.ones((len(poses.keypoints), 17, 1))], -1).reshape(-1, 51)
    return [
        {"image_id": int(number), "category_id": 1, "keypoints": row.tolist(), "score": 0.9}
        for number, row in zip(np.repeat(numbers, 2), keypoints, strict=True)
    ]


def image(number: int, name: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "file_name": name, **more}


def coco(images: list[dict[str, Any]], annotations: list[dict[str, Any]] = ()) -> dict[str, Any]:
    category = {"id": 1, "name": "person", "keypoints": list(COCO_17.joints), "skeleton": []}
    return {"images": images, "annotations": list(annotations), "categories": [category]}


def read(folder: Path, content: Any, name: str = "file.json") -> Poses:
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return read_poses(folder / name)


def peopled(poses: Poses) -> list[int]:
    """The numbers of the frames with people."""
    return poses.frame_ids[np.diff(poses.frame_offsets) > 0].tolist()


def mot_numbers(path: Path) -> list[int]:
    return sorted({int(line.split(",")[0]) for line in path.read_text().splitlines()})


def test_converted_coco_results_score_against_the_ground_truth_as_before(tmp_path: Path) -> None:
    write_poses(walkers(WALK, frame_ids=WALK), tmp_path / "truth.txt")
    (tmp_path / "found.json").write_text(json.dumps(results(WALK)))
    write_poses(link(read_poses(tmp_path / "found.json"), lookback=10), tmp_path / "found.txt")
    assert mot_numbers(tmp_path / "found.txt") == WALK.tolist()
    assert boxes.evaluate(tmp_path / "truth.txt", tmp_path / "found.txt").mota == 100


@pytest.mark.parametrize("numbers", [WALK, np.array([5, 10, 15, 20])], ids=["a gap", "every fifth"])
@pytest.mark.parametrize(("format", "suffix"), [*FORMATS, ("frames", ".json"), ("parquet", ".parquet")])
def test_a_writer_keeps_gaps_of_numbers(format: str, suffix: str, numbers: np.ndarray, tmp_path: Path) -> None:
    if format == "parquet":
        pytest.importorskip("pyarrow")
    poses = walkers(numbers, frame_ids=numbers)
    poses = poses.to_skeleton(POSETRACK_17) if format == "posetrack18" else poses
    write_poses(poses, tmp_path / f"a{suffix}", format=format)
    assert peopled(read_poses(tmp_path / f"a{suffix}")) == numbers.tolist()


def test_posetrack17_keeps_gaps_of_numbers(tmp_path: Path) -> None:
    write_poses(walkers(WALK, frame_ids=WALK).to_skeleton(POSETRACK_15), tmp_path / "a.json", format="posetrack17")
    assert read_poses(tmp_path / "a.json").frame_ids.tolist() == WALK.tolist()


@pytest.mark.parametrize(("format", "suffix"), FORMATS)
def test_sixty_frames_with_fifteen_empty_ones_stay_sixty(format: str, suffix: str, tmp_path: Path) -> None:
    everybody = walkers(np.arange(1, 61), frame_ids=np.arange(1, 61))
    frame = np.repeat(np.arange(60), 2)
    poses = everybody.select((frame < 20) | (frame >= 35))
    poses = poses.to_skeleton(POSETRACK_17) if format == "posetrack18" else poses
    write_poses(poses, tmp_path / f"a{suffix}", format=format)
    found = read_poses(tmp_path / f"a{suffix}")
    assert found.frame_ids.tolist() == list(range(1, 61))
    assert found.frame_offsets.tolist() == poses.frame_offsets.tolist()


def test_image_ids_here_and_there_are_no_video(tmp_path: Path) -> None:
    numbers = np.array([139, 285, 632, 785, 40083])
    assert read(tmp_path, results(numbers)).frame_ids.tolist() == numbers.tolist()


@pytest.mark.parametrize("ids", ["of the file's order", "of the names"])
def test_images_in_alphabetical_order_are_put_in_order_of_their_numbers(ids: str, tmp_path: Path) -> None:
    names = sorted(f"img_{number}.jpg" for number in range(12))
    numbers = [int(name[4:-4]) for name in names]
    own = numbers if ids == "of the names" else list(range(12))
    images = [image(number, name) for number, name in zip(own, names, strict=True)]
    people = [
        {"image_id": own[numbers.index(result["image_id"])], "category_id": 1, "keypoints": result["keypoints"]}
        for result in results(np.arange(12))
    ]
    found = read(tmp_path, coco(images, people))
    assert found.frame_ids.tolist() == list(range(12))
    assert found.frame_names == tuple(f"img_{number}.jpg" for number in range(12))
    assert np.unique(link(found).track_ids).tolist() == [0, 1]


def test_ids_that_do_not_count_names_stay(tmp_path: Path) -> None:
    images = [image(7, "10.jpg"), image(9, "2.jpg"), image(30, "1.jpg")]
    found = read(tmp_path, coco(images[::-1]))
    assert (found.frame_ids.tolist(), found.frame_names) == ([7, 9, 30], ("10.jpg", "2.jpg", "1.jpg"))


def test_frames_by_name_come_in_order_of_their_numbers(tmp_path: Path) -> None:
    found = read(tmp_path, {"frames": {f"cam/{number}.jpg": [] for number in (0, 1, 10, 11, 2)}})
    assert found.frame_ids.tolist() == [0, 1, 2, 10, 11]
    assert found.frame_names == tuple(f"cam/{number}.jpg" for number in (0, 1, 2, 10, 11))


def test_poses_follow_their_frames(tmp_path: Path) -> None:
    joints = [4.0, 5.0, 0.5] * 17
    found = read(tmp_path, {"10.jpg": [{"keypoints": joints, "track_id": 10}], "9.jpg": [{"keypoints": joints}] * 2})
    assert (found.frame_offsets.tolist(), found.track_ids.tolist()) == ([0, 2, 3], [-1, -1, 10])


def test_posetrack17_frames_come_in_order_of_imgnum_or_of_names(tmp_path: Path) -> None:
    frames = [{"image": [{"name": f"{number}.jpg"}], "annorect": []} for number in (10, 9, 2)]
    assert read(tmp_path, {"annolist": frames}).frame_ids.tolist() == [2, 9, 10]
    for frame, number in zip(frames, (3, 5, 4), strict=True):
        frame["imgnum"] = [number]
    found = read(tmp_path, {"annolist": frames})
    assert (found.frame_ids.tolist(), found.frame_names) == ([3, 4, 5], ("10.jpg", "2.jpg", "9.jpg"))


@pytest.mark.parametrize("key", ["folder", "video_id", "vid_id"])
def test_two_videos_in_a_coco_file_are_two_sequences(key: str, tmp_path: Path) -> None:
    images = [image(10 * video + f, f"set/v{video}/{f:06d}.jpg") for f in (2, 0, 1) for video in (1, 2)]
    if key != "folder":
        images = [{**each, "file_name": each["file_name"].replace("/", "_"), key: each["id"] // 10} for each in images]
    (tmp_path / "all.json").write_text(json.dumps(coco(images)))
    found = read_sequences(tmp_path / "all.json", format="coco")
    assert list(found) == (["v1", "v2"] if key == "folder" else ["1", "2"])
    assert [poses.frame_ids.tolist() for poses in found.values()] == [[10, 11, 12], [20, 21, 22]]


def test_videos_in_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    images = [image(number, f"{folder}/cam/1.jpg") for number, folder in enumerate("ab")]
    (tmp_path / "all.json").write_text(json.dumps(coco(images)))
    found = read_sequences(tmp_path / "all.json")
    assert list(found) == ["a-cam", "b-cam"]
    write_poses(found, tmp_path / "out", format="csv")


def test_numbers_from_zero_are_mots_from_one_and_stay_so(tmp_path: Path) -> None:
    numbers = np.array([0, 1, 2, 5])
    write_poses(walkers(numbers, frame_ids=numbers), tmp_path / "a.txt")
    assert mot_numbers(tmp_path / "a.txt") == [1, 2, 3, 6]
    write_poses(read_poses(tmp_path / "a.txt"), tmp_path / "b.txt")
    assert (tmp_path / "b.txt").read_text() == (tmp_path / "a.txt").read_text()


def test_posetracks_ids_are_frames_of_one_video_and_stay_in_its_files(tmp_path: Path) -> None:
    ids = 10_002_340_000 + np.array([3, 4, 9])
    poses = walkers(ids % 10_000, frame_ids=ids).to_skeleton(POSETRACK_17)
    write_poses(poses, tmp_path / "a.txt")
    assert mot_numbers(tmp_path / "a.txt") == [3, 4, 9]
    write_poses(poses, tmp_path / "a.json")
    found = read_poses(tmp_path / "a.json")
    assert found.frame_ids.tolist() == ids.tolist()
    assert found.frame_names[-1].endswith("/000009.jpg")


@pytest.mark.parametrize("number", [-1, 10_000_000])
def test_a_number_that_mot_text_cannot_hold_is_refused(number: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"frame_ids must be numbers from 0 to 9999999 .* MOT text, got {number}"):
        write_poses(walkers(np.array([7]), frame_ids=[number]), tmp_path / "a.txt")


def mot(*numbers: int) -> str:
    return "".join(f"{number},1,0,0,5,5,1,-1,-1,-1\n" for number in numbers)


def test_a_far_frame_of_mot_text_is_one_frame(tmp_path: Path) -> None:
    found = read(tmp_path, mot(10_000_000), "a.txt")
    assert found.frame_ids.tolist() == [10_000_000]


def test_a_long_gap_is_named(tmp_path: Path) -> None:
    assert len(read(tmp_path, mot(1, 100_002), "a.txt")) == 100_002  # an hour without anybody
    with pytest.raises(ValueError, match=r"a\.txt: line 2, frame: expected a frame at most 100,000 frames without any"):
        read(tmp_path, mot(1, 100_003), "a.txt")


def test_a_gap_that_mot_text_would_not_be_read_with_is_not_written(tmp_path: Path) -> None:
    poses = walkers(np.array([0, 1, 2]), frame_ids=[3, 900, 900_000])
    with pytest.raises(ValueError, match=r"frame_ids must be at most 100,000 frames without anybody .*, got 900000"):
        write_poses(poses, tmp_path / "a.txt")
    write_poses(walkers(np.array([0, 1]), frame_ids=[3, 100_004]), tmp_path / "a.txt")
    assert len(read_poses(tmp_path / "a.txt")) == 100_004


def test_many_gaps_are_named_by_the_first_frame_past_the_limit(tmp_path: Path) -> None:
    numbers = [1, 2, *range(10_000, 2_000_000, 10_000)]
    with pytest.raises(ValueError, match=r"line 103, frame: expected at most 1,000,000 frames without anybody, found"):
        read(tmp_path, mot(*numbers), "a.txt")


def table(folder: Path, numbers: list[int], **columns: list[Any]) -> Poses:
    """A table with a row for each number and no frame_id."""
    write_poses(walkers(np.arange(len(numbers)), frame_ids=None), folder / "all.csv")
    with (folder / "all.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    more = list(zip(*columns.values(), strict=True)) or [()] * len(numbers)
    rows = [[str(number), *row[1:], *cells] for number, row, cells in zip(numbers, rows[::2], more, strict=True)]
    with (folder / "part.csv").open("w", newline="") as file:
        csv.writer(file).writerows([[*header, *columns], *rows])
    return read_poses(folder / "part.csv")


def test_rows_of_a_table_may_stand_in_any_order(tmp_path: Path) -> None:
    found = table(tmp_path, [9, 7, 8])
    assert found.frame_ids.tolist() == [7, 8, 9]
    assert np.diff(found.keypoints[:, 0, 0]).tolist() == [4, -8]


def test_frames_that_a_table_leaves_out_are_empty(tmp_path: Path) -> None:
    assert table(tmp_path, [3, 4, 7]).frame_offsets.tolist() == [0, 1, 2, 2, 2, 3]
    assert table(tmp_path, [10, 20, 40]).frame_ids.tolist() == [10, 20, 30, 40]
    with pytest.raises(ValueError, match=r"part\.csv: row 3, column frame: expected a frame at most 100,000 frames"):
        table(tmp_path, [0, 200_000])


def test_frames_of_which_a_table_says_more_are_those_of_its_rows(tmp_path: Path) -> None:
    found = table(tmp_path, [3, 4, 7], frame_name=["c.jpg", "d.jpg", "g.jpg"])
    assert (found.frame_ids.tolist(), found.frame_names) == ([3, 4, 7], ("c.jpg", "d.jpg", "g.jpg"))


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["img_9.jpg", "img_10.jpg"], [9, 10]),
        (["v2/000000.jpg", "v2/000002.png"], [0, 2]),
        (["a.jpg", "b.jpg"], None),
        (["1.jpg", "01.jpg"], None),
        (["a1.jpg", "b2.jpg"], None),
        (["a/1.jpg", "b/2.jpg"], None),
        (["f_1_jpg.rf.3ab.jpg", "f_2_jpg.rf.7cd.jpg"], None),
        (["9" * 30], None),
        ([], None),
        (None, None),
    ],
)
def test_names_tell_numbers_where_nothing_else_differs(names: list[str] | None, numbers: list[int] | None) -> None:
    found = numbers_of_names(names)
    assert (None if found is None else found.tolist()) == numbers
