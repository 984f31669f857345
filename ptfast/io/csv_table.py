"""CSV files of poses; `tables` has the columns."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from io import BytesIO, StringIO
from typing import Any

import numpy as np

from ptfast._json import bad_value
from ptfast.io._gather import LARGEST_WHOLE, describe
from ptfast.io.parquet_table import masked_columns
from ptfast.io.table_reader import read_table
from ptfast.io.tables import Columns, kinds_of, to_columns
from ptfast.structures import Poses

_CHUNK = 4096  # rows that are text at one time


def read_csv(text: str, file: str, sequence: str) -> Poses:
    """Poses of a file's text.

    Args:
        text: The file's text.
        file: Name for messages.
        sequence: The sequence's name where the file has none.
    """
    columns = _columns_by_arrow(text, file)
    if columns is None:
        columns = _columns(text, file)
    return read_table(columns, file, sequence, first_row=2)


def _columns(text: str, file: str) -> Columns:
    try:
        header, *rows = [row for row in csv.reader(StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise bad_value(file, "", "a CSV table", error) from None
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise bad_value(file, f"row {number}", f"{len(header)} cells", len(row))
    if len(set(header)) < len(header):
        raise bad_value(file, "header", "distinct columns", f"{Counter(header).most_common(1)[0][0]!r} twice")
    cells = dict(zip(header, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(header, ())
    return {name: _parse(name, kind, cells[name], file) for name, kind in kinds_of(header).items()}


def _columns_by_arrow(text: str, file: str) -> Columns | None:
    """The columns by pyarrow, several times as fast, where it is installed and nothing is out of the ordinary.

    None otherwise, so that all errors are this module's own. Quotes are left to it, as pyarrow takes them anywhere, and
    numbers like 0x10.
    """
    if '"' in text or "0x" in text or "0X" in text:
        return None
    try:
        import pyarrow
        from pyarrow import csv as arrow_csv
    except ImportError:
        return None
    header = next(filter(None, csv.reader(text.splitlines()[:1])), [])
    types = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
    wanted = {name: types[kind] for name, kind in kinds_of(header).items()}
    options = arrow_csv.ConvertOptions(
        column_types=wanted, include_columns=list(wanted), null_values=[""], strings_can_be_null=True
    )
    try:
        table = arrow_csv.read_csv(BytesIO(text.encode()), convert_options=options)
    except pyarrow.ArrowException:
        return None
    blank = any(not cell.strip() for column in table.columns if column.type == types[str] for cell in _filled(column))
    return None if blank or len(set(header)) < len(header) else masked_columns(pyarrow, table, file)


def _filled(column: Any) -> list[str]:
    return column.drop_null().to_pylist()


def encode_csv(poses: Poses) -> Iterator[str]:
    """The table of a Poses, everything in it."""
    columns = to_columns(poses)
    rows = len(columns["frame"])
    yield _lines([tuple(columns)])
    for first in range(0, rows, _CHUNK):
        parts = [column[first : first + _CHUNK].tolist() for column in columns.values()]
        yield _lines(zip(*parts, strict=True))


def _lines(rows: Iterable[Any]) -> str:
    buffer = StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def _parse(name: str, kind: type, cells: tuple[str, ...], file: str) -> np.ma.MaskedArray:
    """A column as numbers or text, masked where cells are empty."""
    empty = np.array([not cell.strip() for cell in cells], bool)
    if kind is str:
        return np.ma.masked_array(np.array(cells, object), empty)
    filled = [cell.replace("_", "?") or "0" for cell in map(str.strip, cells)]  # Python takes 1_0 for 10
    try:
        return np.ma.masked_array(np.array(filled, np.float64 if kind is float else np.int64), empty)
    except (ValueError, OverflowError):
        row, expected = next(_bad_cells(filled, kind))
        raise bad_value(file, f"row {row + 2}, column {name}", expected, describe(cells[row].strip())) from None


def _bad_cells(cells: list[str], kind: type) -> Iterator[tuple[int, str]]:
    """Index of each cell that is no number of that kind, and what was expected."""
    for row, cell in enumerate(cells):
        try:
            value = kind(cell)
        except ValueError:
            yield row, "a number" if kind is float else "a whole number"
            continue
        if kind is int and abs(value) >= LARGEST_WHOLE:
            yield row, "a whole number below 2**53"
