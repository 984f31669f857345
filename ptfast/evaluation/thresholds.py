"""Score thresholds of joints, learnt on sequences with ground truth."""

from __future__ import annotations

import numpy as np

from ptfast._check import check_integer
from ptfast.evaluation._notes import check_any_tracked
from ptfast.evaluation._pairing import Source, check_joint_scores, pair_sequences
from ptfast.evaluation.posetrack import evaluate
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses


def learn_joint_thresholds(ground_truth: Source, predictions: Source, *, candidates: int = 20) -> np.ndarray:
    """Finds the score under which each joint is better left out, so that MOTA is highest.

    A joint's MOTA depends on its own threshold alone, so one evaluation serves all joints: the i-th takes the i-th
    candidate of each. Candidates are quantiles of the joint's predicted scores, the lowest of which leaves nothing
    out. Of equally good ones the lowest is taken. MOTA is taken without the official evaluator's dummy people, the one
    thing by which one joint's threshold can change another joint's MOTA (see ptfast.evaluation.posetrack.evaluate).

    Args:
        ground_truth: Training sequences: a file, a folder, a Poses, or Poses by sequence name.
        predictions: The same sequences, tracked, with all joints whatever their scores.
        candidates: Number of thresholds that are tried for each joint.

    Returns:
        (K,) float64, for the joints of the predictions' skeleton, as ptfast.tracking.drop_low_joints takes them. 0 for
        a joint that PoseTrack does not score, that is not annotated or never predicted.

    Raises:
        ValueError: There are no sequences, their skeletons differ, no pose has a track id, or as in evaluate.

    Source:
        Wang et al. 2020, section 4.1.
    """
    check_integer("candidates", candidates, 1)
    pairs = pair_sequences(ground_truth, predictions)
    skeletons = {pair.predictions.skeleton for pair in pairs}
    if len(skeletons) != 1:
        raise ValueError(f"predictions must share one skeleton, got {sorted(each.name for each in skeletons)}")
    check_any_tracked("predictions", ((pair.name, pair.predictions) for pair in pairs))
    for pair in pairs:
        check_joint_scores(pair.name, pair.predictions)
    truth = {pair.name: pair.truth for pair in pairs}
    found = {pair.name: pair.predictions for pair in pairs}
    tried = _quantiles(list(found.values()), candidates)
    mota = [evaluate(truth, found, official=False, mota_min_joint_score=row).mota[:-1] for row in tried]
    best = np.argmax(np.nan_to_num(mota, nan=-np.inf), 0)
    learnt = np.where(np.isnan(mota).all(0), 0.0, tried[best, np.arange(len(best))])
    index = POSETRACK_15.indices_of(skeletons.pop())
    return np.where(index >= 0, learnt[index], 0.0)


def _quantiles(predictions: list[Poses], candidates: int) -> np.ndarray:
    """(C, 15) of each joint's predicted scores, from the lowest up; 0 for a joint without any."""
    known = [poses.to_skeleton(POSETRACK_15) for poses in predictions]
    scores = np.concatenate([poses.joint_scores for poses in known]).astype(np.float64)
    present = np.concatenate([poses.joint_visibility for poses in known]) > 0
    shares = np.arange(candidates) / candidates
    table = np.zeros((candidates, len(POSETRACK_15)))
    for joint, seen in enumerate(present.T):
        if seen.any():
            table[:, joint] = np.quantile(scores[seen, joint], shares, method="lower")
    return table
