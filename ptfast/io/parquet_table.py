"""Parquet files of poses; `_table` has the columns. The one format that needs pyarrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ptfast.io._arrow import arrow_table, masked_columns
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
    return read_table(masked_columns(pyarrow, table, str(path)), str(path), sequence, first_row=1)


def write_parquet(poses: Poses, path: Path) -> None:
    """The table of a Poses, everything in it; floats as float32."""
    pyarrow, parquet = _pyarrow()
    parquet.write_table(arrow_table(pyarrow, poses), path)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ImportError("Parquet files need pyarrow: pip install ptfast[parquet]") from None
    return pyarrow, pyarrow.parquet
