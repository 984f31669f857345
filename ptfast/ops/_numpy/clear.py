"""clear_match on NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ptfast import _native


def clear_match_arrays(
    inputs: Sequence[np.ndarray | None], objects: int, sequences: int, channels: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """ptfast.ops.clear.clear_match for contiguous arrays in the order of ClearInputs in csrc/clear/clear.h.

    Returns:
        ClearOutputs there: matched (N, K) int64, switched (N, K) bool, counts (S, K, 7) int64, sums (S, K, 2) float64.
    """
    matched, switched = np.full((objects, channels), -1, np.int64), np.zeros((objects, channels), np.bool_)
    counts, sums = np.zeros((sequences, channels, 7), np.int64), np.zeros((sequences, channels, 2))
    outputs = (matched, switched, counts, sums)
    _native.core.clear_match_cpu(inputs, channels, outputs)
    return outputs
