"""oks_matrix by broadcasting."""

from __future__ import annotations

import numpy as np


def oks_matrix(
    a: np.ndarray,
    b: np.ndarray,
    *,
    area: np.ndarray | tuple[np.ndarray, np.ndarray],
    sigmas: np.ndarray,
    a_visible: np.ndarray | None = None,
    b_visible: np.ndarray | None = None,
) -> np.ndarray:
    """ptfast.ops.oks_matrix in float64: a (..., N, K, 2), b (..., M, K, 2) -> (..., N, M)."""
    a, b = np.asarray(a, np.float64)[..., :, None, :, :], np.asarray(b, np.float64)[..., None, :, :, :]
    common = np.ones(np.broadcast_shapes(a.shape, b.shape)[:-1], bool)
    if a_visible is not None:
        common &= np.asarray(a_visible, bool)[..., :, None, :]
    if b_visible is not None:
        common &= np.asarray(b_visible, bool)[..., None, :, :]
    if isinstance(area, tuple):
        size = (np.asarray(area[0], np.float64)[..., :, None] + np.asarray(area[1], np.float64)[..., None, :]) / 2
    else:
        size = np.broadcast_to(np.asarray(area, np.float64)[..., None, :], common.shape[:-1])
    with np.errstate(all="ignore"):
        squared = np.where(common, ((a - b) ** 2).sum(-1), 0)
        positive = np.where(size > 0, size, 1)[..., None]
        spread = 2 * (2 * np.asarray(sigmas, np.float64)) ** 2 * positive
        terms = np.where(spread == 0, np.where(squared > 0, 0, squared + 1), np.exp(-squared / spread))
    terms = np.where(common, terms, 0)
    count = common.sum(-1)
    mean = terms.sum(-1) / np.maximum(count, 1)
    same = ((squared == 0) | ~common).all(-1) & (count > 0)
    return np.where(size > 0, mean, same)
