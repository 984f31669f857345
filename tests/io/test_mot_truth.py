"""MOT's ground truth: flags and classes of all boxes, which evaluation by MOT's protocol needs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ptfast import link, read_poses, write_poses

TRUTH = "1,1,10,20,30,40,1,1,0.9\n1,2,50,20,30,40,0,7,1\n2,1,12,20,30,40,1,1,0.25\n2,3,90,20,30,40,0,12,1\n"


def read(folder: Path, text: str):
    (folder / "gt.txt").write_text(text)
    return read_poses(folder / "gt.txt")


def test_all_boxes_of_ground_truth_are_kept_with_flag_and_class(tmp_path: Path) -> None:
    poses = read(tmp_path, TRUTH)
    assert poses.features["mot_class"].tolist() == [1, 7, 1, 12] and poses.features["mot_class"].dtype == np.int64
    assert poses.scores.tolist() == [1, 0, 1, 0]
    assert poses.track_ids.tolist() == [1, 2, 1, 3]


def test_classes_follow_boxes_into_their_frames(tmp_path: Path) -> None:
    poses = read(tmp_path, "".join(reversed(TRUTH.splitlines(keepends=True))))
    assert poses.features["mot_class"].tolist() == [7, 1, 12, 1]


@pytest.mark.parametrize("end", ["", ",-1", ",-1,-1", ",-1,-1,-1", ",3,4,5", ",2.5,-1", ",a_car", ",", ",-2,1"])
def test_results_have_no_class(end: str, tmp_path: Path) -> None:
    assert read(tmp_path, f"1,1,10,20,30,40,0.5{end}\n2,1,10,20,30,40,0.5{end}\n").features == {}


def test_a_class_that_some_lack_is_minus_one_there(tmp_path: Path) -> None:
    assert read(tmp_path, "1,1,0,0,5,5,1,1,1\n1,2,9,9,5,5,1,-1,1\n").features["mot_class"].tolist() == [1, -1]


def test_a_round_trip_keeps_flags_and_classes(tmp_path: Path) -> None:
    poses = read(tmp_path, TRUTH)
    write_poses(poses, tmp_path / "b.txt")
    found = read_poses(tmp_path / "b.txt")
    assert found.features["mot_class"].tolist() == [1, 7, 1, 12]
    assert found.scores.tolist() == poses.scores.tolist()


def test_linking_and_conversion_take_the_boxes_that_they_took_without_the_class(tmp_path: Path) -> None:
    plain = "".join(f"{line.rsplit(',', 2)[0]},-1,-1,-1\n" for line in TRUTH.splitlines())
    with_class, without = link(read(tmp_path, TRUTH)), link(read(tmp_path, plain))
    np.testing.assert_array_equal(with_class.boxes, without.boxes)
    np.testing.assert_array_equal(with_class.track_ids, without.track_ids)
