"""Pairs of detection and annotation that may match, in the order in which COCO's greedy matching comes to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ptfast._columns import frame_of_rows, frame_pairs
from ptfast.dropin._pycocotools.cells import Cells

_PAIRS = 1 << 20  # that are looked through at a time


@dataclass(frozen=True)
class Candidates:
    """Pairs that may match: problem after problem, in each in the order in which the original comes to them.

    A problem is one cell in one area range.

    Attributes:
        value: (P,) similarity.
        row: (P,) detection.
        place: (P,) annotation g in area range a, as a G + g.
        ignored: (P,) bool, annotations to be ignored.
        closes: (P,) bool, pairs that are the last of their detection.
        starts: (Q,) starts of the problems, those with most pairs first.
        counts: (Q,) number of pairs of each.
    """

    value: np.ndarray
    row: np.ndarray
    place: np.ndarray
    ignored: np.ndarray
    closes: np.ndarray
    starts: np.ndarray
    counts: np.ndarray


def likely(cells: Cells, similarities: Sequence[Any], least: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Similarity, detection and annotation of the pairs that reach `least`, by detection, then by annotation.

    A NaN is less than nothing and so matches, and whatever comes after it matches instead, as in the original: the
    detection's pairs are then all kept.
    """
    kept = [(np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))]
    sizes = list(zip(cells.found_counts.tolist(), cells.truth_counts.tolist(), strict=True))
    for begin, end in cells.parts(_PAIRS):
        row, column = frame_pairs(cells.found_offsets[begin : end + 1], cells.truth_offsets[begin : end + 1])
        row += cells.found_offsets[begin]
        value = np.full(len(row), -np.inf)
        at = 0
        for matrix, (height, width) in zip(similarities[begin:end], sizes[begin:end], strict=True):
            if height and width:
                if len(matrix):
                    value[at : at + height * width] = matrix[:height].reshape(height * width)
                at += height * width
        likely = ~(value < least)
        undefined = np.isnan(value)
        if undefined.any():
            likely |= np.isin(row, row[undefined])
        kept.append((value[likely], row[likely], column[likely]))
    value, row, column = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    return value, row, column


def in_order(cells: Cells, ignored: np.ndarray, value: np.ndarray, row: np.ndarray, column: np.ndarray) -> Candidates:
    """The pairs for each area range, where a detection comes to the annotations to be ignored after the others."""
    cell = frame_of_rows(cells.found_offsets)[row]
    orders = [np.argsort(2 * row + flags[column], kind="stable") for flags in ignored]
    order = np.concatenate([np.zeros(0, np.int64), *orders])
    area = np.repeat(np.arange(len(ignored)), len(row))
    value, row, column = value[order], row[order], column[order]
    problem = area * len(cells) + cell[order]
    ends = np.append(np.flatnonzero(problem[1:] != problem[:-1]) + 1, len(problem))
    starts = np.append(0, ends[:-1])
    counts = ends - starts
    longest = np.argsort(-counts, kind="stable")
    closes = np.append((row[1:] != row[:-1]) | (area[1:] != area[:-1]), True)
    place = area * ignored.shape[1] + column
    return Candidates(value, row, place, ignored.ravel()[place], closes, starts[longest], counts[longest])
