"""Regions of images about people, and crops of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from ptfast._check import check_number
from ptfast.ops import box_to_crop

ROTATED = 0.6  # of the tubes, as in HRNet's code


@dataclass(frozen=True)
class Augmentation:
    """Spread of a tube's region about the person's box. Mirroring is left to the clips.

    Attributes:
        jitter: Standard deviation of each side of the box, which a detector would not have found exactly, as a share
            of the box's width or height.
        scaling: Standard deviation of the region's size about that of the enlarged box, as a share of it.
        rotation: Standard deviation in degrees, of six in ten tubes; the others are upright.
    """

    jitter: float = 0.03
    scaling: float = 0.35
    rotation: float = 45.0

    def __post_init__(self) -> None:
        check_number("jitter", self.jitter, 0, 0.2)
        check_number("scaling", self.scaling, 0, 0.9)
        check_number("rotation", self.rotation, 0, 90)


def regions(
    boxes: np.ndarray, size: tuple[int, int], augmentation: Augmentation, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(N, 4) regions xyxy of the aspect of `size` and (N,) angles in degrees, about boxes (N, 4), by chance.

    Random values are cut at two standard deviations, scaling at one, as in HRNet's code.
    """
    count = len(boxes)
    extents = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    found = boxes + extents * (augmentation.jitter * rng.standard_normal((count, 4)).clip(-2, 2)).astype(np.float32)
    fitted = box_to_crop(found, aspect=size[1] / size[0])
    centre, half = (fitted[:, :2] + fitted[:, 2:]) / 2, (fitted[:, 2:] - fitted[:, :2]) / 2
    half = half * (1 + augmentation.scaling * rng.standard_normal((count, 1)).clip(-1, 1)).astype(np.float32)
    angles = augmentation.rotation * rng.standard_normal(count).clip(-2, 2) * (rng.random(count) < ROTATED)
    return np.concatenate([centre - half, centre + half], 1), angles


def crop_matrix(box: np.ndarray, angle: float, size: tuple[int, int]) -> np.ndarray:
    """(2, 3) float64, from an image's pixels to a crop's: as ops.crop_tubes, and turned about the box's centre.

    Args:
        box: (4,) xyxy of the aspect of `size`.
        angle: Degrees by which the crop's content is turned clockwise.
        size: (height, width) of the crop.
    """
    height, width = size
    scale = width / float(box[2] - box[0])
    cos, sin = scale * math.cos(math.radians(angle)), scale * math.sin(math.radians(angle))
    turn = np.array([[cos, -sin], [sin, cos]])
    centre = (box[:2].astype(np.float64) + box[2:]) / 2
    return np.column_stack([turn, np.array([width / 2, height / 2]) - turn @ centre])


def cut_tube(frames: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(T, h, w, 3) uint8, the same part of frames (T, H, W, 3), black outside; arguments as in crop_matrix."""
    return np.stack([cv2.warpAffine(frame, matrix, size[::-1]) for frame in frames])


def moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(..., 2) float32 images of points under a (2, 3) matrix."""
    return (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
