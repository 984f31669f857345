"""Peaks of heatmaps with the originals' results for NaN and for every dtype."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ptfast.ops import heatmap_peaks


def peaks(heatmaps: np.ndarray, refine: Literal["none", "quarter"] = "none") -> tuple[np.ndarray, np.ndarray]:
    """The first highest pixel of each map and its value, as argmax and amax find them: a NaN is highest of all.

    Args:
        heatmaps: (..., H, W) of any real dtype.
        refine: Way of refinement of ptfast.ops.heatmap_peaks, which does the work.

    Returns:
        (..., 2) float32 x, y, and (...) values of the maps' dtype.

    Raises:
        ValueError: There is no map or no pixel; NumPy's message.
    """
    flat = heatmaps.reshape(*heatmaps.shape[:-2], -1)
    floats = heatmaps if heatmaps.dtype in (np.float16, np.float32, np.float64) else heatmaps.astype(np.float64)
    coordinates, values = heatmap_peaks(floats, refine=refine)
    coordinates, values = coordinates.astype(np.float32, copy=False), values.astype(heatmaps.dtype, copy=False)
    highest = np.maximum.reduce(flat, axis=None)  # one pass more, a fraction of what the originals take
    if highest != highest:
        with np.errstate(invalid="ignore"):
            broken = np.isnan(np.max(flat, -1))
        first = np.isnan(flat[broken]).argmax(-1)
        coordinates[broken] = np.stack([first % heatmaps.shape[-1], first // heatmaps.shape[-1]], -1)
        values[broken] = np.nan
    return coordinates, values
