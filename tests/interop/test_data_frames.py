"""DataFrames that people made themselves: any order of rows, any first frame, joints and scores that are not there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ptfast import COCO_17, Poses, link
from ptfast.interop import from_arrow, from_pandas, to_pandas

pandas = pytest.importorskip("pandas")


def walker(frames: int = 4, **columns: Any) -> Any:
    """A table of one person who walks to the right."""
    joints = np.random.default_rng(0).uniform(100, 200, (17, 2))
    keypoints = np.array([joints + np.array([4 * frame, 0]) for frame in range(frames)])
    poses = Poses(keypoints, np.arange(frames + 1), COCO_17, track_ids=np.zeros(frames), **columns)
    return to_pandas(poses)


def test_rows_may_stand_in_any_order() -> None:
    expected = from_pandas(walker())
    found = from_pandas(walker().iloc[[2, 0, 3, 1]])
    np.testing.assert_array_equal(found.keypoints, expected.keypoints)
    assert found.frame_offsets.tolist() == [0, 1, 2, 3, 4]


def test_frames_may_begin_anywhere_and_have_gaps() -> None:
    table = walker()
    table["frame"] = [100, 101, 104, 105]
    found = from_pandas(table)
    assert found.frame_ids.tolist() == [100, 101, 102, 103, 104, 105]
    assert found.frame_offsets.tolist() == [0, 1, 2, 2, 2, 3, 4]


@pytest.mark.parametrize("kind", ["float64", "Float64", "object", "float32"])
def test_whole_numbers_may_be_floats(kind: str) -> None:
    table = walker()
    for name in ("frame", "track_id", "nose_visibility"):
        table[name] = table[name].astype(float).astype(kind)
    found = from_pandas(table)
    assert (found.track_ids.tolist(), found.frame_offsets.tolist()) == ([0] * 4, [0, 1, 2, 3, 4])


@pytest.mark.parametrize("empty", [["x", "y"], ["x"], ["x", "y", "score", "visibility"]])
def test_joints_that_are_nan_are_absent(empty: list[str]) -> None:
    table = walker()
    for part in empty:
        table[f"nose_{part}"] = table[f"nose_{part}"].astype(float)
        table.loc[[1, 2], f"nose_{part}"] = np.nan
    found = from_pandas(table)
    assert np.argwhere(found.joint_visibility == 0).tolist() == [[1, 0], [2, 0]]
    assert np.isfinite(found.keypoints).all() and np.isfinite(found.joint_scores).all()
    assert found.features == {}
    assert np.unique(link(found).track_ids).tolist() == [0]


def test_scores_may_be_missing() -> None:
    scores = [name for name in walker().columns if name.endswith("score")]
    none = from_pandas(walker().drop(columns=scores))
    assert (none.joint_scores == 1).all() and (none.scores == 1).all()
    assert not none.features["joint_scored"].any()
    table = walker(joint_scores=np.full((4, 17), 0.5))
    table.loc[1, ["nose_score", "score"]] = np.nan
    some = from_pandas(table)
    assert np.argwhere(~some.features["joint_scored"]).tolist() == [[1, 0]]
    assert some.scores[1] == np.float32(16 * 0.5 / 17)


def test_the_same_table_is_read_from_arrow() -> None:
    pytest.importorskip("pyarrow")
    table = walker().iloc[[2, 0, 3, 1]].drop(columns="nose_score")
    table["frame"] += 7.0
    found, expected = from_arrow(table), from_pandas(table)
    np.testing.assert_array_equal(found.keypoints, expected.keypoints)
    assert found.frame_ids.tolist() == expected.frame_ids.tolist() == [7, 8, 9, 10]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("track_id", 1.5, "table: column track_id: expected whole numbers, found float64 with 1.5 in row 2"),
        ("track_id", np.inf, "table: column track_id: expected whole numbers, found float64 with inf in row 2"),
        ("frame", "two", "table: column frame: expected whole numbers, found object with 'two' in row 2"),
        ("nose_x", "left", "table: column nose_x: expected numbers, found object with 'left' in row 2"),
        ("track_id", None, "table: row 2, column track_id: expected a track id, -1 for none, found an empty cell"),
        ("nose_x", np.inf, "table: row 2, column nose_x: expected a finite number, found inf"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_is_wrong_is_named(column: str, value: Any, message: str) -> None:
    table = walker()
    cells = table[column].astype(object).tolist()
    cells[2] = value
    table[column] = pandas.Series(cells, dtype=object if isinstance(value, str) else float)
    with pytest.raises(ValueError) as error:
        from_pandas(table)
    assert str(error.value).startswith(message)


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="table: column nose_x: expected one column of that name, found 2"):
        from_pandas(pandas.concat([walker(), walker()[["nose_x"]]], axis=1))


@pytest.mark.parametrize("wrong", [{"frame": [0]}, [1, 2], None])
def test_what_is_no_data_frame_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"frame must be a pandas\.DataFrame, got "):
        from_pandas(wrong)
