"""Points inside ignore regions."""

from __future__ import annotations

import numpy as np

from ptfast.structures import IgnoreRegions


def inside_polygon(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Points strictly inside a polygon, by the even-odd rule. Its edge is outside.

    Args:
        points: (Q, 2) x and y.
        polygon: (V, 2) corners in order, closed by itself. Fewer than three hold nothing.

    Returns:
        (Q,) bool.
    """
    if len(polygon) < 3:
        return np.zeros(len(points), bool)
    x, y = points[:, :1], points[:, 1:]
    (ax, ay), (bx, by) = polygon.T, np.roll(polygon, -1, 0).T
    side = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
    crosses = ((ay > y) != (by > y)) & ((side > 0) == (by > ay))
    along = ((x - ax) * (x - bx) <= 0) & ((y - ay) * (y - by) <= 0)
    on_edge = ((side == 0) & along).any(1)
    return (crosses.sum(1) % 2 == 1) & ~on_edge


def ignored_joints(keypoints: np.ndarray, offsets: np.ndarray, regions: IgnoreRegions | None) -> np.ndarray:
    """Joints inside a region of their frame.

    Args:
        keypoints: (N, K, 2) pixels.
        offsets: (F + 1,) rows of each frame.
        regions: Polygons of each frame, or None.

    Returns:
        (N, K) bool.
    """
    ignored = np.zeros(keypoints.shape[:2], bool)
    for frame, polygons in enumerate(regions or ()):
        rows = slice(offsets[frame], offsets[frame + 1])
        for polygon in polygons:
            inside = inside_polygon(keypoints[rows].reshape(-1, 2), np.asarray(polygon, np.float64))
            ignored[rows] |= inside.reshape(-1, keypoints.shape[1])
    return ignored
