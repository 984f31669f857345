"""JSON text in and out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

dumps = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def listing(entries: Iterable[Any]) -> Iterator[str]:
    """The inside of a JSON list, one entry a line."""
    return lines(map(dumps, entries))


def lines(texts: Iterable[str]) -> Iterator[str]:
    """The inside of a JSON list of entries that are text already, one a line."""
    separator = "\n"
    for text in texts:
        yield separator + text
        separator = ",\n"


def read_text(path: Path) -> str:
    """A file's text.

    Raises:
        ValueError: The file is empty or not UTF-8.
    """
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: byte {error.start}: expected UTF-8 text, found {data[error.start]:#04x}") from None
    if not text or text.isspace():
        raise ValueError(f"{path}: line 1: expected poses, found an empty file")
    return text


def parse(text: str, file: str) -> Any:
    """The document in `text`.

    Raises:
        ValueError: It is no JSON; the message gives line and column.
    """
    try:
        return loads(text)
    except json.JSONDecodeError as error:
        found = "the end of the file" if error.pos >= len(text.rstrip()) else f"a syntax error ({error.msg})"
        raise ValueError(f"{file}: line {error.lineno} column {error.colno}: expected JSON, found {found}") from None
    except (RecursionError, ValueError) as error:
        raise ValueError(f"{file}: top level: expected JSON of poses, found {error}") from None


def loads(text: str) -> Any:
    """The document by orjson where it is installed, in a third of the time.

    The standard library reads or refuses what orjson does not take (NaN, deep nesting), so errors are its own.
    """
    try:
        import orjson
    except ImportError:
        return json.loads(text)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def check_distinct_keys(text: str, file: str) -> None:
    """Raises ValueError where an object of a JSON text has a key twice, of which `parse` keeps the last alone."""

    def distinct(pairs: list[tuple[str, Any]]) -> None:
        keys = [key for key, _ in pairs]
        if len(set(keys)) < len(keys):
            twice = next(key for index, key in enumerate(keys) if key in keys[:index])
            raise ValueError(f"{file}: {twice!r}: expected each name once, found it twice")

    json.loads(text, object_pairs_hook=distinct)
