"""Images as flow estimators take them, made once a frame though each frame is part of two pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np

from ptfast._check import Array, check_dtype, check_integer, check_shape
from ptfast.pipeline.images import fitted_size

LEAST_SIDE = 12  # pixels of an image's sides; OpenCV's DIS takes no smaller ones
LEAST_SHORT_SIDE = 32


@dataclass(frozen=True)
class FlowImage:
    """An image of a video, prepared for a flow estimator.

    Attributes:
        seen: What the estimator sees: an array or tensor of its own kind.
        size: (H, W) of the image itself.
    """

    seen: Any
    size: tuple[int, int]


class PointFlow(Protocol):
    """Where points of one image are in another one: `DenseFlow` or `SparseFlow`.

    `prepare` is called once for each frame, and `move` for two prepared frames.
    """

    def prepare(self, image: np.ndarray) -> FlowImage:
        """An image (H, W, 3) uint8 red, green, blue, prepared for `move`."""
        ...

    def move(self, points: np.ndarray, first: FlowImage, second: FlowImage) -> tuple[np.ndarray, np.ndarray]:
        """Where points (N, 2) of the first image are in the second: (N, 2) float32, and (N,) bool of those found."""
        ...


def check_image(name: str, image: Array) -> tuple[int, int]:
    """(H, W) of an image.

    Raises:
        ValueError: It is not (H, W, 3), or smaller than 12 pixels.
        TypeError: It is not uint8.
    """
    check_shape(name, image, ("H", "W", 3))
    check_dtype(name, image, ("uint8",))
    height, width = image.shape[:2]
    if min(height, width) < LEAST_SIDE:
        raise ValueError(f"{name} must have sides of at least {LEAST_SIDE} pixels, got {height} and {width}")
    return height, width


def check_same_size(first: FlowImage, second: FlowImage) -> None:
    """Raises ValueError unless two images have one size."""
    if first.size != second.size:
        raise ValueError(f"second must have the size of first, (H, W) = {first.size}, got {second.size}")


def check_short_side(short_side: int | None) -> None:
    """Raises unless images can be seen with this shorter side, or None for their own."""
    if short_side is not None:
        check_integer("short_side", short_side, LEAST_SHORT_SIDE)


def seen_size(size: tuple[int, int], short_side: int | None) -> tuple[int, int]:
    """(h, w) at which an image of (H, W) is seen: never larger than it is."""
    if short_side is None or min(size) <= short_side:
        return size
    return fitted_size(size, short_side, max(size))


def grey_image(name: str, image: np.ndarray, short_side: int | None) -> FlowImage:
    """An image in grey, its shorter side at most so many pixels."""
    size = check_image(name, image)
    height, width = seen_size(size, short_side)
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    if (height, width) != size:
        grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    return FlowImage(grey, size)
