"""DARK's refinement anywhere on a heatmap, not only on its peak."""

from __future__ import annotations

import numpy as np

FLOOR = 1e-10


def blurred(heatmap: np.ndarray, taps: int) -> np.ndarray:
    """A map (H, W), blurred with zeros around it and scaled to its own maximum."""
    import cv2

    height, width = heatmap.shape
    border = taps // 2
    inner = slice(border, border + height), slice(border, border + width)
    padded = np.zeros((height + 2 * border, width + 2 * border), np.float32)  # np.pad takes longer than the blur
    padded[inner] = heatmap
    smooth = cv2.GaussianBlur(padded, (taps, taps), 0)[inner].astype(heatmap.dtype)
    with np.errstate(invalid="ignore", divide="ignore"):
        smooth *= np.maximum.reduce(heatmap, axis=None) / np.maximum.reduce(smooth, axis=None)
    return smooth


def logarithms(heatmap: np.ndarray) -> np.ndarray:
    """Logarithms of a map's values, which are raised to at least 1e-10."""
    return np.log(np.maximum(heatmap, FLOOR))


def taylor_step(patch: np.ndarray) -> tuple[float, float]:
    """taylor_steps at the middle of a map (5, 5). For one point this takes a third of the time."""
    (_, _, up2, _, _), above, (left2, left, middle, right, right2), below, (_, _, down2, _, _) = patch
    (_, upleft, up, upright, _), (_, downleft, down, downright, _) = above, below
    dx, dy = (right - left) / 2, (down - up) / 2
    dxx, dyy = (right2 - 2 * middle + left2) / 4, (down2 - 2 * middle + up2) / 4
    dxy = (downright - upright - downleft + upleft) / 4
    if dxx * dyy - dxy**2 == 0:
        return 0.0, 0.0
    dx, dy, dxx, dyy, dxy = map(float, (dx, dy, dxx, dyy, dxy))
    determinant = dxx * dyy - dxy**2
    return (dxy * dy - dyy * dx) / determinant, (dxy * dx - dxx * dy) / determinant


def taylor_steps(logarithms: np.ndarray, joint: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(P, 2) float64 -H^-1 g of central differences, at pixels at least 2 from every border; 0 where det H is.

    Args:
        logarithms: (K, H, W).
        joint: (P,) the map.
        x: (P,) column.
        y: (P,) row.

    Source:
        Zhang et al. 2020 (DARK), section 3.1.
    """

    def at(right: int, down: int) -> np.ndarray:
        return logarithms[joint, y + down, x + right]

    middle = 2 * at(0, 0)
    dx, dy = (at(1, 0) - at(-1, 0)) / 2, (at(0, 1) - at(0, -1)) / 2
    dxx, dyy = (at(2, 0) - middle + at(-2, 0)) / 4, (at(0, 2) - middle + at(0, -2)) / 4
    dxy = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / 4
    determinant = dxx * dyy - dxy**2
    dx, dy, dxx, dyy, dxy = (array.astype(np.float64) for array in (dx, dy, dxx, dyy, dxy))
    steps = np.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], -1)
    exact = np.where(determinant == 0, 1, dxx * dyy - dxy**2)
    return np.where(determinant[:, None] == 0, 0, steps / exact[:, None])
