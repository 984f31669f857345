"""Poses from the columns of a CSV or Parquet file, as `tables` describes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from ptfast._json import bad_value, decode
from ptfast.io._columns import build, joint_scores, polygons, pose_scores, repeated_id, scored_feature
from ptfast.io._gather import LARGEST, describe
from ptfast.io.frame_numbers import in_order, without_gaps
from ptfast.io.joint_sets import known_joints, parse_skeleton
from ptfast.io.tables import BOX, HEAD_BOX, PER_JOINT, Columns, joints_of
from ptfast.skeletons import Skeleton
from ptfast.structures import IgnoreRegions, Poses


@dataclass(frozen=True)
class Table:
    """Columns of a file, R rows each; errors name the column and the row as an editor shows it."""

    file: str
    columns: Columns
    first_row: int

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def place(self, column: str, row: int) -> str:
        return f"row {self.first_row + row}, column {column}"

    def fail(self, column: str, row: int, expected: str) -> NoReturn:
        cell = self.columns[column][row]
        found = "an empty cell" if cell is np.ma.masked else describe(getattr(cell, "item", lambda: cell)())
        raise bad_value(self.file, self.place(column, row), expected, found)

    def values(self, column: str, rows: np.ndarray, expected: str) -> np.ndarray:
        """(len(rows),) cells, none of them empty and, if numbers, all of them finite."""
        cells = self.columns[column][rows]
        bad = np.ma.getmaskarray(cells).copy()
        if cells.dtype.kind == "f":
            bad |= ~(np.abs(cells.data) <= LARGEST)
        if bad.any():
            self.fail(column, int(rows[bad.argmax()]), expected)
        return cells.data

    def empty(self, column: str, rows: np.ndarray) -> np.ndarray:
        """(len(rows),) bool of cells that are empty or NaN, or whose column is not there."""
        if column not in self.columns:
            return np.ones(len(rows), bool)
        cells = self.columns[column][rows]
        return np.ma.getmaskarray(cells) | np.isnan(cells.data)

    def some(self, column: str, rows: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """(len(rows),) numbers, finite where `kept` (len(rows),) is True and 0 elsewhere."""
        if kept.all() and column in self.columns:
            return self.values(column, rows, "a finite number")
        numbers = np.zeros(len(rows))
        if kept.any():
            numbers[kept] = self.values(column, rows[kept], "a finite number")
        return numbers

    def numbers(self, columns: tuple[str, ...] | list[str], rows: np.ndarray) -> np.ndarray:
        """(len(rows), len(columns)) finite numbers."""
        return np.stack([self.values(column, rows, "a finite number") for column in columns], 1)


def read_table(columns: Columns, file: str, sequence: str, first_row: int) -> Poses:
    """Poses of a file's columns.

    Args:
        columns: Masked arrays by name, of the kinds that `tables.kinds_of` gives.
        file: Name for messages.
        sequence: The sequence's name where the file has none.
        first_row: Number of the first row in messages.
    """
    joints = _joints(columns, file)
    table = Table(file, columns, first_row)
    numbers = table.values("frame", np.arange(len(table)), "a frame number")
    starts = np.unique(numbers, return_index=True)[1]  # the first row of each frame
    _check_same(table, numbers, starts)
    about = _frame_columns(table, starts)
    listed = _listed_frames(table, numbers[starts], starts, about)
    rows = _pose_rows(table)
    skeleton, joints = _skeleton(table, joints)
    pose_columns = _pose_columns(table, rows, joints)
    wrong = pose_columns["track_ids"] < -1
    if wrong.any():
        table.fail("track_id", int(rows[wrong.argmax()]), "a track id, or -1 for none")
    repeated = repeated_id(numbers[rows], pose_columns["track_ids"])
    if repeated is not None:
        table.fail("track_id", int(rows[repeated]), "each track id once a frame")
    if "sequence" in columns and len(starts):
        sequence = _texts(table, "sequence", starts[:1])[0]
    frames = np.searchsorted(listed, numbers[rows])
    if about["frame_ids"] is None and not np.array_equal(listed, np.arange(len(listed))):
        about["frame_ids"] = listed
    frames, about = in_order(frames, about)
    return build(skeleton, frames, len(listed), pose_columns, sequence=sequence, **about)


def _joints(columns: Columns, file: str) -> tuple[str, ...]:
    """Names of the joints, after a check that no column is missing."""
    joints = joints_of(columns)
    needed = [part for part in PER_JOINT if part != "score"]
    per_joint = [f"{joint}_{part}" for joint in joints or ("<joint>",) for part in needed]
    for together in (HEAD_BOX, ("width", "height")):  # all of these or none
        per_joint += together if any(name in columns for name in together) else ()
    for name in ("frame", "track_id", *BOX, *per_joint):
        if name not in columns:
            raise bad_value(file, "header", f"the column {name!r}", f"{', '.join(list(columns)[:8])}, ...")
    return joints


def _listed_frames(table: Table, numbers: np.ndarray, starts: np.ndarray, about: dict[str, Any]) -> np.ndarray:
    """(F,) int64 rising numbers of the frames: of the rows and, where rows say nothing else of frames, in between."""
    if any(column is not None for column in about.values()):
        return numbers
    return without_gaps(numbers, lambda index, expected: table.fail("frame", int(starts[index]), expected))


def _check_same(table: Table, numbers: np.ndarray, starts: np.ndarray) -> None:
    """Raises ValueError where rows of one frame give it different ids or names, or rows belong to several sequences."""
    first = starts[np.searchsorted(numbers[starts], numbers)]
    top = np.zeros_like(first)
    for column, model, place in (
        ("sequence", top, "the first row"),
        ("frame_id", first, "the frame's first row"),
        ("frame_name", first, "the frame's first row"),
    ):
        if column in table.columns:
            wrong = np.ma.filled(table.columns[column] != table.columns[column][model], False)
            if wrong.any():
                row = int(wrong.argmax())
                cell = table.columns[column][model[row : row + 1]].tolist()[0]
                table.fail(column, row, f"{cell!r} as in {place}")


def _pose_rows(table: Table) -> np.ndarray:
    """Indices of the rows that hold a pose; the others stand for frames without."""
    empty = np.ma.getmaskarray(table.columns["track_id"])
    rows = np.flatnonzero(empty)
    of_poses = [name for name, column in table.columns.items() if column.dtype.kind == "f"]
    forgotten = ~np.logical_and.reduce([table.empty(name, rows) for name in of_poses])
    if forgotten.any():
        table.fail("track_id", int(rows[forgotten.argmax()]), "a track id, -1 for none")
    return np.flatnonzero(~empty)


def _skeleton(table: Table, joints: tuple[str, ...]) -> tuple[Skeleton, tuple[str, ...]]:
    """The skeleton, and its joints in its own order as the columns call them."""
    if "skeleton" in table.columns and len(table):
        text = table.values("skeleton", np.zeros(1, np.int64), "a skeleton")[0]
        skeleton = parse_skeleton(text.encode(), table.file, table.place("skeleton", 0))
        if sorted(skeleton.joints) != sorted(joints):
            table.fail("skeleton", 0, f"the joints of the columns ({', '.join(joints)})")
        return skeleton, skeleton.joints
    if len(set(joints)) < len(joints):
        raise bad_value(table.file, "header", "distinct joint names", ", ".join(joints))
    known = known_joints(joints)
    if known is None:
        return Skeleton("custom", joints), joints
    skeleton, order = known
    return skeleton, joints if order is None else tuple(joints[index] for index in order)


def _pose_columns(table: Table, rows: np.ndarray, joints: tuple[str, ...]) -> dict[str, Any]:
    of_joints = _joint_columns(table, rows, joints)
    given = ~table.empty("score", rows)
    scores = table.some("score", rows, given)
    return {
        **of_joints,
        "boxes": table.numbers(BOX, rows),
        "scores": pose_scores(given, scores, of_joints["joint_scores"], of_joints["joint_visibility"]),
        "track_ids": table.values("track_id", rows, "a whole number"),
        "head_boxes": _head_boxes(table, rows) if HEAD_BOX[0] in table.columns else None,
        "areas": table.values("area", rows, "a finite number") if "area" in table.columns else None,
    }


def _joint_columns(table: Table, rows: np.ndarray, joints: tuple[str, ...]) -> dict[str, Any]:
    """Columns of joints, (N, K) each or more. Joints whose x or y is empty or NaN are absent, at (0, 0)."""
    there = np.stack([~(table.empty(f"{joint}_x", rows) | table.empty(f"{joint}_y", rows)) for joint in joints], 1)
    scored = np.stack([~table.empty(f"{joint}_score", rows) for joint in joints], 1)
    kept = {"x": there, "y": there, "score": scored, "visibility": there}
    parts = {
        part: np.stack([table.some(f"{joint}_{part}", rows, kept[part][:, k]) for k, joint in enumerate(joints)], 1)
        for part in PER_JOINT
    }
    wrong = ~np.isin(parts["visibility"], (0, 1, 2))
    if wrong.any():
        row, joint = np.argwhere(wrong)[0]
        table.fail(f"{joints[joint]}_visibility", int(rows[row]), "0, 1 or 2")
    missing = joint_scores(scored & (parts["visibility"] > 0), parts["score"], parts["visibility"])
    return {
        "keypoints": np.stack([parts["x"], parts["y"]], -1),
        "joint_scores": np.where(scored, parts["score"], missing),
        "joint_visibility": parts["visibility"],
        "features": scored_feature(scored, parts["visibility"]),
    }


def _head_boxes(table: Table, rows: np.ndarray) -> np.ndarray:
    """(N, 4), NaN where the cells are empty."""
    known = rows[~np.ma.getmaskarray(table.columns[HEAD_BOX[0]])[rows]]
    boxes = np.full((len(table), 4), np.nan)
    boxes[known] = table.numbers(HEAD_BOX, known)
    return boxes[rows]


def _frame_columns(table: Table, starts: np.ndarray) -> dict[str, Any]:
    """Frame columns of Poses from the first row of each frame."""
    has = table.columns.__contains__
    frame_ids = table.values("frame_id", starts, "a whole number") if has("frame_id") else None
    if frame_ids is not None and len(np.unique(frame_ids)) < len(starts):
        later = np.setdiff1d(np.arange(len(starts)), np.unique(frame_ids, return_index=True)[1])
        table.fail("frame_id", int(starts[later[0]]), "a distinct id for each frame")
    return {
        "frame_names": _texts(table, "frame_name", starts) if has("frame_name") else None,
        "frame_ids": frame_ids,
        "is_labeled": _labels(table, starts) if has("is_labeled") else None,
        "frame_size": table.numbers(("width", "height"), starts) if has("width") else None,
        "ignore_regions": _regions(table, starts) if has("ignore_regions") else None,
    }


def _labels(table: Table, starts: np.ndarray) -> np.ndarray:
    labels = table.values("is_labeled", starts, "0 or 1")
    wrong = ~np.isin(labels, (0, 1))
    if wrong.any():
        table.fail("is_labeled", int(starts[wrong.argmax()]), "0 or 1")
    return labels > 0


def _texts(table: Table, column: str, rows: np.ndarray) -> tuple[str, ...]:
    return tuple(np.ma.filled(table.columns[column][rows], ""))


def _regions(table: Table, starts: np.ndarray) -> IgnoreRegions | None:
    empty = np.ma.getmaskarray(table.columns["ignore_regions"])
    return polygons([[] if empty[row] else _polygons(table, row) for row in starts])


def _polygons(table: Table, row: int) -> list[np.ndarray]:
    """The polygons in a cell, (V, 2) float64 each."""
    text, place = table.columns["ignore_regions"][row], table.place("ignore_regions", row)
    found = decode(text.encode(), list[list[tuple[float, float]]], table.file, place)
    read = [np.array(polygon, np.float64).reshape(-1, 2) for polygon in found]
    if not all((np.abs(polygon) <= LARGEST).all() for polygon in read):
        table.fail("ignore_regions", row, "finite numbers")
    return read
