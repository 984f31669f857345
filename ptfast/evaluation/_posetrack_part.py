"""One sequence of PoseTrack's evaluation before its joints are ranked and matched through time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast.evaluation._pairing import SequencePair, check_track_ids
from ptfast.evaluation._posetrack_reach import correct_joints, reached_pairs
from ptfast.evaluation._posetrack_sides import Minimum, Side, filtered, make_side, restricted, tracked_frames
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import head_sizes


@dataclass(frozen=True)
class Part:
    """One sequence, ready for ranking and for matching through time."""

    name: str
    scores: np.ndarray  # (M, 15) of the predicted joints
    predicted: np.ndarray  # (M, 15) bool
    correct: np.ndarray  # (M, 15) bool
    annotated: np.ndarray  # (15,) joints to find
    pairs: tuple[np.ndarray, np.ndarray]  # (P,) rows of objects and of hypotheses with a joint in reach
    distances: np.ndarray  # (P, 15) in head sizes, NaN beyond the threshold
    objects: Side
    hypotheses: Side
    dummies: int


def prepare(pair: SequencePair, minimum: Minimum, official: bool) -> Part:
    """Compares the poses of one sequence, frame by frame."""
    check_track_ids("ground truth", pair.name, pair.truth, needed=True)
    check_track_ids("predictions", pair.name, pair.predictions, needed=False)
    truth, poses = pair.truth.to_skeleton(POSETRACK_15), pair.predictions.to_skeleton(POSETRACK_15)
    counted = np.diff(truth.frame_offsets) > 0 if official else truth.is_labeled
    frames = np.ones(len(truth), bool) if counted is None else counted
    mixed = pair.truth.skeleton != POSETRACK_15, pair.predictions.skeleton != POSETRACK_15
    objects, hypotheses = make_side(truth, truth, frames, mixed[0]), make_side(poses, truth, frames, mixed[1])
    rows, columns, distances = reached_pairs(objects, hypotheses, head_sizes(truth)[objects.rows])
    scores = poses.joint_scores[hypotheses.rows].astype(np.float64)
    correct = correct_joints(~np.isnan(distances), objects.present.sum(1), rows, columns, len(scores))
    tracked = filtered(hypotheses, scores, poses.scores[hypotheses.rows], minimum)
    seen, dummies = tracked_frames(objects, tracked, official)
    return Part(
        name=pair.name,
        scores=scores,
        predicted=hypotheses.present,
        correct=correct,
        annotated=objects.present.sum(0),
        pairs=(rows, columns),
        distances=distances,
        objects=restricted(objects, seen),
        hypotheses=restricted(tracked, seen),
        dummies=dummies,
    )
