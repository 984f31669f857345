"""Joint propagation by optical flow: poses of one frame carried to another, and boxes around them (section 3.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ptfast.io import Frame
from ptfast.methods.simple_baselines.boxes import Candidates
from ptfast.methods.simple_baselines.config import Config
from ptfast.methods.simple_baselines.queue import counted
from ptfast.ops import sample_flow
from ptfast.pipeline.detectors import settings_of
from ptfast.structures import Poses, joint_boxes

Carry = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Takes two (H, W, 3) uint8 RGB frames and (N, K, 2) float32 points of the first; gives where they are in the second,
(N, K, 2) float32, and (N, K) bool, True where that is to be trusted."""


@dataclass(frozen=True)
class DenseCarry:
    """Carries points by a dense flow field, as section 3.1 does.

    Attributes:
        flow: Two (H, W, 3) uint8 RGB frames in, (H, W, 2) float32 pixels out, x then y, from the first to the second.
        max_difference: Grey levels, 0 to 255, by which a point's surroundings may differ in the mean from those where
            it is carried to, else it is not to be trusted: it is hidden there, or the scene is another one, of which a
            smooth flow field says nothing. None trusts every point inside the image.

    Example:
        >>> carry = DenseCarry(my_flow, max_difference=40)
        >>> moved, trusted = carry(first, second, poses.keypoints)
    """

    flow: Callable[[np.ndarray, np.ndarray], np.ndarray]
    max_difference: float | None = None

    def __call__(self, first: np.ndarray, second: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Carries points (N, K, 2) of the first frame to the second."""
        steps, inside = sample_flow(np.asarray(self.flow(first, second), np.float32), points)
        moved = points + steps
        if self.max_difference is None:
            return moved, inside
        differences = np.abs(_surroundings(first, points) - _surroundings(second, moved)).mean((-1, -2))
        return moved, inside & (differences <= self.max_difference)

    def depends_on(self) -> dict[str, object]:
        """Settings that the results depend on, in JSON's types."""
        return {"flow": settings_of(self.flow), "max_difference": self.max_difference}


def _surroundings(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(..., 9, 3) int16 colours of 3 x 3 pixels, 2 apart, about points (..., 2); the image's border goes on outside."""
    around = np.stack(np.meshgrid((-2, 0, 2), (-2, 0, 2)), -1).reshape(9, 2)
    size = np.array(image.shape[1::-1])
    x, y = np.moveaxis((np.rint(points)[..., None, :] + around).clip(0, size - 1).astype(np.int64), -1, 0)
    return image[y, x].astype(np.int16)


def carried(carry: Carry, first: Frame, second: Frame, poses: Poses, config: Config) -> Poses:
    """The poses where they are in the second frame: J_hat, by F from the first frame to the second.

    A joint that is not to be trusted moves by the median of the person's others. People of whom no joint is to be
    trusted are left out, and all are where the second frame is of another scene.

    Args:
        carry: The flow.
        first: The frame that the poses stand in.
        second: The frame that they are carried to, of the same size.
        poses: N poses, each with a joint that counts.
        config: Settings.
    """
    if not len(poses.scores):
        return poses
    moved, trusted = carry(first.image, second.image, poses.keypoints)  # type: ignore[arg-type]
    steps, counts = moved - poses.keypoints, counted(poses, config)
    known = counts & trusted
    if is_cut(steps, known, counts, min(first.size), config):
        return poses.select(np.zeros(len(poses.scores), bool))
    there = known.any(1)
    steps, trusted, known = steps[there], trusted[there], known[there]
    steps = np.where(trusted[..., None], steps, _median(steps, known))
    kept = poses.select(there)
    return replace(kept, keypoints=(kept.keypoints + steps).astype(np.float32))


def is_cut(steps: np.ndarray, known: np.ndarray, counts: np.ndarray, side: int, config: Config) -> bool:
    """Returns True if two frames seem to be of different scenes.

    Args:
        steps: (N, K, 2) displacements of joints.
        known: (N, K) bool, True for joints that count and whose flow is to be trusted.
        counts: (N, K) bool, True for joints that count, at least one.
        side: The image's shorter side in pixels.
        config: Settings.
    """
    if not known.any() or known.sum() < (1 - config.max_failed) * counts.sum():
        return True
    return bool(np.abs(steps[known]).mean() > config.max_motion * side)


def flow_boxes(poses: Poses, size: tuple[int, int], config: Config) -> Candidates:
    """B_flow: boxes around poses that were carried from the frame before, 15 % larger (algorithm 1, line 8).

    There is none of a person whom flow alone has proposed for too long, who has left the image, or of whom joints in a
    line are left.

    Args:
        poses: N poses in the frame.
        size: The image's width and height.
        config: Settings.
    """
    extents = joint_boxes(poses.keypoints, counted(poses, config))
    margin = (extents[:, 2:] - extents[:, :2]) * np.float32(config.enlargement / 2)  # on each of two sides
    undetected = poses.features["undetected"] + 1
    inside = (extents[:, 2:] >= 0).all(1) & (extents[:, :2] < np.array(size)).all(1)
    kept = inside & (margin > 0).all(1) if config.enlargement else inside
    return Candidates(
        np.concatenate([extents[:, :2] - margin, extents[:, 2:] + margin], 1),
        poses.features["box_score"] * np.float32(config.propagated_score),
        undetected,
    ).select(kept & (undetected <= config.max_undetected))


def _median(steps: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(N, 1, 2) median displacement of each person's known joints, of which there is at least one."""
    return np.nanmedian(np.where(known[..., None], steps, np.nan), axis=1, keepdims=True)
