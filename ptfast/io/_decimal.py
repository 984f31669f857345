"""Numbers as they are written: the shortest decimals that give the same float32 back."""

from __future__ import annotations

import numpy as np


def shortest(values: np.ndarray) -> np.ndarray:
    """float64 numbers whose repr is the shortest decimal that gives the float32 `values` back.

    float32 321.37311 is 321.3731079101562 as float64; this gives 321.37311. Rounding to more and more places
    and comparing runs on whole arrays; only very large and very small numbers go through text.
    """
    values = np.asarray(values, np.float32)
    flat = values.ravel()
    result = flat.astype(np.float64)
    size = np.abs(result)
    pending = np.flatnonzero((size >= 1e-4) & (size < 1e7))
    for places in range(13):
        exact = result[pending]
        rounded = np.round(exact, places)
        same = rounded.astype(np.float32) == flat[pending]
        result[pending[same]] = rounded[same]
        pending = pending[~same]
        if not pending.size:
            break
    extreme = np.flatnonzero(((size < 1e-4) & (size > 0)) | ((size >= 1e7) & np.isfinite(size)))
    result[extreme] = flat[extreme].astype("U").astype(np.float64)
    return result.reshape(values.shape)


def corner_and_size(boxes: np.ndarray) -> np.ndarray:
    """(N, 4) float64 x, y, width, height of xyxy boxes, as few digits as bring the float32 boxes back.

    A reader adds width to x in float64, so the width is that of the decimals that are written, not of the float32.
    """
    corners = shortest(boxes)
    low, high = corners[:, :2], corners[:, 2:]
    wanted = np.asarray(boxes, np.float32)[:, 2:]
    size = high - low
    best = size.copy()
    pending = np.ones(size.shape, bool)
    for places in range(10):
        rounded = np.round(size, places)
        same = pending & ((low + rounded).astype(np.float32) == wanted)
        best[same] = rounded[same]
        pending &= ~same
    return np.concatenate([low, best], 1)


def from_corner_and_size(values: np.ndarray) -> np.ndarray:
    """(N, 4) xyxy float64 of x, y, width, height."""
    return np.concatenate([values[:, :2], values[:, :2] + values[:, 2:]], 1)
