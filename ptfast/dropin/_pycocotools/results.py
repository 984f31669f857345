"""What an evaluation of many images found: as columns, and as the dictionaries that COCOeval.evaluateImg returns."""

from __future__ import annotations

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
        found_offsets: (C + 1,) where the cells start among detections.
        truth_offsets: (C + 1,) where they start among annotations.
        found_ids: (D,) as the detections have them.
        scores: (D,) likewise.
        score_values: (D,) float64, the same.
        truth_ids: (G,) as the annotations have them.
        found_matches: (A, T, D) float64, id of the annotation that a detection is matched with, 0 for none.
        found_ignored: (A, T, D) bool, whether the detection is neither right nor wrong.
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
        """Each cell in an area range as pycocotools writes it down: ignored annotations come last."""
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


def evaluate_cells(
    keys: list[tuple[Any, Any]], cells: Cells, similarities: Sequence[Any], areas: Sequence[Any], limit: int,
    thresholds: Any, *, zero_ids: bool,
) -> Results:  # fmt: skip
    """Matches detections with annotations, and notes in each annotation whether the last range ignores it (_ignore).

    Args:
        keys: Image and category of each cell.
        cells: Annotations (id, area, iscrowd, ignore) and detections (id, area, score).
        similarities: As for match.
        areas: Least and greatest area of each range.
        limit: Detections that were kept of a cell.
        thresholds: (T,) least similarity of a match.
        zero_ids: As for match.
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
