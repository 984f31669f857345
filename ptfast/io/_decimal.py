"""Numbers as they are written: the shortest decimals that give the same float32 back."""

from __future__ import annotations

import numpy as np
import orjson


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


def row_texts(values: np.ndarray) -> list[str]:
    """For each row of (N, K) its numbers with commas between: the shortest decimals, as Python writes them.

    Args:
        values: float32, or float64, whose decimals are those that give the same float64 back.
    """
    if not len(values):
        return []
    text = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY).decode()
    texts = text[2:-2].split("],[")
    # orjson writes 0.00001 and 1e+13 where Python writes 1e-05 and 10000000000000.0.
    size = np.abs(values)
    unusual = np.flatnonzero((((size > 0) & (size < 1e-4)) | (size >= 1e12)).any(1))
    rows = values[unusual] if values.dtype == np.float64 else shortest(values[unusual])
    for index, row in zip(unusual, rows.tolist(), strict=True):
        texts[index] = ",".join(map(repr, row))
    return texts


def list_texts(values: np.ndarray) -> list[str]:
    """`row_texts` as JSON lists."""
    return [f"[{text}]" for text in row_texts(values)]


def number_texts(values: np.ndarray) -> list[str]:
    """The text of each of (N,) numbers, as `row_texts`."""
    return row_texts(values[:, None])
