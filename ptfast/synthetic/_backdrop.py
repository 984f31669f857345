"""A cluttered street behind the people: one wide image that follows the turns of the camera exactly."""

from __future__ import annotations

import cv2
import numpy as np

from ptfast.synthetic._textures import color, noise, pattern
from ptfast.synthetic.camera import Camera

_WALL = 15.0  # metres to the houses
_MAX_WIDE = 6.0  # images that the backdrop may be wide


class Backdrop:
    """A street that is drawn once and then warped: as the camera only turns, it moves by a homography."""

    def __init__(self, rng: np.random.Generator, camera: Camera) -> None:
        width, height = camera.size
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)[None]
        turns = [cv2.perspectiveTransform(corners, np.linalg.inv(turn))[0] for turn in camera.homographies()]
        reach = np.concatenate([corners[0], *turns])
        self.corner = np.floor(reach.min(0)) - 4
        wide, high = (np.ceil(reach.max(0)) + 4 - self.corner).astype(int).tolist()
        if max(wide / width, high / height) > _MAX_WIDE:
            raise ValueError(f"pan must keep the view within {_MAX_WIDE:.0f} images, got one {wide / width:.0f} wide")
        self.image = _street(rng, camera, self.corner, (wide, high))
        self.size = width, height

    def view(self, homography: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 for a camera turned by `homography`."""
        shifted = homography @ np.array([[1, 0, self.corner[0]], [0, 1, self.corner[1]], [0, 0, 1]])
        return cv2.warpPerspective(self.image, shifted, self.size, borderMode=cv2.BORDER_REPLICATE)


def _street(rng: np.random.Generator, camera: Camera, corner: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) uint8 of `size`, width and height, whose upper left pixel is `corner` of the straight camera's."""
    wide, high = size
    x, y = np.meshgrid(np.arange(wide) + corner[0], np.arange(high) + corner[1])
    ray = np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(camera.straight()).T
    metres = camera.height / np.maximum(ray[..., 1], 1e-6)
    z, side = ray[..., 2] * metres, ray[..., 0] * metres
    ground = (z > 0) & (z < _WALL)
    foot = int(np.argmax(ground.any(1))) if ground.any() else high
    image = _houses(rng, size, foot)
    tile = cv2.resize(pattern(rng, 32, 32, 0.3), (128, 128), interpolation=cv2.INTER_NEAREST)
    tile = 0.5 * tile + 0.25 * color(rng, 0.3) + 60 * noise(rng, 128, 128, 4)[..., None]
    scale = 128 / rng.uniform(1.5, 4)
    # The tile is laid to and fro, so that it has no seams.
    at = [np.abs(np.where(ground, plane, 0) * scale % 254 - 127).astype(np.float32) for plane in (side, z)]
    floor = cv2.remap(tile.astype(np.float32), at[0], at[1], cv2.INTER_LINEAR)
    haze = np.clip(np.where(ground, z, 0) / _WALL, 0, 1)[..., None] ** 2
    image = np.where(ground[..., None], floor * (1 - 0.6 * haze) + 0.6 * haze * floor.mean((0, 1)), image)
    light = 0.75 + 0.5 * noise(rng, high, wide, max(wide // 5, 2))[..., None]
    return np.clip(image * light, 0, 255).astype(np.uint8)


def _houses(rng: np.random.Generator, size: tuple[int, int], foot: int) -> np.ndarray:
    """A sky, houses with windows down to the line `foot`, and bushes before them."""
    wide, high = size
    image = np.full((high, wide, 3), color(rng, 0.3) * 0.4 + 150, np.float32)
    unit = max(wide // 12, 8)
    left = -unit
    while left < wide:
        width = int(rng.integers(unit, 3 * unit))
        top = foot - int(rng.integers(unit, 5 * unit))
        cv2.rectangle(image, (left, top), (left + width, foot), color(rng, 0.5).tolist(), cv2.FILLED)
        _windows(rng, image, left, top, width, foot, unit)
        left += width
    for _ in range(int(rng.integers(4, 16))):
        centre = int(rng.integers(wide)), foot - int(rng.integers(-2, unit // 2 + 1))
        radii = int(rng.integers(unit // 4 + 1, unit + 2)), int(rng.integers(unit // 4 + 1, unit + 2))
        leaf = color(rng, 0.9) * [0.5, 0.9, 0.4]
        cv2.ellipse(image, centre, radii, 0, 0, 360, leaf.tolist(), cv2.FILLED, cv2.LINE_AA)
    return image + 30 * (noise(rng, high, wide, 3)[..., None] - 0.5)


def _windows(
    rng: np.random.Generator, image: np.ndarray, left: int, top: int, width: int, foot: int, unit: int
) -> None:
    glass = color(rng, 0.5).tolist()
    step, gap = max(unit // 2, 4), max(unit // 6, 1)
    for y in range(top + gap, foot - step, step):
        for x in range(left + gap, left + width - step, step):
            cv2.rectangle(image, (x, y), (x + step - 2 * gap, y + step - gap), glass, cv2.FILLED)
