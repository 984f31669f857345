"""Descending order of detection scores, with a fixed order of equal ones."""

from __future__ import annotations

import numpy as np

from ptfast._check import check_offsets, check_shape, core_array
from ptfast.ops._numpy.ranking import rank_arrays


def rank_scores(scores: np.ndarray, offsets: np.ndarray | None = None) -> np.ndarray:
    """Descending order of the scores of each group, as average precision needs it.

    Equal scores come in the order that NumPy 1.26's argsort gives on processors with AVX-512, read from its end. The
    official PoseTrack evaluator leaves them to NumPy's unstable argsort, whose order depends on release and processor
    and moves an AP by some thousandths of a percent. This order depends on neither. A run of over 64 scores of which
    most share the lowest value is left to the C++ library's sort, as there.

    Args:
        scores: (D,) numbers, compared in float64.
        offsets: (G + 1,) integers. Group g holds the scores offsets[g] to offsets[g + 1]. Default one group.

    Returns:
        (D,) int64 positions in `scores`: first those of the first group, highest score first.

    Raises:
        ValueError: A shape is wrong, a score is NaN, or offsets do not rise from 0 to D.
    """
    check_shape("scores", scores, ("D",))
    values = core_array(scores, np.float64)
    if np.isnan(values).any():
        raise ValueError(f"scores must be numbers, got nan at {int(np.flatnonzero(np.isnan(values))[0])}")
    ends = [0, len(values)] if offsets is None else offsets
    ends = check_offsets("offsets", ends, len(values), "scores", length="G + 1")
    return rank_arrays(values, ends)
