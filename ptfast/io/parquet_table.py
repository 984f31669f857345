"""Parquet files of poses, and Arrow tables; `tables` has the columns. The one format that needs pyarrow."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ptfast._json import bad_value
from ptfast.io.table_reader import read_table
from ptfast.io.tables import kinds_of, to_columns
from ptfast.structures import Poses

MAX_CELLS = 20_000_000
MAX_CELLS_PER_BYTE = 20  # coordinates take a byte or more each


def read_parquet(path: Path, sequence: str) -> Poses:
    """Poses of a file.

    Args:
        path: The file.
        sequence: The sequence's name where the file has none.
    """
    pyarrow, parquet = _pyarrow()
    try:
        about = parquet.ParquetFile(path)
        names = [*_kinds(about.schema_arrow.names, str(path))]
        _check_size(path, about.metadata.num_rows * len(names))
        table = parquet.read_table(path, columns=names)
    except (pyarrow.ArrowException, OSError) as error:
        raise bad_value(path, "", "a Parquet file", str(error).splitlines()[0]) from None
    return read_table(masked_columns(pyarrow, table, str(path)), str(path), sequence, first_row=1)


def _check_size(path: Path, cells: int) -> None:
    """Raises ValueError where so few bytes claim so many cells that they can hold nothing but repetition."""
    limit = max(MAX_CELLS, MAX_CELLS_PER_BYTE * path.stat().st_size)
    if cells > limit:
        raise bad_value(path, "", f"at most {limit:,} cells, {MAX_CELLS_PER_BYTE} a byte", f"{cells:,}")


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
    kinds = _kinds(table.column_names, place)
    return {name: _masked(pyarrow, place, name, kind, table.column(name)) for name, kind in kinds.items()}


def _kinds(names: list[str], place: str) -> dict[str, type]:
    """`kinds_of` the names, after a check that each stands there once."""
    kinds, counts = kinds_of(names), Counter(names)
    for name in kinds:
        if counts[name] > 1:
            raise ValueError(f"{place}: column {name}: expected one column of that name, found {counts[name]}")
    return kinds


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
