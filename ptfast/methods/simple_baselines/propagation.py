"""Joint propagation by optical flow: poses of one frame carried to another, and boxes around them (section 3.1)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ptfast.methods.simple_baselines.boxes import Candidates
from ptfast.methods.simple_baselines.config import Config
from ptfast.methods.simple_baselines.queue import Seen, counted
from ptfast.pipeline.flow import PointFlow, carry
from ptfast.structures import Poses, joint_boxes


def carried(flow: PointFlow, first: Seen, second: Seen, poses: Poses, config: Config) -> Poses:
    """The poses where they are in the second frame: J_hat, by F from the first frame to the second.

    A joint whose flow fails its check moves by the median of the person's others. People all of whose joints fail are
    left out, and all are where the second frame seems to be of another scene.

    Args:
        flow: Finds points of one frame in another.
        first: The frame that the poses stand in.
        second: The frame that they are carried to, of the same size.
        poses: N poses, each with a joint that counts.
        config: Settings.
    """
    if not len(poses.scores) or first.prepared is None or second.prepared is None:
        return poses
    moved, passed = carry(poses.keypoints, first.prepared, second.prepared, flow)
    counts = counted(poses, config)
    passed &= counts
    alike = is_alike(first.image, second.image, poses.keypoints, moved, config)
    cut = is_cut(int((passed & alike).sum()), int(counts.sum()), config)
    kept = passed.any(1) & (not cut)
    return replace(poses, keypoints=moved).select(kept)


def is_alike(
    first: np.ndarray, second: np.ndarray, points: np.ndarray, moved: np.ndarray, config: Config
) -> np.ndarray:
    """(...) bool, True where the surroundings of points (..., 2) are those of the points (..., 2) they moved to."""
    differences = np.abs(_surroundings(first, points) - _surroundings(second, moved)).mean((-1, -2, -3))
    return differences <= config.max_difference


def is_cut(followed: int, count: int, config: Config) -> bool:
    """Returns True if two frames seem to be of different scenes.

    Args:
        followed: Number of joints whose flow passed its check and whose surroundings are alike.
        count: Number of joints that were carried, at least one.
        config: Settings.
    """
    return followed < max(1, (1 - config.max_failed) * count)


def flow_boxes(poses: Poses, size: tuple[int, int], config: Config) -> Candidates:
    """B_flow: boxes around the poses of the frame before, carried to the frame, 15 % larger (algorithm 1, line 8).

    There is none of a person whom flow alone has proposed for too long, who has left the image, or of whom joints in a
    line are left.

    Args:
        poses: Poses of Q, carried to the frame.
        size: The image's width and height.
        config: Settings.
    """
    poses = poses.select(poses.features["frames_ago"] == 1)
    extents = joint_boxes(poses.keypoints, counted(poses, config))
    margin = (extents[:, 2:] - extents[:, :2]) * np.float32(config.enlargement / 2)  # on each of two sides
    undetected = poses.features["undetected"] + 1
    inside = (extents[:, 2:] >= 0).all(1) & (extents[:, :2] < np.array(size)).all(1)
    kept = inside & (extents[:, 2:] > extents[:, :2]).all(1)
    return Candidates(
        np.concatenate([extents[:, :2] - margin, extents[:, 2:] + margin], 1),
        poses.features["box_score"] * np.float32(config.propagated_score),
        undetected,
    ).select(kept & (undetected <= config.max_undetected))


def _surroundings(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(..., 3, 3, 3) int16 colours of 3 x 3 pixels, 2 apart, about points (..., 2); the border goes on outside."""
    height, width = image.shape[:2]
    around = np.rint(points)[..., None] + np.array([-2, 0, 2])
    x, y = around[..., 0, None, :].clip(0, width - 1), around[..., 1, :, None].clip(0, height - 1)
    # In a seventh of the time of image[y, x].
    return image.reshape(-1, 3).take((y * width + x).astype(np.int64), 0).astype(np.int16)
