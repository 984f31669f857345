"""Heatmap decoding, map by map in float64."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

OPENCV_WEIGHTS = {3: (1, 2, 1), 5: (1, 4, 6, 4, 1), 7: (2, 7, 14, 18, 14, 7, 2)}


def heatmap_peaks(
    heatmaps: np.ndarray, *, refine: str = "none", blur_kernel: int = 11
) -> tuple[np.ndarray, np.ndarray]:
    """ptfast.ops.heatmap_peaks without flipped maps: (..., H, W) -> (..., 2) and (...)."""
    coordinates = np.zeros((*heatmaps.shape[:-2], 2))
    scores = np.full(heatmaps.shape[:-2], np.nan)
    for index in np.ndindex(scores.shape):
        heatmap = np.asarray(heatmaps[index], np.float64)
        if np.isnan(heatmap).all():
            continue
        y, x = np.unravel_index(np.nanargmax(heatmap), heatmap.shape)
        scores[index] = heatmap[y, x]
        coordinates[index] = x, y
        if scores[index] > 0 and refine == "quarter":
            coordinates[index] += _quarter(heatmap, int(x), int(y))
        if scores[index] > 0 and refine == "taylor":
            coordinates[index] += _taylor(heatmap, int(x), int(y), blur_kernel)
    return coordinates, scores


def flip_average(
    heatmaps: np.ndarray, flipped: np.ndarray, flip_pairs: Iterable[tuple[int, int]], shift: bool = True
) -> np.ndarray:
    """ptfast.ops.flip_average: (..., K, H, W) twice -> (..., K, H, W)."""
    turned = flipped[..., ::-1].copy()
    for a, b in flip_pairs:
        turned[..., [a, b], :, :] = turned[..., [b, a], :, :]
    if shift:
        turned[..., 1:] = turned[..., :-1].copy()
    wide = np.promote_types(heatmaps.dtype, np.float32)
    return ((heatmaps.astype(wide) + turned.astype(wide)) * wide.type(0.5)).astype(heatmaps.dtype)


def heatmap_to_image(
    coordinates: np.ndarray, boxes: np.ndarray, *, heatmap_size: tuple[int, int], convention: str = "hrnet"
) -> np.ndarray:
    """ptfast.ops.heatmap_to_image in float64: (..., K, 2), (..., 4) -> (..., K, 2)."""
    corner, end = np.split(np.asarray(boxes, np.float64)[..., None, :], 2, -1)
    cells = np.array(heatmap_size[::-1], np.float64)
    if convention == "roi":
        return corner + (coordinates + 0.5) * (end - corner) / cells
    return (corner + end) / 2 + (coordinates - cells / 2) * (end - corner)[..., :1] / cells[0]


def gaussian(size: int) -> np.ndarray:
    """(size,) weights that OpenCV derives from a size alone."""
    sigma = 0.3 * ((size - 1) * 0.5 - 1) + 0.8
    steps = np.arange(size) - (size - 1) / 2
    weights = np.array(OPENCV_WEIGHTS.get(size, np.exp(-(steps**2) / (2 * sigma**2))), np.float64)
    return weights / weights.sum()


def blur(heatmap: np.ndarray, size: int) -> np.ndarray:
    """Blurs a map (H, W) -> (H, W), with zeros around it."""
    weights, (height, width) = gaussian(size), heatmap.shape
    padded = np.pad(heatmap, size // 2)
    rows = sum(weight * padded[i : i + height] for i, weight in enumerate(weights))
    return sum(weight * rows[:, i : i + width] for i, weight in enumerate(weights))


def _quarter(heatmap: np.ndarray, x: int, y: int) -> np.ndarray:
    height, width = heatmap.shape
    if not (1 < x < width - 1 and 1 < y < height - 1):
        return np.zeros(2)
    difference = [heatmap[y, x + 1] - heatmap[y, x - 1], heatmap[y + 1, x] - heatmap[y - 1, x]]
    return 0.25 * np.nan_to_num(np.sign(difference))


def _taylor(heatmap: np.ndarray, x: int, y: int, size: int) -> np.ndarray:
    height, width = heatmap.shape
    if not (1 < x < width - 2 and 1 < y < height - 2):
        return np.zeros(2)
    blurred = blur(heatmap, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        blurred = blurred * (heatmap[y, x] / np.nanmax(blurred))
    log = np.log(np.maximum(blurred, 1e-10))
    dx, dy = (log[y, x + 1] - log[y, x - 1]) / 2, (log[y + 1, x] - log[y - 1, x]) / 2
    dxx = (log[y, x + 2] - 2 * log[y, x] + log[y, x - 2]) / 4
    dyy = (log[y + 2, x] - 2 * log[y, x] + log[y - 2, x]) / 4
    dxy = (log[y + 1, x + 1] - log[y - 1, x + 1] - log[y + 1, x - 1] + log[y - 1, x - 1]) / 4
    determinant = dxx * dyy - dxy**2
    if determinant == 0 or not math.isfinite(determinant):
        return np.zeros(2)
    return -np.linalg.solve([[dxx, dxy], [dxy, dyy]], [dx, dy])
