"""Parquet files of poses; `_table` has the columns. The one format that needs pyarrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ptfast.io._table import kinds_of, to_columns
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
    kinds = kinds_of(table.column_names)
    columns = {name: _masked(pyarrow, path, name, kind, table.column(name)) for name, kind in kinds.items()}
    return read_table(columns, str(path), sequence, first_row=1)


def write_parquet(poses: Poses, path: Path) -> None:
    """The table of a Poses, everything in it; floats as float32."""
    pyarrow, parquet = _pyarrow()
    types = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float32()}
    columns = to_columns(poses)
    arrays = {
        name: pyarrow.array(columns[name].data, types[kind], mask=np.ma.getmaskarray(columns[name]))
        for name, kind in kinds_of(columns).items()
    }
    parquet.write_table(pyarrow.table(arrays), path)


def _masked(pyarrow: Any, path: Path, name: str, kind: type, column: Any) -> np.ma.MaskedArray:
    """A column as numbers or text, masked where it is null."""
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
