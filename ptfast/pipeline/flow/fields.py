"""Flow fields at the size at which images were seen, looked up and enlarged in the images' own pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from ptfast._check import Array, check_shape, is_tensor
from ptfast.ops import sample_flow

Flow = Callable[[Any, Any], Any]
"""Takes two images (H, W, 3) uint8 RGB of one size; gives (H, W, 2) float32 pixels, x then y, first to second."""


@dataclass(frozen=True)
class FlowField:
    """The flow from one image to another.

    Attributes:
        values: (h, w, 2) float32, x then y, in pixels of the images as they were seen; a NumPy array or torch tensor.
        size: (H, W) of the images themselves.

    Raises:
        ValueError: A shape is wrong.
    """

    values: Array
    size: tuple[int, int]

    def __post_init__(self) -> None:
        check_shape("values", self.values, ("h", "w", 2))

    @property
    def factor(self) -> tuple[float, float]:
        """Pixels of the images in one of the field, along x and y."""
        height, width = self.values.shape[:2]
        return self.size[1] / width, self.size[0] / height

    def full(self) -> Array:
        """(H, W, 2) float32 pixels of the images: the field enlarged, bilinearly, and scaled."""
        height, width = self.size
        if (height, width) == tuple(self.values.shape[:2]):
            return self.values
        if is_tensor(self.values):
            planes = F.interpolate(self.values.permute(2, 0, 1)[None], (height, width), mode="bilinear")
            return planes[0].permute(1, 2, 0) * self.values.new_tensor(self.factor)
        return cv2.resize(self.values, (width, height)) * np.array(self.factor, np.float32)

    def at(self, points: Array) -> tuple[Array, Array]:
        """The flow at points, without enlarging the field: what `ptfast.ops.sample_flow` finds in `full`, to rounding.

        Half a pixel beyond the centres of the outer pixels, up to the image's edge, it is that of the centres.

        Args:
            points: (..., 2) float32 pixels of the first image. The field goes to their device.

        Returns:
            (..., 2) float32 pixels, 0 outside the image, and (...) bool, True where a point is inside: it has
            -0.5 <= x <= W - 0.5 and -0.5 <= y <= H - 0.5.
        """
        values: Any = self.values
        if is_tensor(points):
            values = torch.as_tensor(values).to(points.device)
        elif is_tensor(values):
            values = values.cpu().numpy()
        factor, half = like(points, self.factor), like(points, (0.5, 0.5))
        last = like(points, (values.shape[1] - 1, values.shape[0] - 1))
        seen = ((points + half) / factor - half).clip(like(points, (0, 0)), last)
        flow, _ = sample_flow(values, seen)
        inside = is_inside(points, self.size)
        return flow * like(points, self.factor) * inside[..., None], inside


def is_inside(points: Array, size: tuple[int, int]) -> Array:
    """(...) bool: points (..., 2) on an image of (H, W), whose outer pixels reach half a pixel beyond their centres."""
    x, y = points[..., 0], points[..., 1]
    return (x >= -0.5) & (y >= -0.5) & (x <= size[1] - 0.5) & (y <= size[0] - 0.5)


def like(array: Array, values: tuple[float, ...]) -> Array:
    """Values as an array of the kind, dtype and device of another one."""
    return array.new_tensor(values) if is_tensor(array) else np.array(values, array.dtype)
