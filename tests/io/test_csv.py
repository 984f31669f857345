"""CSV text is read alike with pyarrow and without it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from ptfast import COCO_17, Poses
from ptfast.io import csv_table

Change = Callable[[str], str]


def text() -> str:
    """Frames of two, no and one poses."""
    joints = np.random.default_rng(0).uniform(0, 1000, (3, 17, 2)).astype(np.float32)
    poses = Poses(joints, np.array([0, 2, 2, 3]), COCO_17, track_ids=np.array([4, 5, 4]), sequence="walk")
    return "".join(csv_table.encode_csv(poses))


def cell(row: int, column: str, value: str) -> Change:
    """Puts a value into a row and column."""

    def change(text: str) -> str:
        rows = [line.split(",") for line in text.splitlines()]
        rows[row][rows[0].index(column)] = value
        return "".join(",".join(line) + "\n" for line in rows)

    return change


def outcome(given: str) -> Any:
    """The poses' columns, or the error's message."""
    try:
        poses = csv_table.read_csv(given, "poses.csv", "name")
    except ValueError as error:
        return str(error)
    return {field.name: getattr(poses, field.name) for field in fields(poses)}


@pytest.mark.parametrize(
    "change",
    [
        str,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.replace("\n", "\n \n"),
        lambda text: text.replace(",", ", "),
        lambda text: text.replace(",", " ,"),
        lambda text: text.replace(",", ",x,", 1),
        lambda text: text.replace("\n", ",\n"),
        lambda text: text.rstrip("\n"),
        lambda text: text + "0",
        lambda text: text + "\0\n",
        lambda text: text + "# the end\n",
        lambda text: text.splitlines()[0],
        lambda text: "\n" + text,
        lambda text: "",
        lambda text: text.replace("score", "score,score", 1),
        lambda text: text.replace("score", "unknown", 1),
        lambda text: text.replace("frame", "bytes", 1),
        *(cell(0, "sequence", name) for name in ("sequence ", '"sequence"', "track_id")),
        *(cell(1, "sequence", name) for name in ("", " ", "été", '"a,b"', '"a', "a'b", "\ufeff", "null", "NA", "0xa")),
        *(cell(2, "score", value) for value in ("", " ", "1e3", "+1", "-0.0", ".5", "5.", "nan", "inf", "-inf", "1e400",
          "1_0", "0x10", "1,5", "true", "\uff11", "1e-320", "0.1000000000000000055511151231257827", "1d3", "\u0663")),
        *(cell(3, "track_id", value) for value in ("", " 7 ", "7.0", "1e2", "-1", "-5", "+3", "007", "0x7", "0X7",
          "9007199254740993", "99999999999999999999", "True")),
        *(cell(1, name, "") for name in ("frame", "x1", "nose_x", "nose_visibility")),
        cell(3, "score", "1"),
    ],
)  # fmt: skip
def test_the_same_poses_or_message(change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    given = change(text())
    fast = outcome(given)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pyarrow", None)
        plain = outcome(given)
    assert type(fast) is type(plain)
    if isinstance(plain, str):
        assert fast == plain
        return
    for name, value in plain.items():
        if isinstance(value, dict):
            assert fast[name].keys() == value.keys()
            value, fast[name] = [*value.values()], [*fast[name].values()]
        np.testing.assert_array_equal(fast[name], value, name)


def test_a_plain_table_is_read_by_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.setattr(csv_table, "_columns", None)
    assert len(csv_table.read_csv(text(), "poses.csv", "name").scores) == 3
