"""Annotations and detections of many images and categories, side by side in flat lists."""

from __future__ import annotations

import gc
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, compress, repeat
from typing import Any

import numpy as np

from ptfast.evaluation._ragged import offsets_of

Annotation = dict[str, Any]


@dataclass(frozen=True)
class Cells:
    """What is compared with what: a cell is one image and one category, or all categories of an image.

    Attributes:
        truth: Annotations of all cells, one cell after the other.
        truth_offsets: (C + 1,) int64, where the cells start in `truth`.
        found: Detections likewise, each cell's by descending score, equal ones as they came.
        found_offsets: (C + 1,) int64.
    """

    truth: list[Annotation]
    truth_offsets: np.ndarray
    found: list[Annotation]
    found_offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.truth_offsets) - 1

    def pairs(self) -> np.ndarray:
        """(C,) pairs of annotation and detection in each cell."""
        return np.diff(self.truth_offsets) * np.diff(self.found_offsets)

    def part(self, begin: int, end: int) -> Cells:
        """Cells from begin to end."""
        truth, found = self.truth_offsets[begin : end + 1], self.found_offsets[begin : end + 1]
        return Cells(
            self.truth[truth[0] : truth[-1]], truth - truth[0], self.found[found[0] : found[-1]], found - found[0]
        )

    def parts(self, pairs: int) -> Iterator[tuple[int, int]]:
        """Runs of cells, begin and end of each, of up to so many pairs; a cell is never divided."""
        total = np.cumsum(self.pairs())
        begin = done = 0
        while begin < len(self):
            end = max(begin + 1, int(np.searchsorted(total, done + pairs, side="right")))
            yield begin, end
            begin, done = end, int(total[end - 1])

    def without_empty(self) -> Cells:
        """The cells that have pairs."""
        full = self.pairs() > 0
        truth, found = np.diff(self.truth_offsets), np.diff(self.found_offsets)
        return Cells(
            list(compress(self.truth, np.repeat(full, truth).tolist())),
            offsets_of(truth[full]),
            list(compress(self.found, np.repeat(full, found).tolist())),
            offsets_of(found[full]),
        )


def gather_cells(lists: list[tuple[list[Annotation], list[Annotation]]], limit: int) -> Cells:
    """From each cell's annotations and detections, of which those with the `limit` highest scores are kept."""
    truth = list(chain.from_iterable(annotations for annotations, _ in lists))
    found = list(chain.from_iterable(detections for _, detections in lists))
    truth_counts = np.array([len(annotations) for annotations, _ in lists], np.int64)
    counts = np.array([len(detections) for _, detections in lists], np.int64)
    scores = np.array([detection["score"] for detection in found])
    order = np.lexsort((-scores, np.repeat(np.arange(len(lists)), counts)))
    rank = np.arange(len(found)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = [found[i] for i in order[rank < limit].tolist()]
    return Cells(truth, offsets_of(truth_counts), kept, offsets_of(np.minimum(counts, limit)))


def numbers(annotations: list[Annotation], name: str) -> np.ndarray:
    """(N,) float64 of one number an annotation."""
    return np.array([annotation[name] for annotation in annotations], np.float64)


def number_lists(annotations: list[Annotation], name: str) -> np.ndarray:
    """(N, L) of a list of L numbers an annotation; float64, or the dtype of arrays.

    Raises:
        ValueError: The lists differ in length.
    """
    values = [annotation[name] for annotation in annotations]
    lengths = set(map(len, values))
    if len(lengths) > 1:
        raise ValueError(f"{name} must have one length throughout, got {' and '.join(map(str, sorted(lengths)))}")
    if not values or set(map(type, values)) == {np.ndarray}:
        return np.stack(values) if values else np.zeros((0, 0))
    # array() reads a list of numbers in half the time that NumPy takes
    return np.frombuffer(b"".join(map(array, repeat("d"), values))).reshape(len(values), -1)


@contextmanager
def uncollected() -> Iterator[None]:
    """Keeps Python's garbage collector from running.

    It runs whenever a program has made many objects, such as a dictionary an image here, and goes through all others,
    such as the data set's annotations: half the time of an evaluation, to find nothing.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
