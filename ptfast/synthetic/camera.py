"""A pinhole camera at head height that looks slightly down and may swing to the left and right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_FOCAL = 1.1  # in picture widths
_HEIGHT = 1.6  # metres
_PITCH = 0.11  # radians downward
_SWING = 8.0  # seconds from one side to the other and back


@dataclass(frozen=True)
class Camera:
    """A camera for pictures of `size` = (width, height) pixels, turned by yaw (F,) radians in each frame."""

    size: tuple[int, int]
    yaw: np.ndarray

    @staticmethod
    def panning(size: tuple[int, int], degrees: float, frames: int, fps: float) -> Camera:
        """Swings by `degrees` to either side, once in eight seconds; 0 stands still."""
        return Camera(size, np.radians(degrees) * np.sin(2 * np.pi * np.arange(frames) / (fps * _SWING)))

    @property
    def half_view(self) -> float:
        """Half the width of the view at a depth of one metre."""
        return 0.5 / _FOCAL

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (F, ..., 2) and pixels per metre (F, ...), which fall with depth, of points (F, ..., 3).

        Points are x right, y up and z away from the camera, in metres, from the ground below the camera.
        """
        width, height = self.size
        turn = self.yaw.astype(points.dtype).reshape(-1, *[1] * (points.ndim - 2))
        x = points[..., 0] * np.cos(turn) - points[..., 2] * np.sin(turn)
        ahead = points[..., 0] * np.sin(turn) + points[..., 2] * np.cos(turn)
        down = points.dtype.type(_HEIGHT) - points[..., 1]
        cos, sin = points.dtype.type(np.cos(_PITCH)), points.dtype.type(np.sin(_PITCH))
        depth = np.maximum(ahead * cos + down * sin, 0.1)
        y = down * cos - ahead * sin
        scale = width * points.dtype.type(_FOCAL) / depth
        return np.stack([(width - 1) / 2 + scale * x, (height - 1) / 2 + scale * y], -1), scale
