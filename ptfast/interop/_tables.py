"""Poses as pandas DataFrames and Arrow tables, with the columns of ptfast's CSV and Parquet files."""

from __future__ import annotations

from typing import Any

import numpy as np

from ptfast.interop._require import require
from ptfast.io.parquet_table import arrow_table, masked_columns, wrong_kind
from ptfast.io.table_reader import read_table
from ptfast.io.tables import kinds_of, to_columns
from ptfast.structures import Poses


def to_arrow(poses: Poses) -> Any:
    """A pyarrow.Table with a row a pose, as it stands in a Parquet file that `ptfast.write_poses` writes.

    The columns are frame, track_id, score, x1, y1, x2, y2, and <joint>_x, <joint>_y, <joint>_score, <joint>_visibility
    for every joint. Where they are known, there are also sequence, frame_name, frame_id, is_labeled, width, height,
    ignore_regions, skeleton, head_x1 .. head_y2 and area. A frame without poses has a row of nulls.

    Raises:
        ImportError: pyarrow is not installed.
    """
    pyarrow = require("pyarrow", "to_arrow")
    return arrow_table(pyarrow, poses.numpy())


def from_arrow(table: Any, sequence: str = "") -> Poses:
    """Poses of an Arrow table with the columns of `to_arrow`, in any order. Others are ignored.

    Args:
        table: Rows in any order: a pyarrow.Table or what gives one (`__arrow_c_stream__`), as polars does.
        sequence: The sequence's name where the table has none.

    Raises:
        ImportError: pyarrow is not installed.
        ValueError: A column is missing or a cell is wrong. The message names column and row, from 0.
    """
    pyarrow = require("pyarrow", "from_arrow")
    table = table if isinstance(table, pyarrow.Table) else pyarrow.table(table)
    return read_table(masked_columns(pyarrow, table, "table"), "table", sequence, first_row=0)


def to_pandas(poses: Poses) -> Any:
    """A pandas.DataFrame with a row a pose and the columns of `to_arrow`.

    Whole numbers are int64, or Int64 where frames without poses leave cells empty. Others are float32, and text is str.

    Raises:
        ImportError: pandas is not installed.
    """
    pandas = require("pandas", "to_pandas")
    columns = to_columns(poses.numpy())

    def series(name: str, kind: type) -> Any:
        values, empty = columns[name].data, np.ma.getmaskarray(columns[name])
        if kind is float:
            return np.where(empty, np.nan, values).astype(np.float32)
        if kind is str:
            return np.where(empty, np.array(None), values)
        return pandas.arrays.IntegerArray(values.copy(), empty) if empty.any() else values

    return pandas.DataFrame({name: series(name, kind) for name, kind in kinds_of(columns).items()})


def from_pandas(frame: Any, sequence: str = "") -> Poses:
    """Poses of a DataFrame with the columns of `to_arrow`, whatever its index.

    Columns and rows may stand in any order, and other columns are ignored. None, NaN and NA are empty cells. Numbers of
    frames may begin anywhere and have gaps: they become `frame_ids`. Whole numbers may be floats. A joint without x or
    y is absent. Scores may be empty, or their columns missing: a joint's is then 1 where no joint has one, else 0 and
    not `features["joint_scored"]`, and a person's the mean of the joints'.

    Args:
        frame: A row a pose, and one without a track id for a frame without.
        sequence: The sequence's name where the table has none.

    Raises:
        TypeError: `frame` is no DataFrame.
        ValueError: A column is missing or a cell is wrong. The message names column and row, counted from 0.
    """
    if not hasattr(frame, "columns") or not hasattr(frame, "iloc"):
        raise TypeError(f"frame must be a pandas.DataFrame, got {type(frame).__name__}")
    names = [str(name) for name in frame.columns]
    columns = {}
    for name, kind in kinds_of(names).items():
        if names.count(name) > 1:
            raise ValueError(f"table: column {name}: expected one column of that name, found {names.count(name)}")
        empty = frame[name].isna().to_numpy(bool)
        # without the empty cells, with which pandas makes floats of whole numbers
        filled = frame[name][~empty].to_numpy()
        try:
            cells = _cells(filled, kind)
        except (TypeError, ValueError, OverflowError):
            raise wrong_kind("table", name, kind, _found(frame[name].dtype, filled, empty, kind)) from None
        column = np.full(len(empty), "" if kind is str else 0, cells.dtype)
        column[~empty] = cells
        columns[name] = np.ma.masked_array(column, empty)
    return read_table(columns, "table", sequence, first_row=0)


def _found(dtype: Any, filled: np.ndarray, empty: np.ndarray, kind: type) -> str:
    """The dtype of a wrong column, and its first wrong cell of `filled`, those that are not `empty` (R,)."""
    for row, value in zip(np.flatnonzero(~empty).tolist(), filled, strict=True):
        try:
            _cells(np.array([value]), kind)
        except (TypeError, ValueError, OverflowError):
            return f"{dtype} with {repr(value.item() if isinstance(value, np.generic) else value)[:40]} in row {row}"
    return str(dtype)


def _cells(values: np.ndarray, kind: type) -> np.ndarray:
    """Values as text, float64 or int64. Raises ValueError if they are something else."""
    if kind is float:
        return values.astype(np.float64)
    with np.errstate(invalid="ignore"):
        cells = values.astype(object if kind is str else np.int64)
    if not (all(isinstance(cell, str) for cell in cells) if kind is str else (cells == values).all()):
        raise ValueError
    return cells
