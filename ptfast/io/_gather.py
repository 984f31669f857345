"""Columns of a JSON file's objects, with errors that name the place of what does not fit."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import Any, NoReturn

import msgspec
import numpy as np

from ptfast._columns import offsets_of
from ptfast._json import Content, bad_value, decode

LARGEST = float(np.finfo(np.float32).max)
LARGEST_WHOLE = 2**53  # from here on float64 skips whole numbers

# Optional values of files: some writers leave a key out, others write an empty list.
Numbers = tuple[float, ...]
OptionalNumber = float | tuple[()]
OptionalInteger = int | tuple[()]
OptionalFlag = bool | int | tuple[()]

Column = tuple[np.ndarray, np.ndarray]  # (n,) bool, who has a value, and (n, ...) the values


@dataclass(frozen=True)
class Rows:
    """Where objects stand in a file.

    Attributes:
        file: Name for messages.
        place_of: The place of an object, from its index: annotations[3].
    """

    file: str
    place_of: Callable[[int], str]

    def of(self, objects: Sequence[Any]) -> Objects:
        """The objects that stand there."""
        return Objects(self.file, self.place_of, objects)

    def after(self, first: int) -> Rows:
        """The same without the first ones."""
        return Rows(self.file, lambda index: self.place_of(first + index))

    def inside(self, key: str, counts: np.ndarray) -> Rows:
        """The entries of lists that the objects hold under a key, `counts` (n,) int64 each."""
        offsets = offsets_of(counts)

        def place_of(index: int) -> str:
            owner = int(np.searchsorted(offsets, index, side="right")) - 1
            return f"{self.place_of(owner)}.{key}[{index - offsets[owner]}]"

        return Rows(self.file, place_of)

    def fail(self, index: int, key: str, expected: str, found: object) -> NoReturn:
        """Raises the error for a value of an object."""
        raise bad_value(self.file, f"{self.place_of(index)}.{key}", expected, found)

    def refuse(self, wrong: np.ndarray, key: str, expected: str, found: np.ndarray) -> None:
        """Raises the error for the first object that is wrong; wrong (n,) bool, and found (n,)."""
        if wrong.any():
            index = int(wrong.argmax())
            self.fail(index, key, expected, describe(found[index].item()))

    def check_distinct(self, key: str, values: np.ndarray, expected: str) -> None:
        """Raises the error for the first object whose value is that of an earlier one; values (n,)."""
        _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
        earlier = first[inverse]
        if (repeated := np.flatnonzero(earlier < np.arange(len(values)))).size:
            index = int(repeated[0])
            found = f"{values[index : index + 1].tolist()[0]!r}, which {self.place_of(int(earlier[index]))} has too"
            self.fail(index, key, expected, found)

    def check_finite(self, index: int, key: str, numbers: np.ndarray) -> None:
        """Raises the error for the first of an object's numbers (width,) that is not finite as float32."""
        wrong = ~(np.abs(numbers) <= LARGEST)
        if wrong.any():
            column = int(wrong.argmax())
            self.fail(index, f"{key}[{column}]", "a finite number", describe(numbers[column].item()))


