"""Results of an evaluation of many images, as columns and as the dictionaries that COCOeval.evaluateImg returns."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ptfast._columns import frame_of_rows
from ptfast.dropin._pycocotools.cells import Cells, numbers
from ptfast.dropin._pycocotools.curves import Curves
from ptfast.dropin._pycocotools.matching import match


@dataclass(frozen=True)
class Results:
    """Matches of C cells in A area ranges at T thresholds, of D detections with G annotations.

    Attributes:
        keys: Image and category of each cell.
        areas: Least and greatest area of each range.
        limit: Detections that were kept of a cell, for the record.
        found_offsets: (C + 1,) starts of the cells among detections.
        truth_offsets: (C + 1,) their starts among annotations.
        found_ids: (D,) ids of the detections, of any type.
        scores: (D,) their scores, of any type.
        score_values: (D,) float64, the same.
        truth_ids: (G,) ids of the annotations, of any type.
        found_matches: (A, T, D) float64, id of the annotation that a detection is matched with, 0 for none.
        found_ignored: (A, T, D) bool, detections that are neither right nor wrong.
        truth_matches: (A, T, G) float64, id of the detection, 0 for none.
        truth_ignored: (A, G) bool.
    """

    keys: list[tuple[Any, Any]]
    areas: list[Any]
    limit: int
    found_offsets: np.ndarray
    truth_offsets: np.ndarray
    found_ids: list[Any]
    scores: list[Any]
    score_values: np.ndarray
    truth_ids: list[Any]
    found_matches: np.ndarray
    found_ignored: np.ndarray
    truth_matches: np.ndarray
    truth_ignored: np.ndarray

    def dictionaries(self, area: int) -> list[dict[str, Any]]:
        """Each cell in an area range as pycocotools writes it down, ignored annotations last."""
        order = np.lexsort((self.truth_ignored[area], frame_of_rows(self.truth_offsets)))
        truth_ids = [self.truth_ids[i] for i in order.tolist()]
        found_matches, found_ignored = self.found_matches[area], self.found_ignored[area]
        truth_matches = self.truth_matches[area][:, order]
        truth_ignored = self.truth_ignored[area][order].astype(np.int64)
        d, g = self.found_offsets.tolist(), self.truth_offsets.tolist()
        return [
            {
                "image_id": image,
                "category_id": category,
                "aRng": self.areas[area],
                "maxDet": self.limit,
                "dtIds": self.found_ids[d[c] : d[c + 1]],
                "gtIds": truth_ids[g[c] : g[c + 1]],
                "dtMatches": found_matches[:, d[c] : d[c + 1]],
                "gtMatches": truth_matches[:, g[c] : g[c + 1]],
                "dtScores": self.scores[d[c] : d[c + 1]],
                "gtIgnore": truth_ignored[g[c] : g[c + 1]] if g[c] < g[c + 1] else np.array([]),
                "dtIgnore": found_ignored[:, d[c] : d[c + 1]],
            }
            for c, (image, category) in enumerate(self.keys)
        ]

    def curves(self, area: int, begin: int, end: int) -> Curves:
        """Precision over recall of the cells from begin to end, at least one."""
        found = slice(self.found_offsets[begin], self.found_offsets[end])
        truth = slice(self.truth_offsets[begin], self.truth_offsets[end])
        return Curves(
            np.diff(self.found_offsets[begin : end + 1]),
            self.score_values[found],
            self.found_matches[area][:, found] != 0,
            ~self.found_ignored[area][:, found],
            int(np.count_nonzero(~self.truth_ignored[area, truth])),
        )


@dataclass(frozen=True)
class Grid:
    """Results of an evaluation, by category, area range and image.

    Attributes:
        results: C cells.
        places: Positions of category and image of each cell, rising.
        shape: Number of categories, area ranges and images.
    """

    results: Results
    places: list[tuple[int, int]]
    shape: tuple[int, int, int]

    def entries(self) -> list[dict[str, Any] | None]:
        """COCOeval.evalImgs: a dictionary for each category, area range and image, None where there is nothing."""
        categories, areas, images = self.shape
        entries: list[dict[str, Any] | None] = [None] * (categories * areas * images)
        for a in range(areas):
            for (k, i), entry in zip(self.places, self.results.dictionaries(a), strict=True):
                entries[(k * areas + a) * images + i] = entry
        return entries

    def curves(self, category: int, area: int) -> Curves | None:
        """Precision over recall of a category in an area range, of all images; None where there is nothing."""
        begin, end = (bisect_left(self.places, (k, 0)) for k in (category, category + 1))
        return self.results.curves(area, begin, end) if begin < end else None


def evaluate_cells(
    keys: list[tuple[Any, Any]], cells: Cells, similarities: Sequence[Any], areas: Sequence[Any], limit: int,
    thresholds: Any, *, zero_ids: bool,
) -> Results:  # fmt: skip
    """Matches detections with annotations, and notes in each annotation (`_ignore`) if the last range ignores it.

    Args:
        keys: Image and category of each cell.
        cells: Annotations (id, area, iscrowd, ignore) and detections (id, area, score).
        similarities: A matrix for each cell, as `match` takes them.
        areas: Least and greatest area of each range.
        limit: Detections that were kept of a cell.
        thresholds: (T,) least similarity of a match.
        zero_ids: Counts matches of ids that are 0, as in `match`.
    """
    low, high = np.array([(area[0], area[1]) for area in areas], np.float64).reshape(-1, 2, 1).transpose(1, 0, 2)
    size = numbers(cells.truth, "area")
    flagged = np.array([bool(annotation["ignore"]) for annotation in cells.truth], bool)
    ignored = flagged | (size < low) | (size > high)
    if len(ignored):
        for annotation, flag in zip(cells.truth, ignored[-1].tolist(), strict=True):
            annotation["_ignore"] = int(flag)
    matches = match(cells, similarities, ignored, thresholds, zero_ids=zero_ids)
    size = numbers(cells.found, "area")
    outside = (size < low) | (size > high)
    scores = [detection["score"] for detection in cells.found]
    return Results(
        keys,
        list(areas),
        limit,
        cells.found_offsets,
        cells.truth_offsets,
        [detection["id"] for detection in cells.found],
        scores,
        np.array(scores, np.float64),
        [annotation["id"] for annotation in cells.truth],
        matches.found,
        matches.found_ignored | ((matches.found == 0) & outside[:, None]),
        matches.truth,
        ignored,
    )
