"""Posts and boxes that stand among the people and hide them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ptfast.synthetic._textures import pattern, rounded
from ptfast.synthetic.camera import Camera

_DEPTHS = (3.2, 9.0)


@dataclass(frozen=True)
class Thing:
    """A post or a box: faces (F, 4, 2) from the farthest to the nearest, in pixels; textures; nearness (F,)."""

    faces: list[np.ndarray]
    textures: list[np.ndarray]
    nearness: np.ndarray


def things(rng: np.random.Generator, count: int, camera: Camera) -> list[Thing]:
    """Draws `count` things that stand in the view of a camera that looks straight ahead."""
    return [_thing(rng, camera) for _ in range(count)]


def _thing(rng: np.random.Generator, camera: Camera) -> Thing:
    z = rng.uniform(*_DEPTHS)
    x = rng.uniform(-1, 1) * z * camera.half_view
    post = rng.random() < 0.5
    width, height, deep = (
        (rng.uniform(0.08, 0.3), rng.uniform(1.8, 4), 0.0)
        if post
        else (*rng.uniform(0.4, 1.1, 2), rng.uniform(0.3, 0.8))
    )
    left, right, back = x - width / 2, x + width / 2, z + deep
    front = [(left, height, z), (right, height, z), (right, 0, z), (left, 0, z)]
    lid = [(left, height, back), (right, height, back), (right, height, z), (left, height, z)]
    near = left if x > 0 else right
    flank = [(near, height, back), (near, height, z), (near, 0, z), (near, 0, back)]
    corners = np.array([front] if post else [lid, flank, front], np.float32)
    pixels, scale = camera.project(np.broadcast_to(corners, (len(camera.yaw), *corners.shape)))
    skin = pattern(rng, 48, 16 if post else 48)
    textures = [rounded(skin)] if post else [(skin * light).astype(np.uint8) for light in (1.0, 0.55, 0.8)]
    return Thing([pixels[:, face] for face in range(len(corners))], textures, scale[:, -1, 2])


def quad_map(quad: np.ndarray) -> np.ndarray:
    """(3, 3) map of the unit square to four corners (4, 2)."""
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    return cv2.getPerspectiveTransform(square, np.ascontiguousarray(quad, np.float32))
