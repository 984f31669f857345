"""sample_flow, a point at a time."""

from __future__ import annotations

import numpy as np


def sample_flow(flow: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ptfast.ops.sample_flow in float64: flow (H, W, 2), points (..., 2) -> values (..., 2), inside (...)."""
    height, width, _ = flow.shape
    values, inside = np.zeros(points.shape), np.zeros(points.shape[:-1], bool)
    for i in np.ndindex(points.shape[:-1]):
        x, y = np.asarray(points[i], np.float64)
        inside[i] = 0 <= x <= width - 1 and 0 <= y <= height - 1
        if inside[i]:
            columns = np.maximum(0, 1 - np.abs(x - np.arange(width)))
            rows = np.maximum(0, 1 - np.abs(y - np.arange(height)))
            values[i] = np.einsum("y,x,yxc->c", rows, columns, np.asarray(flow, np.float64))
    return values, inside
