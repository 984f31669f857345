"""CSV files of poses; `_table` has the columns."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any

import numpy as np

from ptfast.io._bulk import require
from ptfast.io._place import LARGEST_WHOLE, IrregularError, Place
from ptfast.io._table import kinds_of, to_columns
from ptfast.io._table_reader import read_table
from ptfast.structures import Poses

_CHUNK = 4096  # rows that are text at one time


def read_csv(text: str, file: str, sequence: str) -> Poses:
    """Poses of a file's text.

    Args:
        text: The file's text.
        file: Name for messages.
        sequence: The sequence's name where the file has none.
    """
    try:
        header, *rows = [row for row in csv.reader(StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise ValueError(f"{file}: top level: expected a CSV table, found {error}") from None
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise ValueError(f"{file}: row {number}: expected {len(header)} cells, found {len(row)}")
    if len(set(header)) < len(header):
        raise ValueError(f"{file}: header: expected distinct columns, found {max(header, key=header.count)!r} twice")
    cells = dict(zip(header, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(header, ())
    columns = {name: _parse(name, kind, cells[name], file) for name, kind in kinds_of(header).items()}
    return read_table(columns, file, sequence, first_row=2)


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
    filled = [cell or "0" for cell in map(str.strip, cells)]
    try:
        require("_" not in "".join(filled))  # Python takes 1_0 for 10
        return np.ma.masked_array(np.array(filled, np.float64 if kind is float else np.int64), empty)
    except (IrregularError, ValueError, OverflowError):
        _find_bad_cell(name, filled, kind, file)
        raise


def _find_bad_cell(name: str, cells: list[str], kind: type, file: str) -> None:
    """Raises ValueError for the first cell that is no number."""
    for row, cell in enumerate(cells, 2):
        place = Place(file, cell, f"row {row}, column {name}")
        try:
            value = kind(cell.replace("_", "?"))
        except ValueError:
            place.fail("a number" if kind is float else "a whole number")
        if kind is int and abs(value) >= LARGEST_WHOLE:
            place.fail("a whole number below 2**53")
