"""iou_matrix and tube_iou_matrix by broadcasting."""

from __future__ import annotations

import numpy as np


def iou_matrix(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """ptfast.ops.iou_matrix in a's dtype: a (..., N, 4), b (..., M, 4) -> (..., N, M)."""
    a, b = a[..., :, None, :], np.asarray(b, a.dtype)[..., None, :, :]
    corner = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    common = np.maximum(corner, 0).prod(-1)
    total = _area(a) + _area(b) - common
    return np.divide(common, total, out=np.zeros_like(common), where=total != 0)


def _area(boxes: np.ndarray) -> np.ndarray:
    return np.maximum(boxes[..., 2:] - boxes[..., :2], 0).prod(-1)


def tube_iou_matrix(
    a: np.ndarray, b: np.ndarray, a_valid: np.ndarray | None = None, b_valid: np.ndarray | None = None
) -> np.ndarray:
    """ptfast.ops.tube_iou_matrix in a's dtype: a (..., N, T, 4), b (..., M, T, 4) -> (..., N, M)."""
    ious = iou_matrix(np.swapaxes(a, -3, -2), np.swapaxes(b, -3, -2))  # (..., T, N, M)
    if a_valid is not None:
        ious = np.where(np.swapaxes(a_valid, -2, -1)[..., :, :, None], ious, 0)
    if b_valid is not None:
        ious = np.where(np.swapaxes(b_valid, -2, -1)[..., :, None, :], ious, 0)
    frames = np.moveaxis(ious, -3, 0)
    total = np.zeros(frames.shape[1:], a.dtype)
    for frame in frames:  # in this order, so that even the bits are defined
        total += frame
    return total / a.dtype.type(max(1, len(frames)))
