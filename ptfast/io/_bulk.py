"""Whole columns of a parsed JSON file as arrays, a handful of C calls each and nothing per value in Python.

Each function raises IrregularError, or whatever Python raises by itself, where a value does not fit.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from ptfast.io._place import LARGEST, IrregularError


@contextmanager
def paused_collector() -> Iterator[None]:
    """Holds the garbage collector off, which goes through a growing document again and again: up to 3x the parsing.

    Parsed JSON has no cycles, so nothing is left for the collector to find.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def require(condition: Any) -> None:
    """Raises IrregularError unless the condition holds: the slow path then looks for the culprit."""
    if not condition:
        raise IrregularError


def check_types(values: Iterable[Any], *allowed: type) -> None:
    """Exact types, so that true is not taken for 1."""
    require(set(map(type, values)) <= set(allowed))


def floats(values: list[Any]) -> np.ndarray:
    """(len(values),) float64 of numbers that are finite as float32."""
    check_types(values, int, float)
    array = np.array(values, np.float64)
    require((np.abs(array) <= LARGEST).all())
    return array


def integers(values: list[Any]) -> np.ndarray:
    """(len(values),) int64."""
    check_types(values, int)
    return np.array(values, np.int64)


def flags(values: list[Any]) -> np.ndarray:
    """(len(values),) bool of true, false, 1 and 0."""
    check_types(values, bool, int)
    require(set(values) <= {0, 1})
    return np.array(values, bool)


def table(lists: Sequence[Any], width: int) -> np.ndarray:
    """(len(lists), width) float64 of lists that hold `width` numbers each."""
    check_types(lists, list)
    require(set(map(len, lists)) <= {width})
    return floats(list(chain.from_iterable(lists))).reshape(-1, width)


def singles(lists: list[Any]) -> np.ndarray:
    """(len(lists),) float64 of lists of one number; of text and objects, the other things of length 1, comes text."""
    return floats([value for [value] in lists])


def uniform_columns(objects: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """(len(objects),) float64 by key, of objects that all have the same keys (two or more), lists of one number each.

    Going through the values about as they lie in memory takes a third of the time that key by key takes.
    """
    keys = tuple(objects[0])
    require(set(map(len, objects)) == {len(keys)})
    values = floats([value for lists in map(itemgetter(*keys), objects) for [value] in lists])
    return dict(zip(keys, values.reshape(-1, len(keys)).T, strict=True))


def optional_single(objects: list[dict[str, Any]], key: str) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the objects that have a key, and the numbers, float64, in its lists of one number."""
    index, lists = optional(objects, key)
    return index, singles(lists)


def optional(objects: Sequence[Any], key: str) -> tuple[np.ndarray, list[Any]]:
    """Indices of the objects that have a key, and its values; an empty list counts as missing."""
    found = [entry[key] for entry in objects if key in entry]
    if not found or (len(found) == len(objects) and all(found)):
        return np.arange(len(found)), found
    missing: list[Any] = []
    index = [i for i, entry in enumerate(objects) if key in entry and entry[key] != missing]
    return np.array(index, np.int64), [objects[i][key] for i in index]


def optional_table(objects: Sequence[Any], key: str, width: int, fill: Any) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the objects that have a key, and (len(objects), width) float64 values with `fill` for the others."""
    index, lists = optional(objects, key)
    values = np.full((len(objects), width), fill, np.float64)
    values[index] = table(lists, width)
    return index, values


def optional_floats(objects: Sequence[Any], key: str, fill: Any) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the objects that have a key, and (len(objects),) float64 values with `fill` for the others."""
    index, found = optional(objects, key)
    values = np.full(len(objects), fill, np.float64)
    values[index] = floats(found)
    return index, values


def optional_integers(objects: Sequence[Any], key: str, fill: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the objects that have a key, and (len(objects),) int64 values with `fill` for the others."""
    index, found = optional(objects, key)
    values = np.full(len(objects), fill, np.int64)
    values[index] = integers(found)
    return index, values
