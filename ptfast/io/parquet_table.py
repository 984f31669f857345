"""Parquet files of poses; `_table` has the columns. The one format that needs pyarrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ptfast.io._table import kind_of, to_columns
from ptfast.io._table_reader import read_table
from ptfast.structures import Poses


def read_parquet(path: Path, sequence: str) -> Poses:
    """Poses of a file.

    Args:
        path: The file.
        sequence: The sequence's name where the file has none.
    """
    pyarrow, parquet = _pyarrow()
    try:
        table = parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path}: top level: expected a Parquet file, found {reason}") from None
    columns = {name: _masked(pyarrow, path, name, table.column(name)) for name in table.column_names}
    return read_table(columns, str(path), sequence, first_row=1)


def write_parquet(poses: Poses, path: Path) -> None:
    """The table of a Poses, everything in it; floats as float32."""
    pyarrow, parquet = _pyarrow()
    types = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float32()}
    arrays = {
        name: pyarrow.array(column.data, types[kind_of(name)], mask=np.ma.getmaskarray(column))
        for name, column in to_columns(poses).items()
    }
    parquet.write_table(pyarrow.table(arrays), path)


def _masked(pyarrow: Any, path: Path, name: str, column: Any) -> np.ma.MaskedArray:
    kind = kind_of(name)
    wanted = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}[kind]
    try:
        column = column.cast(wanted)
    except pyarrow.ArrowException:
        expected = {str: "text", int: "whole numbers", float: "numbers"}[kind]
        raise ValueError(f"{path}: column {name}: expected {expected}, found {column.type}") from None
    empty = column.is_null().to_numpy()
    return np.ma.masked_array(column.fill_null("" if kind is str else 0).to_numpy(), empty)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ImportError("Parquet files need pyarrow: pip install ptfast[parquet]") from None
    return pyarrow, pyarrow.parquet
