"""Precision over recall from COCO's matches."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np


class Curves:
    """One category in one area range: precision over recall at each of T thresholds.

    Args:
        counts: (I,) number of each image's detections, D in all, by descending score.
        scores: (D,) float64.
        matched: (T, D) bool, detections that are matched with an annotation.
        counted: (T, D) bool, detections that are right or wrong at all.
        positives: Annotations that count.
    """

    def __init__(
        self, counts: np.ndarray, scores: np.ndarray, matched: np.ndarray, counted: np.ndarray, positives: int
    ) -> None:
        rank = np.arange(len(scores)) - np.repeat(np.cumsum(counts) - counts, counts)
        self.scores = scores
        self.hits, self.counted = matched & counted, counted
        self.positives = positives
        self.order = np.argsort(-scores, kind="stable")
        self.rank = rank[self.order]

    def sample(self, limit: int, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The curves of the `limit` first detections of each image.

        Precision at a recall is the greatest at that recall or a higher one. It can only be where a hit is, so other
        detections are merely counted.

        Args:
            limit: Detections an image.
            levels: (R,) recalls to sample at. Those from the first unreached one on are left 0.

        Returns:
            Recall (T,), precision (T, R) and score (T, R).
        """
        order = self.order[self.rank < limit]
        times = len(self.hits)
        if len(order) == 0:
            return np.zeros(times), np.zeros((times, len(levels))), np.zeros((times, len(levels)))
        hits = self.hits[:, order]
        total = np.count_nonzero(hits, axis=1)
        t, place = np.nonzero(hits)
        number = np.arange(1, len(t) + 1) - np.repeat(np.cumsum(total) - total, total)  # of the hit, from 1
        detections = np.cumsum(self.counted[:, order], axis=1, dtype=np.int32)[t, place]
        # column n: from the n-th hit on; column 0: from the start, for a recall of 0 is there before any hit
        most = total.max(initial=0) + 1
        curve, first = np.zeros((times, most)), np.zeros((times, most), np.int64)
        curve[t, number], first[t, number] = number / (detections + np.spacing(1)), place
        curve = np.maximum.accumulate(curve[:, ::-1], axis=1)[:, ::-1]
        needed = np.searchsorted(np.arange(self.positives + 1) / self.positives, levels)
        reached = np.logical_and.accumulate(needed <= total[:, None], axis=1)
        at, row = np.where(reached, needed, 0), np.arange(times)[:, None]
        precision = np.where(reached, curve[row, at], 0)
        scores = np.where(reached, self.scores[order[first[row, at]]], 0)
        return total / self.positives, precision, scores


def curves_of(results: Sequence[dict[str, Any]]) -> Curves:
    """The curves of dictionaries that COCOeval.evaluateImg gave for images, at least one."""
    counted = np.logical_not(np.concatenate([result["dtIgnore"] for result in results], axis=1))
    return Curves(
        np.array([len(result["dtScores"]) for result in results]),
        np.array(list(chain.from_iterable(result["dtScores"] for result in results)), np.float64),
        np.concatenate([result["dtMatches"] for result in results], axis=1) != 0,
        counted,
        int(np.count_nonzero(np.concatenate([result["gtIgnore"] for result in results]) == 0)),
    )
