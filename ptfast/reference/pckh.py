"""pckh_matrix by broadcasting."""

from __future__ import annotations

import numpy as np


def pckh_matrix(
    a: np.ndarray,
    b: np.ndarray,
    *,
    head_sizes: np.ndarray,
    threshold: float = 0.5,
    a_visible: np.ndarray | None = None,
    b_visible: np.ndarray | None = None,
) -> np.ndarray:
    """ptfast.ops.pckh_matrix in a's dtype: a (..., N, K, 2), b (..., M, K, 2) -> (..., N, M)."""
    a, b = a[..., :, None, :, :], np.asarray(b, a.dtype)[..., None, :, :, :]
    squared = ((a - b) ** 2).sum(-1)
    limit = a.dtype.type(threshold) * np.asarray(head_sizes, a.dtype)[..., None, :, None]
    within = np.where(limit < 0, 0, squared <= limit**2).astype(a.dtype)
    within[np.isnan(squared + limit)] = np.nan
    common = np.ones(squared.shape, bool)
    if a_visible is not None:
        common &= np.asarray(a_visible, bool)[..., :, None, :]
    if b_visible is not None:
        common &= np.asarray(b_visible, bool)[..., None, :, :]
    count = common.sum(-1).astype(a.dtype)
    return np.where(common, within, 0).sum(-1) / np.maximum(count, 1)
