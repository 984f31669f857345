"""Parquet files of poses, and Arrow tables; `tables` has the columns. The one format that needs pyarrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ptfast._json import bad_value
from ptfast.io.table_reader import read_table
from ptfast.io.tables import kinds_of, to_columns
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
        raise bad_value(path, "", "a Parquet file", str(error).splitlines()[0]) from None
    return read_table(masked_columns(pyarrow, table, str(path)), str(path), sequence, first_row=1)


def write_parquet(poses: Poses, path: Path) -> None:
    """The table of a Poses, everything in it; floats as float32."""
    pyarrow, parquet = _pyarrow()
    parquet.write_table(arrow_table(pyarrow, poses), path)


def arrow_table(pyarrow: Any, poses: Poses) -> Any:
    """The table of a Poses, everything in it; floats as float32."""
    types = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float32()}
    columns = to_columns(poses)
    return pyarrow.table(
        {
            name: pyarrow.array(columns[name].data, types[kind], mask=np.ma.getmaskarray(columns[name]))
            for name, kind in kinds_of(columns).items()
        }
    )


def masked_columns(pyarrow: Any, table: Any, place: str) -> dict[str, np.ma.MaskedArray]:
    """The columns that mean something, masked where they are null; `place` begins the message of a wrong one."""
    kinds = kinds_of(table.column_names)
    return {name: _masked(pyarrow, place, name, kind, table.column(name)) for name, kind in kinds.items()}


def wrong_kind(place: str, name: str, kind: type, found: Any) -> ValueError:
    """The error for a column of another type."""
    expected = {str: "text", int: "whole numbers", float: "numbers"}[kind]
    return ValueError(f"{place}: column {name}: expected {expected}, found {found}")


def _masked(pyarrow: Any, place: str, name: str, kind: type, column: Any) -> np.ma.MaskedArray:
    wanted = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}[kind]
    try:
        cast = column.cast(wanted)
    except pyarrow.ArrowException:
        raise wrong_kind(place, name, kind, column.type) from None
    empty = cast.is_null().to_numpy()
    return np.ma.masked_array(cast.fill_null("" if kind is str else 0).to_numpy(), empty)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ImportError("Parquet files need pyarrow: pip install ptfast[parquet]") from None
    return pyarrow, pyarrow.parquet
