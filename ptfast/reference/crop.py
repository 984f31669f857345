"""crop_tubes and box_to_crop, a box at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def crop_tubes(
    frames: np.ndarray,
    tubes: np.ndarray,
    frame_index: np.ndarray,
    *,
    size: tuple[int, int],
    mean: Sequence[float],
    std: Sequence[float],
    unbiased: bool = False,
) -> np.ndarray:
    """ptfast.ops.crop_tubes in float64: frames (F, H, W, 3), tubes (M, T, 4) -> (M, 3, T, h, w)."""
    m, t = frame_index.shape
    out = np.zeros((m, 3, t, *size))
    for tube, time in np.ndindex(m, t):
        x1, y1, x2, y2 = np.asarray(tubes[tube, time], np.float64)
        if np.isfinite([x1, y1, x2, y2]).all() and x2 > x1 and y2 > y1:
            image = np.asarray(frames[frame_index[tube, time]], np.float64)
            rows = _weights(y1, y2, size[0], image.shape[0], unbiased)
            columns = _weights(x1, x2, size[1], image.shape[1], unbiased)
            out[tube, :, time] = np.einsum("iy,jx,yxc->cij", rows, columns, image, optimize=True)
    scale = np.reshape((mean, std), (2, 1, 3, 1, 1, 1))
    return (out / 255 - scale[0]) / scale[1]


def _weights(low: float, high: float, crop: int, image: int, unbiased: bool) -> np.ndarray:
    """(crop, image) weights of `image` pixels in `crop` output pixels along one axis."""
    intervals = crop - 1 if unbiased else crop
    scale = (high - low) / max(1, intervals)
    source = (low + high) / 2 + (np.arange(crop) - intervals / 2) * scale
    return np.maximum(0, 1 - np.abs(source[:, None] - np.arange(image)))


def box_to_crop(boxes: np.ndarray, *, aspect: float, scale: float = 1.25) -> np.ndarray:
    """ptfast.ops.box_to_crop: (..., 4) -> (..., 4)."""
    out = np.empty(boxes.shape)
    for i in np.ndindex(boxes.shape[:-1]):
        x1, y1, x2, y2 = boxes[i]
        width, height = x2 - x1, y2 - y1
        if width > aspect * height:
            height = width / aspect
        else:
            width = height * aspect
        x, y, width, height = (x1 + x2) / 2, (y1 + y2) / 2, width * scale, height * scale
        out[i] = x - width / 2, y - height / 2, x + width / 2, y + height / 2
    return out
