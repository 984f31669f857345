"""Images at the size that a network takes, and the way back to the original's pixels."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

LONGEST_SIDE = 8192  # of images that a network may see; at much more an image would not fit in memory


def fitted_size(shape: tuple[int, int], short: int, long: int) -> tuple[int, int]:
    """(height, width) of an image whose shorter side becomes `short`, or whose longer one `long` if that is less."""
    height, width = shape
    scale = min(short / min(height, width), long / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def fit(images: Sequence[np.ndarray], short: int, long: int) -> np.ndarray:
    """Images (H, W, 3) uint8 of one size as (T, h, w, 3) uint8 of the fitted size."""
    height, width = fitted_size(images[0].shape[:2], short, long)
    if (height, width) == images[0].shape[:2]:
        return np.stack(images)
    interpolation = cv2.INTER_AREA if height < images[0].shape[0] else cv2.INTER_LINEAR
    return np.stack([cv2.resize(image, (width, height), interpolation=interpolation) for image in images])


def padded(images: Sequence[np.ndarray], long_side: int, multiple: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Images at the size that the network sees, black beyond their right and lower sides.

    Args:
        images: T images (H, W, 3) uint8 of one size.
        long_side: Their longer side is to have so many pixels.
        multiple: Height and width are made multiples of it.

    Returns:
        (T, h, w, 3) uint8, and (2,) float32 pixels of an image in one of these, along x and y. Both are counted from
        the image's upper left corner, as MoveNet and NanoDet were trained.
    """
    height, width = images[0].shape[:2]
    rows, columns = fitted_size((height, width), long_side, long_side)
    inputs = np.zeros((len(images), *(-(-side // multiple) * multiple for side in (rows, columns)), 3), np.uint8)
    interpolation = cv2.INTER_AREA if rows < height else cv2.INTER_LINEAR
    for place, image in zip(inputs, images, strict=True):
        place[:rows, :columns] = cv2.resize(image, (columns, rows), interpolation=interpolation)
    return inputs, np.array([width / columns, height / rows], np.float32)


def to_original(points: np.ndarray, shape: tuple[int, int], short: int, long: int) -> np.ndarray:
    """Points (..., 2) of a fitted image as float32 points of the original one of `shape` = (height, width).

    Pixel centres are integers in both, so that the images' edges, half a pixel outside, fall together.
    """
    height, width = fitted_size(shape, short, long)
    factor = np.array([shape[1] / width, shape[0] / height], np.float32)
    return ((points + np.float32(0.5)) * factor - np.float32(0.5)).astype(np.float32)
