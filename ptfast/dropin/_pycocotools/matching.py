"""COCO's greedy matching of detections with annotations, for all images, area ranges and thresholds side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ptfast.dropin._pycocotools.candidates import in_order, likely
from ptfast.dropin._pycocotools.cells import Annotation, Cells, numbers
from ptfast.dropin._pycocotools.choosing import choose, choose_in_turn

_SIDE_BY_SIDE = 16  # problems of the longest's length from which NumPy's calls pay: one image by itself is one problem


@dataclass(frozen=True)
class Matches:
    """Matches of D detections with G annotations, for A area ranges and T thresholds.

    Attributes:
        found: (A, T, D) float64, the id of each detection's annotation, 0 for none.
        found_ignored: (A, T, D) bool, detections whose annotation is to be ignored.
        truth: (A, T, G) float64, the id of each annotation's detection, 0 for none.
    """

    found: np.ndarray
    found_ignored: np.ndarray
    truth: np.ndarray


def match(
    cells: Cells, similarities: Sequence[Any], ignored: np.ndarray, thresholds: Any, *, zero_ids: bool = False
) -> Matches:
    """Matches the detections of each cell with its annotations.

    Detection after detection takes the annotation most like it, of equal ones the last, among those that reach the
    threshold and are free or stand for a crowd. One that is to be ignored is taken only if there is no other.

    Args:
        cells: The annotations (id, iscrowd) and detections (id).
        similarities: A matrix (detections, annotations) for each cell, or an empty one where nothing is alike.
        ignored: (A, G) bool, the annotations to be ignored in each area range.
        thresholds: (T,) least similarity of a match.
        zero_ids: Counts matches of ids that are 0, which are written as -1, as COCOeval explains.

    Raises:
        ValueError: An id of a match is text, and no number.
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
    pairs = in_order(cells, ignored, *likely(cells, similarities, least.min(initial=1)))
    if len(pairs.value) == 0:
        return result
    occupies = ((found_ids > 0) | zero_ids)[pairs.row] & ~crowd[pairs.place % len(crowd)]
    if len(pairs.value) < _SIDE_BY_SIDE * pairs.counts[0]:
        chosen, t = choose_in_turn(pairs, occupies, least)
    else:
        chosen, t = choose(pairs, occupies, least, taken=np.zeros((ignored.size, len(least)), bool))
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
