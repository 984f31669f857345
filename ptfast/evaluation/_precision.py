"""Average precision of joints."""

from __future__ import annotations

import numpy as np

from ptfast.ops.ranking import rank_scores


def average_precision(
    scores: np.ndarray, correct: np.ndarray, positives: float, *, official: bool
) -> tuple[float, float, float]:
    """Area under the monotone envelope of the precision-recall curve (VOC 2010), and the curve's last point.

    Args:
        scores: (D,) float64 of the detections, in the order of sequences, frames and rows.
        correct: (D,) bool.
        positives: Number of joints to find.
        official: True ranks equal scores as ptfast.ops.ranking.rank_scores does and gives zeros where nothing was
            detected. False sorts stably and gives a NaN where a share is undefined.

    Returns:
        AP, precision and recall in percent.
    """
    nothing = 0.0 if official else np.nan
    if len(scores) == 0:
        return (0.0, nothing, 0.0) if official or positives > 0 else (np.nan, np.nan, np.nan)
    order = rank_scores(scores) if official else np.argsort(-scores, kind="stable")
    found = np.cumsum(correct[order])
    precision = found / np.arange(1, len(found) + 1)
    if positives == 0:
        return np.nan, 100 * float(precision[-1]) if official else np.nan, np.nan
    recall = found / positives
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    area = float((np.diff(recall, prepend=0.0) * envelope).sum())
    return 100 * area, 100 * float(precision[-1]), 100 * float(recall[-1])
