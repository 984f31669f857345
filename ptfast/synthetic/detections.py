"""Detections as a mediocre detector gives them: jittered, incomplete, with false alarms and without ids."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ptfast._check import check_number
from ptfast._columns import frame_of_rows
from ptfast.structures import Poses, head_sizes
from ptfast.synthetic._boxes import body_boxes

_SCORE_NOISE = 0.12  # standard deviation of a joint's score about 1 - error / head size
_SCORE_FLOOR = 0.02
_FALSE_SCORES = (0.02, 0.55)
_FALSE_SHIFT = 5.0  # median head sizes, in x and in y
_COLUMNS = ("keypoints", "joint_scores", "joint_visibility", "boxes", "scores", "track_ids")


def detections(
    poses: Poses,
    seed: int = 0,
    *,
    jitter: float = 0.22,
    miss: float = 0.1,
    joint_drop: float = 0.05,
    hidden_drop: float = 0.0,
    false_positives: float = 0.12,
    min_joints: int = 3,
) -> Poses:
    """Turns annotated poses into detections of them.

    Everything is independent from joint to joint and from frame to frame. The defaults are a mediocre detector's.

    Args:
        poses: Annotated poses.
        seed: The same seed gives the same detections.
        jitter: Mean distance of a detected joint from its annotation, in head sizes (`ptfast.structures.head_sizes`).
            Distances are exponentially distributed in random directions, so that a few joints are far off.
        miss: Share of people that are not found.
        joint_drop: Share of joints that a found person lacks.
        hidden_drop: Share of the remaining joints with visibility 1 that it lacks too.
        false_positives: Share of frames with one false alarm: a pose of that frame again, moved by up to five median
            head sizes in x and in y, its joints' scores uniform between 0.02 and 0.55.
        min_joints: People with fewer joints left are not found either.

    Returns:
        Poses without track ids and head boxes, rows shuffled within each frame. A joint's score is one minus its error
        in head sizes, plus Gaussian noise of 0.12, cut to [0.02, 1]. A pose's score is the mean of its joints' scores.
        Its box is the extent of its joints and a margin of 15 % on each side.

    Raises:
        ValueError: A share is not between 0 and 1, or jitter is negative.
    """
    check_number("jitter", jitter, 0)
    shares = {"miss": miss, "joint_drop": joint_drop, "hidden_drop": hidden_drop, "false_positives": false_positives}
    for name, share in shares.items():
        check_number(name, share, 0, 1)
    poses = poses.numpy()
    rng = np.random.default_rng(seed)
    sizes = head_sizes(poses).astype(np.float32)
    moved = _jittered(poses, rng, sizes, jitter, _kept_joints(poses, rng, joint_drop, hidden_drop))
    found = (rng.random(len(sizes)) >= miss) & ((moved.joint_visibility > 0).sum(1) >= min_joints)
    return _shuffled(moved.select(found), _false_alarms(poses, rng, sizes, false_positives), rng)


def _kept_joints(poses: Poses, rng: np.random.Generator, joint_drop: float, hidden_drop: float) -> np.ndarray:
    """(N, K) bool: the joints that a found person has."""
    visibility = poses.joint_visibility
    share = np.where(visibility == 1, 1 - (1 - joint_drop) * (1 - hidden_drop), joint_drop)
    return (visibility > 0) & (rng.random(visibility.shape, np.float32) >= share)


def _jittered(poses: Poses, rng: np.random.Generator, sizes: np.ndarray, jitter: float, kept: np.ndarray) -> Poses:
    """The poses, each joint moved and scored by the distance. sizes (N,) head sizes in pixels, kept (N, K) bool."""
    distance = np.float32(jitter) * rng.standard_exponential(kept.shape, np.float32)
    scores = 1 - distance + np.float32(_SCORE_NOISE) * rng.standard_normal(kept.shape, np.float32)
    angle = np.float32(2 * np.pi) * rng.random(kept.shape, np.float32)
    distance *= sizes[:, None]
    keypoints = poses.keypoints + np.stack([distance * np.cos(angle), distance * np.sin(angle)], -1)
    return _detected(poses, keypoints, np.clip(scores, _SCORE_FLOOR, 1), kept)


def _false_alarms(poses: Poses, rng: np.random.Generator, sizes: np.ndarray, share: float) -> Poses:
    """One pose of a frame, at most, moved aside. sizes (N,) are the head sizes in pixels."""
    counts = np.diff(poses.frame_offsets)
    alarm = (rng.random(len(poses)) < share) & (counts > 0)
    rows = (poses.frame_offsets[:-1] + (rng.random(len(poses)) * counts).astype(np.int64))[alarm]
    mask = np.zeros(len(sizes), bool)
    mask[rows] = True
    copies = poses.select(mask)
    reach = _FALSE_SHIFT * float(np.median(sizes)) if len(sizes) else 0.0
    shift = rng.uniform(-reach, reach, (len(rows), 1, 2)).astype(np.float32)
    scores = rng.uniform(*_FALSE_SCORES, copies.joint_scores.shape).astype(np.float32)
    return _detected(copies, copies.keypoints + shift, scores, copies.joint_visibility > 0)


def _detected(poses: Poses, keypoints: np.ndarray, joint_scores: np.ndarray, present: np.ndarray) -> Poses:
    keypoints = np.where(present[..., None], keypoints, np.float32(0))
    joint_scores = np.where(present, joint_scores, np.float32(0))
    visibility = np.where(present, np.uint8(2), np.uint8(0))
    return replace(
        poses,
        keypoints=keypoints,
        joint_scores=joint_scores,
        joint_visibility=visibility,
        boxes=body_boxes(keypoints, visibility),
        scores=joint_scores.sum(1) / np.maximum(present.sum(1), 1),
        track_ids=np.full(len(keypoints), -1),
        head_boxes=None,
        areas=None,
        features={},
    )


def _shuffled(found: Poses, false: Poses, rng: np.random.Generator) -> Poses:
    """Both sets frame by frame, in random order within a frame."""
    frame = np.concatenate([frame_of_rows(part.frame_offsets) for part in (found, false)])
    order = np.lexsort((rng.random(len(frame)), frame))
    merged: dict[str, Any] = {
        name: np.concatenate([getattr(found, name), getattr(false, name)])[order] for name in _COLUMNS
    }
    return replace(found, frame_offsets=found.frame_offsets + false.frame_offsets, **merged)
