"""CSV and Parquet tables of poses: columns, and bad cells."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ptfast import POSETRACK_15, Poses, Skeleton, read_poses, write_poses

Cells = list[list[str]]


@pytest.fixture
def cells(tmp_path: Path) -> Cells:
    """Header and rows of a good file: frames of two, no and one poses."""
    poses = Poses(
        np.ones((3, 15, 2)),
        np.array([0, 2, 2, 3]),
        POSETRACK_15,
        track_ids=np.array([4, 5, 4]),
        head_boxes=np.array([[1, 2, 3, 4], [np.nan] * 4, [1, 2, 3, 4]]),
        frame_ids=np.array([7, 8, 9]),
        frame_names=("a", "b", "c"),
        frame_size=np.array([[6, 4]] * 3),
        is_labeled=np.array([True, False, True]),
        ignore_regions=((np.zeros((3, 2)),), (), ()),
        sequence="walk",
    )
    write_poses(poses, tmp_path / "good.csv")
    with (tmp_path / "good.csv").open(newline="") as file:
        return list(csv.reader(file))


def test_a_table_has_a_row_a_pose_and_one_for_a_frame_without(cells: Cells) -> None:
    header, *rows = cells
    column = dict(zip(header, zip(*rows, strict=True), strict=True))
    assert header[:8] == [
        "frame",
        "sequence",
        "frame_name",
        "frame_id",
        "is_labeled",
        "width",
        "height",
        "ignore_regions",
    ]
    assert header[8:18] == ["track_id", "score", "x1", "y1", "x2", "y2", "head_x1", "head_y1", "head_x2", "head_y2"]
    assert header[18:22] == [f"right_ankle_{part}" for part in ("x", "y", "score", "visibility")]
    assert len(header) == 18 + 4 * 15
    assert column["frame"] == ("0", "0", "1", "2")
    assert column["track_id"] == ("4", "5", "", "4")
    assert column["head_x1"] == ("1.0", "", "", "1.0")
    assert column["ignore_regions"] == ("[[[0.0,0.0],[0.0,0.0],[0.0,0.0]]]", "", "[]", "[]")


@pytest.mark.parametrize(
    ("row", "column", "cell", "message"),
    [
        (1, "frame", "1", "row 4, column frame_id: expected 7 as in the frame's first row, found 8"),
        (4, "sequence", "run", "row 5, column sequence: expected 'walk' as in the first row, found 'run'"),
        (2, "frame_name", "d", "row 3, column frame_name: expected 'a' as in the frame's first row, found 'd'"),
        (4, "frame", "0", "row 5, column frame_id: expected 7 as in the frame's first row, found 9"),
        (2, "frame", "x", "row 3, column frame: expected a whole number, found 'x'"),
        (2, "frame", "", "row 3, column frame: expected a frame number, found an empty cell"),
        (2, "track_id", "4", "row 3, column track_id: expected each track id once a frame, found 4"),
        (2, "track_id", "4.5", "row 3, column track_id: expected a whole number, found '4.5'"),
        (2, "track_id", "9" * 30, "row 3, column track_id: expected a whole number below 2**53, found '999"),
        (2, "track_id", "", "row 3, column track_id: expected a track id, -1 for none, found an empty cell"),
        (2, "score", "high", "row 3, column score: expected a number, found 'high'"),
        (2, "x1", "nan", "row 3, column x1: expected a finite number, found NaN"),
        (2, "x1", "", "row 3, column x1: expected a finite number, found an empty cell"),
        (1, "head_x2", "", "row 2, column head_x2: expected a finite number, found an empty cell"),
        (2, "nose_x", "1e39", "row 3, column nose_x: expected a finite number, found 1e+39"),
        (2, "nose_x", "1_0", "row 3, column nose_x: expected a number, found '1_0'"),
        (1, "track_id", "-5", "row 2, column track_id: expected a track id, or -1 for none, found -5"),
        (1, "is_labeled", "-5", "row 2, column is_labeled: expected 0 or 1, found -5"),
        (2, "nose_visibility", "3", "row 3, column nose_visibility: expected 0, 1 or 2, found 3"),
        (3, "frame_id", "7", "row 4, column frame_id: expected a distinct id for each frame, found 7"),
        (3, "width", "", "row 4, column width: expected a finite number, found an empty cell"),
        (1, "ignore_regions", "[[", "row 2, column ignore_regions: expected JSON, found '[['"),
        (
            1,
            "ignore_regions",
            "[[[NaN, 1]]]",
            "row 2, column ignore_regions: expected finite numbers, found '[[[NaN",
        ),
        (1, "ignore_regions", "[3]", "row 2, column ignore_regions[0]: expected a list, found a whole number"),
        (1, "ignore_regions", "[[[1]]]", "row 2, column ignore_regions[0][0]: expected a list of length 2, found "),
    ],
)
def test_a_bad_cell_of_a_csv_file_is_named(
    row: int, column: str, cell: str, message: str, cells: Cells, tmp_path: Path
) -> None:
    cells[row][cells[0].index(column)] = cell
    refused(tmp_path, cells, message)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda cells: cells[2].pop(), "row 3: expected 78 cells, found 77"),
        (lambda cells: cells[0].__setitem__(9, "frame"), "header: expected distinct columns, found 'frame' twice"),
        (lambda cells: cells[0].__setitem__(10, "oops"), "header: expected the column 'x1', found frame, sequence"),
        (lambda cells: cells[0].__setitem__(18, "oops"), "header: expected the column 'right_ankle_x', found frame"),
        (
            lambda cells: cells.__setitem__(slice(None), [row[:18] for row in cells]),
            "header: expected the column '<joint>_x', found frame",
        ),
    ],
)
def test_a_table_of_another_form_is_refused(
    edit: Callable[[Cells], None], message: str, cells: Cells, tmp_path: Path
) -> None:
    edit(cells)
    refused(tmp_path, cells, message)


def refused(folder: Path, cells: Cells, message: str) -> None:
    path = folder / "bad.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(cells)
    with pytest.raises(ValueError) as error:
        read_poses(path)
    assert str(error.value).startswith(f"{path}: {message}")


def test_columns_that_are_not_known_are_ignored_and_their_order_is_free(cells: Cells, tmp_path: Path) -> None:
    shuffled = [[*row[::-1], "mine"] for row in cells]
    with (tmp_path / "other.csv").open("w", newline="") as file:
        csv.writer(file).writerows(shuffled)
    found, expected = read_poses(tmp_path / "other.csv"), read_poses(tmp_path / "good.csv")
    assert found.skeleton == POSETRACK_15
    assert np.array_equal(found.keypoints, expected.keypoints)


@pytest.mark.parametrize("kept", ["x2", "right_knee_x", "right_knee_score"])
def test_a_row_with_a_pose_but_no_track_id_is_named(kept: str, cells: Cells, tmp_path: Path) -> None:
    header, row = cells[:2]
    about = {"frame", "frame_id", "frame_name", "sequence", "is_labeled", "width", "height", "skeleton", kept}
    cells[1] = [cell if name in about else "" for name, cell in zip(header, row, strict=True)]
    with (tmp_path / "bad.csv").open("w", newline="") as file:
        csv.writer(file).writerows(cells)
    with pytest.raises(ValueError, match="row 2, column track_id: expected a track id, -1 for none, found an empty ce"):
        read_poses(tmp_path / "bad.csv")


def test_a_skeleton_of_the_users_own_is_in_the_table(tmp_path: Path) -> None:
    horse = Skeleton("horse", ("tail", "ear"), ((0, 1),), (), (0.1, 0.2))
    poses = Poses(np.array([[[1, 2], [3, 4]]]), np.array([0, 1]), horse)
    write_poses(poses, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = [row[::-1] for row in csv.reader(file)]
    with (tmp_path / "b.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    found = read_poses(tmp_path / "b.csv")
    assert (found.skeleton, found.keypoints.tolist()) == (horse, poses.keypoints.tolist())


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "bad.parquet"
    path.write_bytes(b"PAR1 and more")
    with pytest.raises(ValueError) as error:
        read_poses(path)
    assert str(error.value).startswith(f"{path}: top level: expected a Parquet file, found ")


def test_a_parquet_column_of_another_type_is_named(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "bad.parquet"
    write_poses(Poses(np.ones((1, 15, 2)), np.array([0, 1]), POSETRACK_15), path)
    table = parquet.read_table(path)
    column = table.schema.get_field_index("nose_x")
    parquet.write_table(table.set_column(column, "nose_x", pyarrow.array([["a"]])), path)
    with pytest.raises(ValueError) as error:
        read_poses(path)
    assert str(error.value).startswith(f"{path}: column nose_x: expected numbers, found list<")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    poses = Poses(np.ones((1, 15, 2)), np.array([0, 1]), POSETRACK_15)
    with pytest.raises(ImportError, match=r"^Parquet files need pyarrow: pip install ptfast\[parquet\]$"):
        write_poses(poses, tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []
