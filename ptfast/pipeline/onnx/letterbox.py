"""Images at the size that a network takes, grey beyond their sides, and the way back to their pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ptfast.pipeline.images import fitted_size

GREY = 114  # around an image; YOLOX, RTMDet, RTMO and YOLO are trained with it
MULTIPLE = 32  # of the sides of a network that takes any


@dataclass(frozen=True, eq=False)
class Placement:
    """Where an image stands in the network's input.

    Attributes:
        scale: (2,) float32 input pixels an image pixel, along x and y.
        offset: (2,) float32 x and y of the image's upper left corner in the input.
    """

    scale: np.ndarray
    offset: np.ndarray

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 2) of the input as those of the image, both counted from its upper left corner."""
        return ((points - self.offset) / self.scale).astype(np.float32)

    def boxes_to_image(self, boxes: np.ndarray) -> np.ndarray:
        """Boxes (N, 4) xyxy, likewise."""
        return self.to_image(boxes.reshape(-1, 2, 2)).reshape(-1, 4)


def letterboxed(
    image: np.ndarray, size: tuple[int | None, ...], long_side: int, *, centred: bool
) -> tuple[np.ndarray, Placement]:
    """An image as large as fits into the network's input.

    Args:
        image: (H, W, 3) uint8.
        size: Height and width of the input. If one is free, the image's longer side becomes `long_side`, and height and
            width are the next multiples of 32 where they are free.
        long_side: In pixels.
        centred: Puts the image in the middle, as YOLO does, not into the upper left corner.

    Returns:
        (h, w, 3) uint8, and where the image stands in it.
    """
    height, width = image.shape[:2]
    fitted = fitted_size((height, width), long_side, long_side)
    h, w = (side or -(-wanted // MULTIPLE) * MULTIPLE for side, wanted in zip(size, fitted, strict=True))
    ratio = min(h / height, w / width, *([] if all(size) else [long_side / max(height, width)]))
    rows, columns = max(1, round(height * ratio)), max(1, round(width * ratio))
    top, left = ((h - rows) // 2, (w - columns) // 2) if centred else (0, 0)
    boxed = np.full((h, w, 3), GREY, np.uint8)
    boxed[top : top + rows, left : left + columns] = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_LINEAR)
    scale = np.array([columns / width, rows / height], np.float32)
    return boxed, Placement(scale, np.array([left, top], np.float32))
