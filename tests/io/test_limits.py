"""Small files that claim much, or nest deep: a result in time that the file's size explains, or one clean error."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast import POSETRACK_15, Poses, Skeleton, read_poses, write_poses

HORSE = Skeleton("horse", ("ear", "hoof"))


def test_a_frames_file_of_many_names_is_read_in_time(tmp_path: Path) -> None:
    names = {f"{number:07d}.jpg": [] for number in range(200_001)}
    text = json.dumps(names)
    for ending, frames in (("}", 200_001), (', "0200000.jpg": []}', None)):
        (tmp_path / "a.json").write_text(text[:-1] + ending)
        start = time.perf_counter()
        if frames is None:
            with pytest.raises(ValueError, match=r"a\.json: '0200000\.jpg': expected each name once, found it twice"):
                read_poses(tmp_path / "a.json")
        else:
            assert len(read_poses(tmp_path / "a.json")) == frames
        assert time.perf_counter() - start < 20  # 100 s where each name is compared with all others


def test_a_table_of_many_columns_of_one_name_is_refused_in_time(tmp_path: Path) -> None:
    header = [*(f"c{number}" for number in range(100_000)), "c7"]
    (tmp_path / "a.csv").write_text(",".join(header) + "\n")
    start = time.perf_counter()
    with pytest.raises(ValueError, match=r"a\.csv: header: expected distinct columns, found 'c7' twice"):
        read_poses(tmp_path / "a.csv")
    assert time.perf_counter() - start < 20


def parquet(folder: Path, rows: int, **more: Any) -> Path:
    """A file of so many times the same row."""
    pyarrow = pytest.importorskip("pyarrow")
    write_poses(Poses(np.ones((1, 15, 2)), [0, 1], POSETRACK_15), folder / "one.parquet")
    from pyarrow import parquet as files

    row = files.read_table(folder / "one.parquet")
    for name, value in more.items():
        row = row.append_column(name, pyarrow.array([value]))
    indices = pyarrow.array(np.zeros(rows, np.int64))
    table = pyarrow.table({f"{n}": row.column(n).take(indices) for n in row.column_names})
    files.write_table(table, folder / "many.parquet")
    return folder / "many.parquet"


def test_a_small_parquet_of_many_rows_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = parquet(tmp_path, 500_000)
    expected = r"many\.parquet: top level: expected at most 20,000,000 cells, 20 a byte, found 33,500,000"
    with pytest.raises(ValueError, match=expected):
        read_poses(path)


def test_a_parquet_of_many_equal_rows_is_read(tmp_path: Path) -> None:
    assert len(read_poses(parquet(tmp_path, 20_000, note="a column that is not read")).scores) == 20_000


def test_a_parquet_with_two_columns_of_one_name_is_refused(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet as files

    table = files.read_table(parquet(tmp_path, 2))
    files.write_table(table.append_column("nose_x", pyarrow.array([1.0, 2.0])), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"a\.parquet: column nose_x: expected one column of that name"):
        read_poses(tmp_path / "a.parquet")


def refused(path: Path) -> None:
    """Reads a file: that works, or is one error that names it."""
    try:
        read_poses(path)
    except ValueError as error:
        assert str(error).startswith(f"{path}: ")
        assert "\n" not in str(error)


@pytest.mark.parametrize("nest", [lambda d: "[" * d + "]" * d, lambda d: '{"a":' * d + "1" + "}" * d])
@pytest.mark.parametrize(
    "text",
    [
        '{"frames": {"a": [{"keypoints": [' + "1," * 50 + '1], "z": DEEP}]}}',
        '{"skeleton": DEEP, "frames": {"a": []}}',
        '{"images": [{"id": 1, "file_name": "a", "frame_id": DEEP}], "annotations": [], "categories": []}',
        '{"images": [], "annotations": [], "categories": [{"keypoints": ["a"], "joint_set": DEEP}]}',
        '{"annolist": [{"image": [{"name": "a"}], "z": [NaN, DEEP]}]}',
        '[{"image_id": 1, "keypoints": DEEP}]',
    ],
)
def test_json_of_any_depth_is_read_or_refused(nest: Any, text: str, tmp_path: Path) -> None:
    # just about where parsers give up, which depends on the caller's own depth, and far beyond
    for depth in [*range(850, 1010), 5_000, 100_000]:
        (tmp_path / "a.json").write_text(text.replace("DEEP", nest(depth)))
        refused(tmp_path / "a.json")


@pytest.mark.parametrize("column", ["skeleton", "ignore_regions"])
def test_cells_of_any_depth_are_read_or_refused(column: str, tmp_path: Path) -> None:
    poses = Poses(np.ones((1, 2, 2)), [0, 1], HORSE, ignore_regions=((np.zeros((3, 2)),),))
    write_poses(poses, tmp_path / "good.csv")
    with (tmp_path / "good.csv").open(newline="") as file:
        header, row = csv.reader(file)
    for depth in (100, 950, 990, 1_000, 50_000, 100_000):
        row[header.index(column)] = "[" * depth + "]" * depth
        with (tmp_path / "a.csv").open("w", newline="") as file:
            csv.writer(file).writerows([header, row])
        refused(tmp_path / "a.csv")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("missing", "kept"),
    [("head_x1", "head_y1"), ("head_y1", "head_x1"), ("head_y2", "head_x1"), ("width", "height"), ("height", "width")],
)
def test_columns_that_belong_together_are_all_there(missing: str, kept: str, suffix: str, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import csv as csv_files
    from pyarrow import parquet as files

    heads, size = np.array([[1, 2, 3, 4]]), np.array([[64, 48]])
    write_poses(Poses(np.ones((1, 15, 2)), [0, 1], POSETRACK_15, head_boxes=heads, frame_size=size), tmp_path / "a.csv")
    table = csv_files.read_csv(tmp_path / "a.csv").drop_columns([missing])
    assert isinstance(table, pyarrow.Table) and kept in table.column_names
    path = tmp_path / f"b{suffix}"
    csv_files.write_csv(table, path) if suffix == ".csv" else files.write_table(table, path)
    with pytest.raises(ValueError, match=rf"b\{suffix}: header: expected the column '{missing}', found frame, "):
        read_poses(path)
