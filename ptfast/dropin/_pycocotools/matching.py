"""COCO's greedy matching of detections with annotations, for all images, area ranges and thresholds side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ptfast._columns import frame_of_rows, frame_pairs
from ptfast.dropin._pycocotools.cells import Annotation, Cells, numbers

_PAIRS = 1 << 20  # that are looked through at a time
_SIDE_BY_SIDE = 16  # problems of the longest's length from which NumPy's calls pay: one image by itself is one problem


@dataclass(frozen=True)
class Matches:
    """Who is matched with whom, for A area ranges, T thresholds, D detections and G annotations.

    Attributes:
        found: (A, T, D) float64, the id of each detection's annotation, 0 for none.
        found_ignored: (A, T, D) bool, whether that annotation is to be ignored.
        truth: (A, T, G) float64, the id of each annotation's detection, 0 for none.
    """

    found: np.ndarray
    found_ignored: np.ndarray
    truth: np.ndarray


@dataclass(frozen=True)
class _Candidates:
    """Pairs that may match: problem after problem, in each in the order in which the original comes to them.

    A problem is one cell in one area range.

    Attributes:
        value: (P,) similarity.
        row: (P,) detection.
        place: (P,) annotation g in area range a, as a G + g.
        ignored: (P,) whether the annotation is to be ignored.
        closes: (P,) whether the pair is the last of its detection.
        starts: (Q,) where the problems start, those with most pairs first.
        counts: (Q,) how many pairs each has.
    """

    value: np.ndarray
    row: np.ndarray
    place: np.ndarray
    ignored: np.ndarray
    closes: np.ndarray
    starts: np.ndarray
    counts: np.ndarray


def match(
    cells: Cells, similarities: Sequence[Any], ignored: np.ndarray, thresholds: Any, *, zero_ids: bool = False
) -> Matches:
    """Matches the detections of each cell with its annotations.

    Detection after detection takes the annotation most like it, of equal ones the last, among those that reach the
    threshold and are free or stand for a crowd; one to be ignored only if there is no other.

    Args:
        cells: The annotations (id, iscrowd) and detections (id).
        similarities: For each cell a matrix (detections, annotations), or an empty one where nothing is alike.
        ignored: (A, G) bool, the annotations to be ignored in each area range.
        thresholds: (T,) least similarity of a match.
        zero_ids: Whether an id of 0 stands for a match, too; see COCOeval. It is then written as -1.

    Raises:
        ValueError: Of a match one id is text, and no number.
    """
    least = np.minimum(np.asarray(thresholds, np.float64), 1 - 1e-10)
    truth_ids, found_ids = _id_numbers(cells.truth), _id_numbers(cells.found)
    if zero_ids:
        truth_ids[truth_ids == 0] = found_ids[found_ids == 0] = -1
    crowd = np.array([int(annotation["iscrowd"]) != 0 for annotation in cells.truth], bool)
    shape = (len(ignored), len(least))
    result = Matches(
        np.zeros((*shape, len(found_ids))), np.zeros((*shape, len(found_ids)), bool), np.zeros((*shape, len(crowd)))
    )
    pairs = _in_order(cells, ignored, *_likely(cells, similarities, least.min(initial=1)))
    if len(pairs.value) == 0:
        return result
    occupies = ((found_ids > 0) | zero_ids)[pairs.row] & ~crowd[pairs.place % len(crowd)]
    if len(pairs.value) < _SIDE_BY_SIDE * pairs.counts[0]:
        chosen, t = _choose_in_turn(pairs, occupies, least)
    else:
        chosen, t = _choose(pairs, occupies, least, taken=np.zeros((ignored.size, len(least)), bool))
    d = pairs.row[chosen]
    a, g = np.divmod(pairs.place[chosen], len(crowd))
    for side, ids, rows in ((cells.truth, truth_ids, g), (cells.found, found_ids, d)):
        if np.isnan(ids[rows]).any():
            numbers([side[row] for row in rows.tolist()], "id")
    result.found[a, t, d] = truth_ids[g]
    result.found_ignored[a, t, d] = pairs.ignored[chosen]
    result.truth[a, t, g] = found_ids[d]  # a crowd's is the last, for the choices come in order
    return result


def _id_numbers(annotations: list[Annotation]) -> np.ndarray:
    """(N,) float64 ids. What is no number is NaN, for only ids that are written down, those of matches, need be one."""
    try:
        return numbers(annotations, "id")
    except (TypeError, ValueError):
        return np.array([_number(annotation["id"]) for annotation in annotations])


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def _likely(cells: Cells, similarities: Sequence[Any], least: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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


def _in_order(cells: Cells, ignored: np.ndarray, value: np.ndarray, row: np.ndarray, column: np.ndarray) -> _Candidates:
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
    return _Candidates(value, row, place, ignored.ravel()[place], closes, starts[longest], counts[longest])


def _choose(
    pairs: _Candidates, occupies: np.ndarray, least: np.ndarray, taken: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The pairs that match and their thresholds, (M,) each, earlier detections of a problem first.

    The n-th pairs of all problems are looked at together: problems have nothing to do with each other.

    Args:
        pairs: P of them, at least one.
        occupies: (P,) whether the annotation is no longer free when the pair has matched.
        least: (T,) the thresholds.
        taken: (A G, T) all False: work space for the annotations that are not free.
    """
    best = np.tile(least, (len(pairs.starts), 1))
    chosen = np.full(best.shape, -1)
    settled = np.zeros(best.shape, bool)  # on an annotation that is not to be ignored
    matched = []
    steps = np.arange(pairs.counts[0])
    for step, live in zip(steps.tolist(), np.searchsorted(-pairs.counts, -steps).tolist(), strict=True):
        pair = pairs.starts[:live] + step
        value, ignored = pairs.value[pair][:, None], pairs.ignored[pair][:, None]
        better = ~(taken[pairs.place[pair]] | (value < best[:live]) | (settled[:live] & ignored))
        np.copyto(best[:live], value, where=better)
        np.copyto(chosen[:live], pair[:, None], where=better)
        settled[:live] |= better & ~ignored
        closing = np.flatnonzero(pairs.closes[pair])
        choice = chosen[closing]
        which, t = np.nonzero(choice >= 0)
        choice = choice[which, t]
        taken[pairs.place[choice], t] |= occupies[choice]
        matched.append((choice, t))
        best[closing], chosen[closing], settled[closing] = least, -1, False
    choices, thresholds = (np.concatenate(parts) for parts in zip(*matched, strict=True))
    return choices, thresholds


def _choose_in_turn(pairs: _Candidates, occupies: np.ndarray, least: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """_choose pair by pair, for few problems."""
    columns = (pairs.value, pairs.place, pairs.ignored, pairs.closes, occupies)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    matched = []
    for t, threshold in enumerate(least.tolist()):
        taken = set()  # no annotation is in two problems under one place
        best, chosen, settled = threshold, -1, False
        for pair, (value, place, ignored, closes, _) in enumerate(rows):
            if not (value < best or place in taken or (settled and ignored)):
                best, chosen, settled = value, pair, not ignored
            if closes:
                if chosen >= 0:
                    matched.append((chosen, t))
                    if rows[chosen][4]:
                        taken.add(rows[chosen][1])
                best, chosen, settled = threshold, -1, False
    choices, thresholds = np.array(matched, np.int64).reshape(-1, 2).T
    return choices, thresholds
