"""Annotations and detections of many images and categories, side by side in flat lists."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, compress, repeat
from typing import Any

import numpy as np

from ptfast._columns import offsets_of

Annotation = dict[str, Any]


@dataclass(frozen=True)
class Cells:
    """Cells, within which detections are compared with annotations: one image and one category, or all of an image.

    Attributes:
        truth: Annotations of all cells, one cell after the other.
        truth_offsets: (C + 1,) int64 starts of the cells in `truth`.
        found: Detections likewise, each cell's by descending score, equal ones as they came.
        found_offsets: (C + 1,) int64.
    """

    truth: list[Annotation]
    truth_offsets: np.ndarray
    found: list[Annotation]
    found_offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.truth_offsets) - 1

    @cached_property
    def truth_counts(self) -> np.ndarray:
        """(C,) annotations in each cell."""
        return self.truth_offsets[1:] - self.truth_offsets[:-1]  # np.diff takes ten times as long, on few cells

    @cached_property
    def found_counts(self) -> np.ndarray:
        """(C,) detections in each cell."""
        return self.found_offsets[1:] - self.found_offsets[:-1]

    def pairs(self) -> np.ndarray:
        """(C,) pairs of annotation and detection in each cell."""
        return self.truth_counts * self.found_counts

    def matrices(self, values: np.ndarray) -> list[Any]:
        """The values (P,) of all pairs as one matrix (D, G) a cell, [] where there are none."""
        found, truth = self.found_counts.tolist(), self.truth_counts.tolist()
        ends = np.cumsum(self.pairs()).tolist()
        return [
            values[end - d * g : end].reshape(d, g) if d and g else []
            for d, g, end in zip(found, truth, ends, strict=True)
        ]

    def part(self, begin: int, end: int) -> Cells:
        """Cells from begin to end."""
        truth, found = self.truth_offsets[begin : end + 1], self.found_offsets[begin : end + 1]
        return Cells(
            self.truth[truth[0] : truth[-1]], truth - truth[0], self.found[found[0] : found[-1]], found - found[0]
        )

    def parts(self, pairs: int) -> Iterator[tuple[int, int]]:
        """Runs of cells, begin and end of each, of up to so many pairs. A cell is never divided."""
        total = np.cumsum(self.pairs())
        begin = done = 0
        while begin < len(self):
            end = max(begin + 1, int(np.searchsorted(total, done + pairs, side="right")))
            yield begin, end
            begin, done = end, int(total[end - 1])

    def without_empty(self) -> Cells:
        """The cells that have pairs."""
        full = self.pairs() > 0
        if full.all():
            return self
        truth, found = self.truth_counts, self.found_counts
        return Cells(
            list(compress(self.truth, np.repeat(full, truth).tolist())),
            offsets_of(truth[full]),
            list(compress(self.found, np.repeat(full, found).tolist())),
            offsets_of(found[full]),
        )


def gather_cells(truth: Sequence[list[Annotation]], found: Sequence[list[Annotation]], limit: int) -> Cells:
    """Makes cells of each one's annotations and detections, of which those with the `limit` highest scores are kept."""
    truth_counts, counts = (np.fromiter(map(len, lists), np.int64, len(lists)) for lists in (truth, found))
    detections = list(chain.from_iterable(found))
    scores = np.array([detection["score"] for detection in detections])
    order = np.lexsort((-scores, np.repeat(np.arange(len(counts)), counts)))
    rank = np.arange(len(detections)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = [detections[i] for i in order[rank < limit].tolist()]
    annotations = list(chain.from_iterable(truth))
    return Cells(annotations, offsets_of(truth_counts), kept, offsets_of(np.minimum(counts, limit)))


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
