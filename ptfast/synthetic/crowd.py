"""Very long videos of a constant number of people, cheaply: a table of gait poses, scaled and moved."""

from __future__ import annotations

import numpy as np

from ptfast._check import check_number
from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.structures import Poses
from ptfast.synthetic._boxes import body_boxes
from ptfast.synthetic.body import Bodies, joint_indices, walking_joints
from ptfast.synthetic.motion import STRIDE

_PHASES = 64
_HEIGHT = 0.55  # of a body whose feet are at the image's lower edge, in image heights
_SPAN = 0.7  # of the image's width, that people walk to and fro
_CHUNK = 4096  # frames at a time, so that what is needed beside the result stays small


def crowd(
    seed: int = 0,
    *,
    frames: int = 10_000,
    people: int = 10,
    size: tuple[int, int] = (640, 360),
    skeleton: Skeleton = POSETRACK_15,
) -> Poses:
    """Makes a video of people who walk to and fro for ever, millions of poses a second.

    Everybody is seen from the side, in every frame and with all joints. Nobody hides anybody. Use `scene` for
    realistic motion.

    Args:
        seed: The same seed gives the same video.
        frames: F, number of frames.
        people: P, in every frame in the same order, with ids 0 to P - 1.
        size: Width and height of the image in pixels.
        skeleton: A joint set of human bodies.

    Returns:
        F x P poses with boxes and track_ids.

    Raises:
        ValueError: A number is negative or zero where it must not be, or the skeleton is not a human body's.
    """
    check_number("frames", frames, 0)
    check_number("people", people, 1)
    check_number("size", min(size), 1)
    rng = np.random.default_rng(seed)
    table, boxes = _gait_table(rng, joint_indices(skeleton))
    walkers = _Walkers(rng, people, size)
    keypoints = np.empty((frames, people, len(skeleton), 2), np.float32)
    extents = np.empty((frames, people, 4), np.float32)
    for first in range(0, frames, _CHUNK):
        part = slice(first, min(first + _CHUNK, frames))
        entry, height, foot = walkers.at(np.arange(part.start, part.stop))
        np.take(table, entry, axis=0, out=keypoints[part])
        keypoints[part] *= height[..., None, None]
        keypoints[part] += foot[..., None, :]
        np.multiply(boxes[entry], height[..., None], out=extents[part])
        extents[part] += np.tile(foot, 2)
    n = frames * people
    return Poses(
        keypoints=keypoints.reshape(n, len(skeleton), 2),
        frame_offsets=np.arange(frames + 1) * people,
        skeleton=skeleton,
        boxes=extents.reshape(n, 4),
        track_ids=np.tile(np.arange(people), frames),
        sequence=f"crowd_{seed:06d}",
    )


def _gait_table(rng: np.random.Generator, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joints (2 x 64, K, 2) and boxes (2 x 64, 4) of a body one high with its feet at 0, going right, then left."""
    body = Bodies.draw(rng, 1).take(np.zeros(_PHASES, np.int64))
    phase = np.arange(_PHASES) * (2 * np.pi / _PHASES)
    still = np.zeros(_PHASES)
    joints = walking_joints(body, phase, still + 1, still, still)[:, index] / body.height[:, None, None]
    rightward = np.stack([joints[..., 0] + 0.1 * joints[..., 1], -joints[..., 2]], -1)
    table = np.concatenate([rightward, rightward * [-1, 1]]).astype(np.float32)
    return table, body_boxes(table, np.ones(table.shape[:2], np.uint8))


class _Walkers:
    """Ways to and fro between the image's sides, each at its own height in the image, slowly changing."""

    def __init__(self, rng: np.random.Generator, people: int, size: tuple[int, int]) -> None:
        self.width, self.height = size
        self.speed = rng.uniform(0.01, 0.03, people)  # own heights a frame
        self.start = rng.uniform(0, 2, people)  # ways from side to side
        self.level = rng.uniform(0.55, 0.92, people)
        self.sway = rng.uniform(0, 2 * np.pi, (2, people))

    def at(self, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row of the gait table (F, P), body height in pixels (F, P), and foot (F, P, 2), of frames (F,)."""
        time = frame[:, None].astype(np.float64)
        level = self.level + 0.04 * np.sin(time / 150 + self.sway[0])
        mean = _HEIGHT * self.height * self.level
        gone = self.start + self.speed * mean * time / (_SPAN * self.width)
        turned = gone % 2
        x = self.width * (0.5 - _SPAN / 2 + _SPAN * np.minimum(turned, 2 - turned))
        phase = np.floor(time * self.speed / STRIDE * _PHASES + self.sway[1] * 10).astype(np.int64) % _PHASES
        foot = np.stack([x, level * self.height], -1).astype(np.float32)
        return phase + _PHASES * (turned > 1), (_HEIGHT * self.height * level).astype(np.float32), foot
