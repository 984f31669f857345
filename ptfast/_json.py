"""Typed JSON: an error names the file, the place in it, what was expected and what was found."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
from msgspec import Raw

Content = Any  # a part of a JSON file: text yet to be decoded (bytes or msgspec.Raw), or values

_WORDS = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number",
    "int": "a whole number",
    "object": "an object",
    "str": "a string",
}
_Scalar = str | int | float | bool | None
_Part = list[Raw] | dict[str, Raw] | _Scalar
_Outline = list[Raw] | dict[str, _Part] | _Scalar


def bad_value(file: object, place: str, expected: str, found: object) -> ValueError:
    """The error for a value of a file, e.g. at annotations[3].keypoints; an empty place is the whole file."""
    where = shortened(place) or "top level"
    return ValueError(f"{file}: {where}: expected {shortened(expected)}, found {shortened(found)}")


def shortened(found: object) -> str:
    """A text for a message, cut off after 300 characters: damage may have made it as long as the file."""
    text = str(found)
    return text if len(text) <= 300 else f"{text[:297]}..."


def outline(text: bytes, file: object) -> Content:
    """Returns the lists and objects of the two outermost levels; what is in them is yet to be decoded.

    NaN, infinities and lone surrogates, which JSON does not allow, are read as the standard library reads them.

    Args:
        text: UTF-8 JSON.
        file: Name for messages.

    Raises:
        ValueError: It is no JSON; the message gives line and column.
    """
    try:
        return msgspec.json.decode(text, type=_Outline)
    except (msgspec.MsgspecError, RecursionError):
        return _parse(text, file, "")


def decode(content: Content, kind: Any, file: object, place: str = "") -> Any:
    """Returns content as a type, as msgspec understands types; numbers and text as in `outline`.

    Args:
        content: UTF-8 JSON text, or a part of an outline.
        kind: The type.
        file: Name for messages.
        place: Place of the content in the file, for messages.

    Raises:
        ValueError: It is no JSON, or a value has another type.
    """
    try:
        if _is_text(content):
            return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        raise _located(error, file, place) from None
    except (msgspec.DecodeError, RecursionError):
        content = _parse(bytes(content), file, place)
    try:
        return msgspec.convert(_values(content, file, place), kind)
    except msgspec.ValidationError as error:
        raise _located(error, file, place) from None
    except RecursionError as error:
        raise bad_value(file, place, "JSON of less depth", error) from None


def members(content: Content, file: object, place: str = "") -> dict[str, Content]:
    """Returns the values of an object by key."""
    return content if isinstance(content, dict) else decode(content, dict[str, Raw], file, place)


def elements(content: Content, file: object, place: str = "") -> list[Content]:
    """Returns the entries of a list."""
    return content if isinstance(content, list) else decode(content, list[Raw], file, place)


def member(parts: dict[str, Content], key: str, file: object) -> Content:
    """Returns the value of a key that a file must have."""
    if key not in parts:
        raise bad_value(file, "", f"the key {key!r}", describe_keys(parts))
    return parts[key]


def describe_keys(parts: dict[str, Content]) -> str:
    """An object in a message."""
    more = ", ..." if len(parts) > 8 else ""
    return f"an object with the keys {', '.join(list(parts)[:8])}{more}" if parts else "an empty object"


def _is_text(content: Content) -> bool:
    return isinstance(content, bytes | Raw)


def _values(content: Content, file: object, place: str) -> Any:
    """Content with the parts of an outline decoded."""
    if isinstance(content, dict):
        return {key: decode(value, Any, file, place) if _is_text(value) else value for key, value in content.items()}
    if isinstance(content, list):
        return [decode(value, Any, file, place) if _is_text(value) else value for value in content]
    return content


def _parse(text: bytes, file: object, place: str) -> Any:
    """The values of a JSON text, by the standard library."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if place:
            raise bad_value(file, place, "JSON", repr(text.decode())[:40]) from None
        found = "the end of the file" if error.pos >= len(error.doc.rstrip()) else f"a syntax error ({error.msg})"
        raise bad_value(file, f"line {error.lineno} column {error.colno}", "JSON", found) from None
    except (RecursionError, ValueError) as error:
        raise bad_value(file, place, "JSON", error) from None


def _located(error: msgspec.ValidationError, file: object, place: str) -> ValueError:
    """The error in our words: "Expected `float`, got `str` - at `$.a`" becomes a: expected a number, found a string."""
    what, path = re.findall(r"^(.*?)(?: - at `\$(.*)`)?$", str(error), re.DOTALL)[0]
    place = (place + path).removeprefix(".")
    if unexpected := re.fullmatch(r"Expected `(.+?)`(.*?)(?:, got `?(.+?)`?)?", what):
        kinds, limit, found = unexpected.groups("something else")
        expected = " or ".join(_WORDS.get(kind, kind) for kind in kinds.split(" | ")) + limit
        return bad_value(file, place, expected, "a decimal number" if found == "float" else _WORDS.get(found, found))
    if missing := re.fullmatch(r"Object missing required field `(.+)`", what):
        return bad_value(file, place, f"the key {missing[1]!r}", "an object without it")
    return bad_value(file, place, "a valid value", what[:1].lower() + what[1:])
