"""A pinhole camera at head height that looks slightly down and may swing to the left and right, and shake."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_FOCAL = 1.1  # in image widths
_HEIGHT = 1.6  # metres
_PITCH = 0.11  # radians downward
_SWING = 8.0  # seconds from one side to the other and back
_SHAKES = (1.3, 2.9, 5.3)  # hertz of a shaking hand


@dataclass(frozen=True)
class Camera:
    """A camera for images of `size` = (width, height) pixels, turned by yaw (F,) and down by pitch (F,) radians."""

    size: tuple[int, int]
    yaw: np.ndarray
    pitch: np.ndarray

    @staticmethod
    def panning(
        size: tuple[int, int], degrees: float, frames: int, fps: float, shake: float = 0.0, seed: int = 0
    ) -> Camera:
        """Swings by `degrees` to either side, once in eight seconds, in a hand that shakes; 0 stands still.

        Args:
            size: Width and height of the image in pixels.
            degrees: Largest turn to either side.
            frames: F.
            fps: Frames a second.
            shake: Degrees of standard deviation, sideways and up and down.
            seed: The same seed gives the same shaking.
        """
        clock = np.arange(frames) / fps
        starts = np.random.default_rng([seed, 1]).uniform(0, 2 * np.pi, (2, len(_SHAKES), 1))
        waves = np.sin(2 * np.pi * np.array(_SHAKES)[:, None] * clock + starts).sum(1)
        tremor = np.radians(shake) * waves * np.sqrt(2 / len(_SHAKES))
        yaw = np.radians(degrees) * np.sin(2 * np.pi * np.arange(frames) / (fps * _SWING))
        return Camera(size, yaw + tremor[0], _PITCH + tremor[1])

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return self.size[0] * _FOCAL

    @property
    def height(self) -> float:
        """Metres above the ground."""
        return _HEIGHT

    def straight(self) -> np.ndarray:
        """(3, 3) map from right, down and ahead of the camera, in metres, to pixels, when it does not pan or shake."""
        return self._intrinsics() @ _turn(np.zeros(1), np.full(1, _PITCH))[0]

    def homographies(self) -> np.ndarray:
        """(F, 3, 3) homographies from the straight camera's image to those of the turned one."""
        return self._intrinsics() @ _turn(self.yaw, self.pitch) @ np.linalg.inv(self.straight())

    def _intrinsics(self) -> np.ndarray:
        width, height = self.size
        return np.array([[self.focal, 0, (width - 1) / 2], [0, self.focal, (height - 1) / 2], [0, 0, 1]])

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
        tilt = self.pitch.reshape(turn.shape)
        cos, sin = np.cos(tilt).astype(points.dtype), np.sin(tilt).astype(points.dtype)
        depth = np.maximum(ahead * cos + down * sin, 0.1)
        y = down * cos - ahead * sin
        scale = width * points.dtype.type(_FOCAL) / depth
        return np.stack([(width - 1) / 2 + scale * x, (height - 1) / 2 + scale * y], -1), scale


def _turn(yaw: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """(F, 3, 3) rotations of right, down and ahead, as `Camera.project` turns them."""
    none, one = np.zeros_like(yaw), np.ones_like(yaw)
    sideways = [[np.cos(yaw), none, -np.sin(yaw)], [none, one, none], [np.sin(yaw), none, np.cos(yaw)]]
    downward = [[one, none, none], [none, np.cos(pitch), -np.sin(pitch)], [none, np.sin(pitch), np.cos(pitch)]]
    return np.moveaxis(np.array(downward), -1, 0) @ np.moveaxis(np.array(sideways), -1, 0)
