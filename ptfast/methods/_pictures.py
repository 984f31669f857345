"""Pictures at the size that a network wants, and the way back."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np


def fitted_size(shape: tuple[int, int], short: int, long: int) -> tuple[int, int]:
    """(height, width) of a picture whose shorter side becomes `short`, or whose longer one `long` if that is less."""
    height, width = shape
    scale = min(short / min(height, width), long / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def fit(pictures: Sequence[np.ndarray], short: int, long: int) -> np.ndarray:
    """Pictures (H, W, 3) uint8 of one size as (T, h, w, 3) uint8 of the fitted size."""
    height, width = fitted_size(pictures[0].shape[:2], short, long)
    if (height, width) == pictures[0].shape[:2]:
        return np.stack(pictures)
    how = cv2.INTER_AREA if height < pictures[0].shape[0] else cv2.INTER_LINEAR
    return np.stack([cv2.resize(picture, (width, height), interpolation=how) for picture in pictures])


def to_original(points: np.ndarray, shape: tuple[int, int], short: int, long: int) -> np.ndarray:
    """Points (..., 2) of a fitted picture as float32 points of the original one of `shape` = (height, width).

    Pixel centres are integers in both, so that the pictures' edges, half a pixel outside, fall together.
    """
    height, width = fitted_size(shape, short, long)
    factor = np.array([shape[1] / width, shape[0] / height], np.float32)
    return ((points + np.float32(0.5)) * factor - np.float32(0.5)).astype(np.float32)