@dataclass(frozen=True)
class Objects(Rows):
    """Objects of a file.

    Attributes:
        objects: n structs of one type.
        packed: By key, columns of the lists that `pack_lists` took out of the structs.
    """

    objects: Sequence[Any]
    packed: Mapping[str, Column] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.objects)

    def values(self, key: str) -> list[Any]:
        """The values of a key."""
        return list(map(attrgetter(key), self.objects))

    def numbers(self, key: str, width: int, *, nan: bool = False) -> np.ndarray:
        """(n, width) float64 of lists that hold `width` numbers each, finite ones or, if `nan`, NaN."""
        given, values = self.optional_numbers(key, width, 0, nan=nan)
        if not given.all():
            self.fail(int(given.argmin()), key, f"{width} numbers", 0)
        return values

    def optional_numbers(self, key: str, width: int, fill: float, *, nan: bool = False) -> Column:
        """Who has a list, and (n, width) float64 of the numbers in it as in `numbers`, `fill` for the others."""
        given, values = self.packed.get(key) or self._lists(key, width)
        if values.size and not -LARGEST <= values.min() <= values.max() <= LARGEST:
            wrong = np.abs(values) > LARGEST if nan else ~(np.abs(values) <= LARGEST)
            if wrong.any():
                index, column = np.argwhere(wrong)[0].tolist()
                self.fail(index, f"{key}[{column}]", "a finite number", describe(values[index, column].item()))
        if fill != 0:
            values[~given] = fill
        return given, values

    def joints(self, key: str, count: int) -> tuple[np.ndarray, np.ndarray]:
        """(n, K, 3) float64 x, y and a third number of `count` joints, and (n, K) bool of those whose x or y is NaN.

        The latter are zeros. The third number of the others may be NaN.
        """
        triples = self.numbers(key, 3 * count, nan=True).reshape(len(self), count, 3)
        if not may_hold_nan(triples):
            return triples, np.zeros(triples.shape[:2], bool)
        absent = np.isnan(triples[..., :2]).any(-1)
        return np.where(absent[..., None], 0, triples), absent

    def _lists(self, key: str, width: int) -> Column:
        """Who has a list, and (n, width) float64 of the numbers in it, 0 for the others."""
        lists = self.values(key)
        lengths = np.fromiter(map(len, lists), np.int64, len(lists))
        given = lengths > 0
        self.refuse(given & (lengths != width), key, f"{width} numbers", lengths)
        found = np.fromiter(chain.from_iterable(lists), np.float64, int(lengths.sum())).reshape(-1, width)
        if len(found) == len(lists):
            return given, found
        values = np.zeros((len(lists), width))
        values[given] = found
        return given, values

    def optional_number(self, key: str, fill: float) -> Column:
        """Who has a number, and (n,) float64 of the finite ones, `fill` for the others."""
        given, found = self._scalars(key, fill)
        numbers = np.array(found, np.float64)
        self.refuse(given & ~(np.abs(numbers) <= LARGEST), key, "a finite number", numbers)
        return given, numbers

    def optional_integers(self, key: str, fill: int) -> Column:
        """Who has a number, and (n,) int64, `fill` for the others."""
        given, found = self._scalars(key, fill)
        try:
            return given, np.array(found, np.int64)
        except OverflowError:
            index = next(i for i, number in enumerate(found) if not -(2**63) <= number < 2**63)
            self.fail(index, key, "a whole number of 64 bits", found[index])

    def _scalars(self, key: str, fill: float) -> tuple[np.ndarray, list[Any]]:
        """Who has a value, and the values, `fill` for the others."""
        values = self.values(key)
        missing = values.count(())
        if missing == 0:
            return np.ones(len(values), bool), values
        if missing == len(values):
            return np.zeros(len(values), bool), [fill] * missing
        given = np.array([value != () for value in values], bool)
        return given, [fill if value == () else value for value in values]

    def optional_flags(self, key: str, fill: bool) -> Column:
        """Who has a flag, and (n,) bool of true, false, 1 and 0, `fill` for the others."""
        given, flags = self.optional_integers(key, int(fill))
        self.refuse((flags != 0) & (flags != 1), key, "true or false", flags)
        return given, flags > 0

    def track_ids(self) -> np.ndarray:
        """(n,) int64 of the key track_id, -1 for none."""
        _, ids = self.optional_integers("track_id", -1)
        self.refuse(ids < -1, "track_id", "a track id, or -1 for none", ids)
        return ids


def decode_all(contents: Sequence[Content], kind: type, rows: Rows) -> Objects:
    """Objects as structs of a type."""
    return rows.of(list(_decoded(contents, kind, rows)))


def pack_lists(contents: Sequence[Content], kind: type, widths: Mapping[str, int], rows: Rows) -> Objects:
    """Objects as structs of a type whose long lists of numbers are columns at once.

    The numbers of one object are freed before those of the next are made, so that they stay in the processor's cache:
    this halves the time of a large file.

    Args:
        contents: JSON of the objects.
        kind: The type.
        widths: The keys of the lists, and how many numbers each holds, if any.
        rows: Where the objects stand.
    """
    columns = {key: np.zeros((len(contents), width)) for key, width in widths.items()}
    given = {key: bytearray(len(contents)) for key in widths}
    packers = [
        (key, width, struct.Struct(f"{width}d").pack_into, columns[key].data, given[key])
        for key, width in widths.items()
    ]
    objects = []
    for index, entry in enumerate(_decoded(contents, kind, rows)):
        for key, width, pack, column, has in packers:
            if numbers := getattr(entry, key):
                if len(numbers) != width:
                    rows.fail(index, key, f"{width} numbers", len(numbers))
                pack(column, index * width * 8, *numbers)
                has[index] = True
                setattr(entry, key, ())
        objects.append(entry)
    packed = {key: (np.frombuffer(given[key], bool), column) for key, column in columns.items()}
    return Objects(rows.file, rows.place_of, objects, packed)


def _decoded(contents: Sequence[Content], kind: type, rows: Rows) -> Iterator[Any]:
    text = isinstance(next(iter(contents), None), msgspec.Raw)
    quick: Any = msgspec.json.Decoder(kind).decode if text else partial(msgspec.convert, type=kind)
    for index, content in enumerate(contents):
        try:
            entry = quick(content)
        except (msgspec.MsgspecError, RecursionError):
            entry = decode(content, kind, rows.file, rows.place_of(index))
        yield entry


def may_hold_nan(values: np.ndarray) -> bool:
    """False where there is no NaN."""
    return bool(np.isnan(values.min(initial=0)))  # in a fifth of the time of a test of each number


def describe(value: object) -> str:
    """A value in a message, in a few words."""
    text = "NaN" if value != value else repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
