"""rank_scores on NumPy arrays."""

from __future__ import annotations

import numpy as np

from ptfast import _native


def rank_arrays(scores: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """ptfast.ops.ranking.rank_scores for contiguous scores (D,) float64 and offsets (G + 1,) int64."""
    order = np.empty(len(scores), np.int64)
    _native.core.rank_scores_cpu(scores, offsets, order)
    return order
