"""Training configs in TOML files: those that come with ptfast, and the user's own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from ptfast._json import shortened
from ptfast.training.config import RunConfig

Config = TypeVar("Config", bound=RunConfig)

TOML_NAMES = {"array": "a list", "object": "a table"}


def read_document(source: str | Path, folder: Path) -> tuple[dict[str, Any], Path]:
    """Reads a TOML file, or the one of that name in a folder.

    Args:
        source: A path, or the name of a file of the folder without .toml.
        folder: Configs of a network that come with ptfast.

    Returns:
        The entries, and the file's path.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is not TOML.
    """
    path = Path(source)
    if not path.is_file():
        path = folder / f"{source}.toml"
    if not path.is_file():
        names = ", ".join(sorted(known.stem for known in folder.glob("*.toml")))
        raise FileNotFoundError(f"{source}: expected a TOML file or one of {names}")
    try:
        return tomllib.loads(path.read_text()), path
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: expected TOML, found {error}") from None


def make_config(kind: type[Config], entries: Mapping[str, Any], place: str | Path) -> Config:
    """Makes a config from plain values: lists for tuples, tables for dataclasses, integers also for floats.

    Args:
        kind: The class, all of whose fields have defaults.
        entries: Values by field; fields that are missing have the defaults of `kind`, also inside tables.
        place: The file, with which a message begins.

    Raises:
        ValueError: An entry is unknown, of the wrong type, or out of its range; the message names it.
    """
    values = completed(kind().to_dict(), entries, str(place))
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"{place}: {complaint(error, kind, values)}") from None


def completed(defaults: dict[str, Any], entries: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Puts entries over nested defaults; raises ValueError where an entry has none."""
    values = dict(defaults)
    for name, value in entries.items():
        if name not in defaults:
            raise ValueError(f"{place}: expected entries out of {', '.join(defaults)}; found {shortened(repr(name))}")
        inner = isinstance(value, Mapping) and isinstance(defaults[name], dict)
        values[name] = completed(defaults[name], value, f"{place}: {name}") if inner else value
    return values


def complaint(error: msgspec.ValidationError, kind: type, values: Mapping[str, Any]) -> str:
    """Says where an entry is wrong, what was expected there and what was found."""
    text, _, path = str(error).partition(" - at `$")
    hint: Any = kind
    found: Any = values
    place = ""
    for key in re.findall(r"\w+", path):
        if key.isdigit():  # an entry of a list
            found = found[int(key)]
        else:
            found, hint, place = found[key], get_type_hints(hint)[key], f"{place}{key}: "
    if error.__cause__ is not None:  # the dataclass's own check
        return f"{place}{error.__cause__}"
    return f"{place}expected {expected(text, hint)}, found {shortened(repr(found))}"


def expected(text: str, hint: Any) -> str:
    """Says what an entry of a type must be, where msgspec complains about it in `text`."""
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(repr, get_args(hint)))}"
    if length := re.search(r"of length (\d+)", text):
        return f"{length[1]} entries"
    wanted = re.findall(r"\w+", text)[1]  # of "Expected `int | null`, got `str`"
    return TOML_NAMES.get(wanted, wanted)
