"""The table of poses as an Arrow table, for Parquet files and for other packages; `_table` has the columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from ptfast.io._table import kinds_of, to_columns
from ptfast.structures import Poses


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
