"""Where a value stands in a file, so that an error can say it: file, place, what was expected, what was found."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import numpy as np

Result = TypeVar("Result")
LARGEST = float(np.finfo(np.float32).max)
LARGEST_WHOLE = 2**53  # from here on float64 skips whole numbers


class IrregularError(Exception):
    """A bulk conversion met something that it does not expect; the search for the place follows."""


BULK_ERRORS = (IrregularError, AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)


@dataclass(frozen=True)
class Place:
    """A value of a parsed file together with its path from the top, e.g. annotations[12].keypoints."""

    file: str
    value: Any
    name: str = ""

    def fail(self, expected: str, found: str | None = None) -> NoReturn:
        """Raises the one ValueError that a bad file gives."""
        got = describe(self.value) if found is None else found
        raise ValueError(f"{self.file}: {self.name or 'top level'}: expected {expected}, found {got}")

    def __getitem__(self, key: str) -> Place:
        if key not in self.mapping():
            self.fail(f"the key {key!r}")
        return self._inside(key)

    def get(self, key: str) -> Place | None:
        """The value of a key that may be missing; an empty list counts as missing."""
        return self._inside(key) if key in self.mapping() and self.value[key] != [] else None

    def items(self, what: str = "a list") -> Iterator[Place]:
        """The entries of a list."""
        if not isinstance(self.value, list):
            self.fail(what)
        for index, value in enumerate(self.value):
            yield Place(self.file, value, f"{self.name}[{index}]")

    def entries(self) -> Iterator[Place]:
        """The values of an object, named as they would be in Python: frames['a.jpg']."""
        for key, value in self.mapping().items():
            yield Place(self.file, value, f"{self.name}[{key!r}]")

    def mapping(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            self.fail("an object")
        return self.value

    def text(self) -> str:
        if not isinstance(self.value, str):
            self.fail("a string")
        return self.value

    def integer(self) -> int:
        if type(self.value) is not int or not -(2**63) <= self.value < 2**63:
            self.fail("a whole number")
        return self.value

    def track_id(self) -> int:
        if self.integer() < -1:
            self.fail("a track id, or -1 for none")
        return self.value

    def flag(self) -> None:
        if type(self.value) not in (bool, int) or self.value not in (0, 1):
            self.fail("true or false")

    def number(self) -> float:
        if type(self.value) not in (int, float) or not abs(self.value) <= LARGEST:
            self.fail("a finite number")
        return self.value

    def numbers(self, count: int) -> list[float]:
        """A list of exactly `count` finite numbers."""
        entries = list(self.items(f"{count} numbers"))
        if len(entries) != count:
            self.fail(f"{count} numbers", str(len(entries)))
        return [entry.number() for entry in entries]

    def single(self) -> float:
        """The number of a list that holds one, as PoseTrack 2017 writes every value."""
        if not isinstance(self.value, list) or len(self.value) != 1:
            self.fail("a list of one number")
        return next(self.items()).number()

    def _inside(self, key: str) -> Place:
        return Place(self.file, self.value[key], f"{self.name}.{key}" if self.name else key)


def sequence_name(document: Place, default: str) -> str:
    """The name that a JSON file gives its sequence, else the default."""
    return document["sequence"].text() if "sequence" in document.mapping() else default


def describe(value: Any) -> str:
    """What a message says was found, in a few words."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        keys = ", ".join(map(str, list(value)[:8]))
        return f"an object with the keys {keys}{', ...' if len(value) > 8 else ''}" if value else "an empty object"
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def read_checked(place: Place, build: Callable[[Any], Result], check: Callable[[Place], None]) -> Result:
    """Builds the result in bulk; only where that fails, goes through the values one by one to name the bad one.

    Args:
        place: The whole document.
        build: Fast conversion; raises any of the errors that a wrong type, key, length or value leads to.
        check: Slow walk that raises `Place.fail` at the first value that `build` does not accept.
    """
    try:
        return build(place.value)
    except BULK_ERRORS as error:
        cause = error
    check(place)
    raise ValueError(f"{place.file}: top level: expected a readable file, found {cause}") from cause
