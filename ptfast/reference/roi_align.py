"""RoIAlign of tubes, sample by sample."""

from __future__ import annotations

import math

import numpy as np


def tube_roi_align(
    features: np.ndarray,
    tubes: np.ndarray,
    batch_index: np.ndarray,
    *,
    output_size: tuple[int, int],
    spatial_scale: float,
    sampling_ratio: int = 2,
    aligned: bool = False,
) -> np.ndarray:
    """ptfast.ops.tube_roi_align, with samples placed in the boxes' precision and summed in float64."""
    m, t = tubes.shape[:2]
    out = np.zeros((m, features.shape[1], t, *output_size))
    for tube, frame in np.ndindex(m, t):
        plane = features[batch_index[tube], :, frame].astype(np.float64)
        box = tubes[tube, frame]
        if np.isfinite(box).all():
            out[tube, :, frame] = roi_align(plane, box, output_size, spatial_scale, sampling_ratio, aligned)
    return out


def roi_align(
    plane: np.ndarray, box: np.ndarray, bins: tuple[int, int], scale: float, sampling_ratio: int, aligned: bool
) -> np.ndarray:
    """(C, rows, columns) means of the samples of a plane (C, H, W) in each bin of a box (4,)."""
    out = np.zeros((len(plane), *bins))
    ys = samples(box[1], box[3], bins[0], scale, sampling_ratio, aligned)
    xs = samples(box[0], box[2], bins[1], scale, sampling_ratio, aligned)
    if ys.size == 0 or xs.size == 0:
        return out
    for p, q in np.ndindex(*bins):
        for y in ys[p]:
            for x in xs[q]:
                out[:, p, q] += bilinear(plane, float(y), float(x))
    return out / (ys.shape[1] * xs.shape[1])


def samples(low: float, high: float, bins: int, scale: float, sampling_ratio: int, aligned: bool) -> np.ndarray:
    """(bins, samples) places along one axis, in feature pixels, rounded step by step as torchvision does."""
    real = np.asarray(low).dtype.type
    offset = real(0.5 if aligned else 0)
    start, end = low * real(scale) - offset, high * real(scale) - offset
    length = end - start if aligned else max(end - start, real(1))
    width = length / real(bins)
    count = sampling_ratio or max(0, math.ceil(width))
    steps = (np.arange(count, dtype=real) + real(0.5)) * width / real(max(count, 1))
    return (start + np.arange(bins, dtype=real) * width)[:, None] + steps


def bilinear(plane: np.ndarray, y: float, x: float) -> np.ndarray:
    """(C,) values of a plane (C, H, W) at a point: 0 more than a pixel outside, clamped to the border within it."""
    height, width = plane.shape[1:]
    if not (-1 <= y <= height and -1 <= x <= width):
        return np.zeros(len(plane))
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    dy, dx = y - top, x - left
    upper = (1 - dx) * plane[:, top, left] + dx * plane[:, top, right]
    lower = (1 - dx) * plane[:, bottom, left] + dx * plane[:, bottom, right]
    return (1 - dy) * upper + dy * lower
