"""One sequence of PoseTrack's evaluation before its joints are ranked and matched through time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast.evaluation._notes import check_common_joint
from ptfast.evaluation._pairing import SequencePair, check_joint_scores, check_track_ids
from ptfast.evaluation._posetrack_reach import correct_joints, reached_pairs
from ptfast.evaluation._posetrack_sides import Minimum, Side, filtered, make_side, restricted, tracked_frames
from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.structures import Poses, head_sizes


@dataclass(frozen=True)
class Part:
    """One sequence, ready for ranking and for matching through time."""

    name: str
    scores: np.ndarray  # (M, 15) that the predicted joints are ranked by
    predicted: np.ndarray  # (M, 15) bool
    correct: np.ndarray  # (M, 15) bool
    annotated: np.ndarray  # (15,) joints to find
    pairs: tuple[np.ndarray, np.ndarray]  # (P,) rows of objects and of hypotheses with a joint in reach
    distances: np.ndarray  # (P, 15) in head sizes, NaN beyond the threshold
    objects: Side
    hypotheses: Side
    dummies: int
    tracked: bool  # False for poses of which none has a track id
    extrapolated: int  # poses with head joints that their skeleton lacks


HEAD = [POSETRACK_15.index(joint) for joint in ("head_bottom", "head_top")]
MISSING_SCORE = -9999.0  # which the official evaluator ranks a joint without a score by


def prepare(pair: SequencePair, minimum: Minimum, official: bool) -> Part:
    """Compares the poses of one sequence, frame by frame."""
    check_track_ids("ground truth", pair.name, pair.truth, needed=True, distinct=not official)
    check_track_ids("predictions", pair.name, pair.predictions, needed=False)
    check_joint_scores(pair.name, pair.predictions)
    check_common_joint(pair.name, pair.truth, pair.predictions, POSETRACK_15)
    truth = pair.truth.to_skeleton(POSETRACK_15, extrapolate_head=False)
    poses = pair.predictions.to_skeleton(POSETRACK_15, extrapolate_head=has_head(pair.truth.skeleton))
    counted = np.diff(truth.frame_offsets) > 0 if official else truth.is_labeled
    frames = np.ones(len(truth), bool) if counted is None else counted
    mixed = pair.truth.skeleton != POSETRACK_15, pair.predictions.skeleton != POSETRACK_15
    objects, hypotheses = make_side(truth, truth, frames, mixed[0]), make_side(poses, truth, frames, mixed[1])
    rows, columns, distances = reached_pairs(objects, hypotheses, head_sizes(truth)[objects.rows])
    scores = poses.joint_scores[hypotheses.rows].astype(np.float64)
    ranks = np.where(_scored(poses)[hypotheses.rows], scores, MISSING_SCORE)
    correct = correct_joints(~np.isnan(distances), objects.present.sum(1), rows, columns, len(scores))
    tracked = filtered(hypotheses, scores, poses.scores[hypotheses.rows], minimum)
    seen, dummies = tracked_frames(objects, tracked, official)
    return Part(
        name=pair.name,
        scores=ranks,
        predicted=hypotheses.present,
        correct=correct,
        annotated=objects.present.sum(0),
        pairs=(rows, columns),
        distances=distances,
        objects=restricted(objects, seen),
        hypotheses=restricted(tracked, seen),
        dummies=dummies,
        tracked=bool((poses.track_ids >= 0).any()) or not len(poses.track_ids),
        extrapolated=0 if has_head(pair.predictions.skeleton) else int(hypotheses.present[:, HEAD].all(1).sum()),
    )


def has_head(skeleton: Skeleton) -> bool:
    """Tells a skeleton with both head joints: predictions are not scored for joints that nobody annotates."""
    return min(map(skeleton.index, ("head_bottom", "head_top"))) >= 0


def _scored(poses: Poses) -> np.ndarray:
    """(M, 15) bool, predicted joints to which their file gave a score; features["joint_scored"] tells, else all."""
    return np.asarray(poses.features.get("joint_scored", np.ones_like(poses.joint_scores)), bool)
