"""A scene before an image is taken of it: everybody's joints in pixels, their depth order and sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast.synthetic.body import JOINTS, walking_joints
from ptfast.synthetic.camera import Camera
from ptfast.synthetic.motion import Walks, walks


@dataclass(frozen=True)
class Stage:
    """F frames of P slots, J = len(ptfast.synthetic.body.JOINTS).

    Attributes:
        joints: (F, P, J, 2) float32 pixels, also of joints outside the image.
        nearness: (F, P) float32 pixels per metre, of which those in front have more.
        heights: (F, P) float32 pixels, body heights when upright.
        visitor: (F, P) int64, a number for each person.
        present: (F, P) bool, False where a slot is empty.
        size: Width and height of the image.
        depth_scale: (F, P, J) float32 pixels per metre at each joint.
        camera: The camera that everybody stands before.
    """

    joints: np.ndarray
    nearness: np.ndarray
    heights: np.ndarray
    visitor: np.ndarray
    present: np.ndarray
    size: tuple[int, int]
    depth_scale: np.ndarray
    camera: Camera


def stage(
    seed: int, frames: int, people: int, size: tuple[int, int], fps: float, pan: float, shake: float = 0.0
) -> Stage:
    """Draws and moves the people of a scene. `ptfast.synthetic.scene` explains the arguments."""
    camera = Camera.panning(size, pan, frames, fps, shake, seed)
    walk = walks(np.random.default_rng(seed), frames, people, camera.half_view, fps)
    joints, scale = camera.project(_world(walk))
    nearness = scale[..., [JOINTS.index("left_hip"), JOINTS.index("right_hip")]].mean(-1)
    return Stage(
        joints=joints,
        nearness=nearness,
        heights=(nearness * walk.bodies.height).astype(np.float32),
        visitor=walk.visitor,
        present=walk.present,
        size=size,
        depth_scale=scale,
        camera=camera,
    )


def _world(walk: Walks) -> np.ndarray:
    """(F, P, J, 3) float32: x right, y up, z away from the camera."""
    own = walking_joints(walk.bodies, walk.phase, walk.effort, walk.wave, np.broadcast_to(walk.clock, walk.phase.shape))
    sin, cos = np.sin(walk.heading)[..., None].astype(np.float32), np.cos(walk.heading)[..., None].astype(np.float32)
    place = walk.position[..., None, :].astype(np.float32)
    forward, left, up = np.moveaxis(own, -1, 0)
    return np.stack([place[..., 0] + forward * sin - left * cos, up, place[..., 1] + forward * cos + left * sin], -1)
