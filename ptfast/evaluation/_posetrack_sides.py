"""The poses of ground truth and predictions that take part in PoseTrack's evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ptfast._columns import frame_of_rows, offsets_of
from ptfast.evaluation._ignore import ignored_joints
from ptfast.structures import Poses

# Least scores of poses and of joints that MOT sees: one number, or one for each of the 15 joints.
Minimum = tuple[float, float | Sequence[float] | None]


@dataclass(frozen=True)
class Side:
    """The poses of one side in the frames that count. Joints are in official order."""

    keypoints: np.ndarray  # (N, 15, 2) float64
    present: np.ndarray  # (N, 15) bool
    people: np.ndarray  # (N,) bool, poses that count as somebody
    ids: np.ndarray  # (N,)
    offsets: np.ndarray  # (F + 1,)
    rows: np.ndarray  # (N,) rows of the Poses


def make_side(poses: Poses, truth: Poses, frames: np.ndarray, jointless_people: bool) -> Side:
    """Poses in the frames that count (F,), without their joints in ignore regions."""
    keypoints = poses.keypoints.astype(np.float64)
    present = (poses.joint_visibility > 0) & ~ignored_joints(keypoints, poses.frame_offsets, truth.ignore_regions)
    frame = frame_of_rows(poses.frame_offsets)
    regions = np.array([len(polygons) > 0 for polygons in truth.ignore_regions or ((),) * len(poses)], bool)
    people = present.any(1) | (jointless_people & ~regions[frame])
    rows = np.flatnonzero(frames[frame])
    return Side(
        keypoints=keypoints[rows],
        present=present[rows],
        people=people[rows],
        ids=poses.track_ids[rows],
        offsets=offsets_of(np.diff(poses.frame_offsets)[frames]),
        rows=rows,
    )


def filtered(side: Side, joint_scores: np.ndarray, scores: np.ndarray, minimum: Minimum) -> Side:
    """The poses that take part in MOT: tracked, and not under the minimum scores.

    Args:
        side: N poses.
        joint_scores: (N, 15).
        scores: (N,).
        minimum: Least scores.
    """
    kept = (scores >= minimum[0]) & (side.ids >= 0)
    present, people = side.present & kept[:, None], side.people & kept
    if minimum[1] is not None:
        present = present & (joint_scores >= np.asarray(minimum[1], np.float64))
        people = people & present.any(1)
    return Side(side.keypoints, present, people, side.ids, side.offsets, side.rows)


def tracked_frames(objects: Side, hypotheses: Side, official: bool) -> tuple[np.ndarray, int]:
    """(F,) frames that MOT sees, and the number of others that count as a dummy person and a dummy pose."""
    frames = len(objects.offsets) - 1
    if not official:
        return np.ones(frames, bool), 0
    seen = np.arange(frames) < frames - 1
    both = np.ones(frames, bool)
    for side in (objects, hypotheses):
        both &= np.bincount(frame_of_rows(side.offsets)[side.people], minlength=frames) > 0
    return seen & both, int((seen & ~both).sum())


def restricted(side: Side, frames: np.ndarray) -> Side:
    """The same rows, with joints in the given frames (F,) alone."""
    present = side.present & frames[frame_of_rows(side.offsets)][:, None]
    return Side(side.keypoints, present, side.people, side.ids, side.offsets, side.rows)
