"""Formats of files, folders, and files that appear whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast import POSETRACK_17, Poses, read_poses, read_sequences, write_poses


@pytest.fixture
def poses() -> Poses:
    return Poses(np.ones((2, 17, 2)), np.array([0, 1, 2]), POSETRACK_17)


@pytest.mark.parametrize(
    ("name", "format", "start"),
    [
        ("a.json", None, '{"images":'),
        ("a.JSON", "posetrack17", '{"annolist":'),
        ("a.csv", None, "frame,track_id"),
        ("a.txt", None, "1,-1,1.0"),
        ("a.data", "frames", '{"skeleton":"posetrack_17","frames":'),
    ],
)
def test_the_format_is_that_of_the_suffix_or_the_one_asked_for(
    name: str, format: str | None, start: str, poses: Poses, tmp_path: Path
) -> None:
    write_poses(poses, tmp_path / name, format=format)
    assert (tmp_path / name).read_text().startswith(start)


def test_a_sequence_is_named_after_its_file_where_the_file_does_not_say(poses: Poses, tmp_path: Path) -> None:
    write_poses(poses, tmp_path / "stem.json")
    assert read_poses(tmp_path / "stem.json").sequence == "stem"
    write_poses(replace(poses, sequence="said"), tmp_path / "stem.json")
    assert read_poses(tmp_path / "stem.json").sequence == "said"


@pytest.mark.parametrize("format", [None, "posetrack17", "csv", "mot"])
def test_a_dict_is_a_folder_and_back(format: str | None, poses: Poses, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    write_poses({"b": poses, "a": poses[:1]}, folder, format=format)
    found = read_sequences(folder)
    assert list(found) == ["a", "b"]
    assert [len(found["a"]), len(found["b"])] == [1, 2]
    with pytest.raises(ValueError, match="folder: expected one sequence, found 2; read_sequences reads them"):
        read_poses(folder)


def test_one_sequence_is_read_from_a_file_and_from_a_folder_of_one(poses: Poses, tmp_path: Path) -> None:
    write_poses(replace(poses, sequence="walk"), tmp_path / "a.json")
    assert read_poses(tmp_path / "a.json").sequence == read_poses(tmp_path).sequence == "walk"
    assert list(read_sequences(tmp_path / "a.json")) == ["walk"]
    assert list(read_sequences(tmp_path)) == ["a"]


def test_a_folder_read_by_format_skips_other_files(poses: Poses, tmp_path: Path) -> None:
    write_poses(poses, tmp_path / "a.json")
    write_poses(poses, tmp_path / "a.csv")
    (tmp_path / ".hidden.json").write_text("nonsense")
    (tmp_path / "notes.md").write_text("nonsense")
    assert list(read_sequences(tmp_path, format="csv")) == ["a"]
    with pytest.raises(ValueError, match="sequence 'a': expected one file for each sequence, found a second"):
        read_sequences(tmp_path)


def test_a_folder_gives_the_videos_of_files_with_several(tmp_path: Path) -> None:
    images = [{"id": f, "file_name": f"v{f}/0.jpg", "vid_id": str(f)} for f in range(2)]
    categories = [{"id": 1, "name": "person", "keypoints": list(POSETRACK_17.joints)}]
    content = {"images": images, "annotations": [], "categories": categories}
    (tmp_path / "all.json").write_text(json.dumps(content))
    assert list(read_sequences(tmp_path)) == ["v0", "v1"]


def test_a_byte_order_mark_is_skipped(poses: Poses, tmp_path: Path) -> None:
    write_poses(poses, tmp_path / "a.json")
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "a.json").read_bytes())
    assert len(read_poses(tmp_path / "a.json")) == 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"No such file or folder: '.*gone\.json'"):
        read_poses(tmp_path / "gone.json")


def test_a_folder_without_files_of_poses_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"folder: expected files that end in \.json, \.txt, \.csv, \.parquet, found none"
    ):
        read_poses(tmp_path)


@pytest.mark.parametrize(
    ("name", "format", "message"),
    [
        ("a.xyz", None, r"path must end in \.json, \.txt, \.csv, \.parquet or format be given, got '.*a\.xyz'"),
        ("a.json", "kitti", "format must be one of posetrack18, .*, parquet, got 'kitti'"),
    ],
)
def test_unknown_formats_are_refused(name: str, format: str | None, message: str, poses: Poses, tmp_path: Path) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(ValueError, match=message):
        read_poses(tmp_path / name, format=format)
    with pytest.raises(ValueError, match=message):
        write_poses(poses, tmp_path / name, format=format)


@pytest.mark.parametrize(
    ("content", "format", "message"),
    [
        ("[]", "posetrack18", "top level: expected an object, found a list"),
        ("{}", "coco_results", "top level: expected a list, found an object"),
        ("{}", "posetrack17", "top level: expected the key 'annolist', found an empty object"),
        ("{}", "coco", "top level: expected the key 'images', found an empty object"),
        ('{"a": 3}', "frames", r"\['a'\]: expected a list, found a whole number"),
    ],
)
def test_json_of_another_format_than_the_one_asked_for_is_refused(
    content: str, format: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ValueError, match=rf"a\.json: {message}"):
        read_poses(tmp_path / "a.json", format=format)


@pytest.mark.parametrize("key", ["", "a/b", "..", ".hidden"])
def test_keys_that_are_no_file_names_are_refused(key: str, poses: Poses, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="poses must have keys that are file names, got"):
        write_poses({key: poses}, tmp_path / "folder")


def test_one_sequence_is_not_written_over_a_folder(poses: Poses, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="path must name a file for one sequence, got the folder"):
        write_poses(poses, tmp_path, format="csv")


BAD = [
    (
        lambda p: replace(p, keypoints=p.keypoints * np.inf),
        r"poses\.keypoints must be finite to be written, got inf in row 0",
    ),
    (
        lambda p: replace(p, scores=np.array([0, np.inf])),
        r"poses\.scores must be finite to be written, got inf in row 1",
    ),
    (lambda p: replace(p, head_boxes=np.array([[1, 2, 3, 4], [1, 2, 3, np.nan]])), r"poses\.head_boxes must be finite"),
    (
        lambda p: replace(p, frame_ids=np.array([3, 3])),
        r"poses\.frame_ids must be distinct to be written, got one twice",
    ),
    (
        lambda p: replace(p, track_ids=np.array([0, -5])),
        r"poses\.track_ids must be -1 or more to be written, got -5",
    ),
    (lambda p: replace(p, ignore_regions=((np.full((3, 2), np.nan),), ())), r"poses\.ignore_regions must be finite"),
    (
        lambda p: replace(p, frame_offsets=np.array([0, 0, 2]), track_ids=np.array([6, 6])),
        "poses must hold each track id once a frame, got 6 twice in frame 1",
    ),
]


@pytest.mark.parametrize(("spoil", "message"), BAD)
@pytest.mark.parametrize("name", ["a.json", "a.txt", "a.csv"])
def test_what_cannot_be_read_back_is_not_written(
    name: str, spoil: Callable[[Poses], Poses], message: str, poses: Poses, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        write_poses(spoil(poses), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.json", "a.csv"])
def test_coordinates_of_absent_joints_may_be_anything(name: str, poses: Poses, tmp_path: Path) -> None:
    keypoints, visibility = poses.keypoints.copy(), poses.joint_visibility.copy()
    keypoints[0, 3], visibility[0, 3] = np.nan, 0
    write_poses(replace(poses, keypoints=keypoints, joint_visibility=visibility), tmp_path / name)
    found = read_poses(tmp_path / name)
    assert (found.keypoints[0, 3].tolist(), found.joint_visibility[0, 3]) == ([0, 0], 0)


def test_a_failed_write_leaves_the_old_files_and_nothing_else(poses: Poses, tmp_path: Path) -> None:
    write_poses({"a": poses, "b": poses}, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match="must be finite"):
        write_poses({"a": poses[:1], "b": replace(poses, scores=np.array([0, np.nan]))}, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_write_that_breaks_half_way_leaves_nothing(
    poses: Poses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(poses: Poses) -> Any:
        yield "half"
        raise OSError("disk full")

    monkeypatch.setitem(sys.modules["ptfast.io.files"]._ENCODERS, "posetrack18", broken)
    with pytest.raises(OSError, match="disk full"):
        write_poses(poses, tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []


def test_files_have_the_permissions_of_any_new_file(poses: Poses, tmp_path: Path) -> None:
    write_poses(poses, tmp_path / "a.json")
    (tmp_path / "plain").touch()
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_importing_io_loads_no_heavy_package() -> None:
    script = "import sys, ptfast.io; print(*({'torch', 'cv2', 'numba', 'scipy', 'pyarrow'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split() == []
    )


def test_a_symbolic_link_stays_and_its_target_is_written(poses: Poses, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write_poses(poses, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "real.csv").is_file()


def test_what_is_no_file_is_not_replaced(poses: Poses, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(ValueError, match="expected a file or nothing to replace, found something else"):
        write_poses(poses, tmp_path / "pipe.csv")
    assert (tmp_path / "pipe.csv").is_fifo()


def test_sequences_by_name_need_a_folder(poses: Poses, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="path must name a folder for sequences by name, got the file name"):
        write_poses({"a": poses}, tmp_path / "a.json")
