"""Match scores: how likely two poses of different frames are of one person, as a network tells from their joints."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from ptfast._check import check_finite, check_shape
from ptfast.structures import Poses

MAX_SPEED = 2.0  # of a box's longer side a frame; who is faster in training tracks: benchmarks/bench_entailment.py
_EXTRAPOLATED = ("head_bottom", "head_top")  # joints that Poses.to_skeleton makes of others


@runtime_checkable
class MatchScorer(Protocol):
    """Scores pairs of poses, as KeyTrack's transformer does (`ptfast.models.PoseEntailment`).

    One with a `skeleton` is given poses in these joints, one with a `delta` pairs that many frames apart at most.
    """

    def match_scores(self, earlier: Poses, current: Poses, pairs: np.ndarray, frames_apart: np.ndarray) -> np.ndarray:
        """Scores pairs of poses of different frames.

        Args:
            earlier: Poses of any number of frames, NumPy.
            current: Poses of any number of frames, NumPy.
            pairs: (P, 2) int64 rows of `earlier` and of `current`.
            frames_apart: (P,) int64 frames from the earlier pose to the current one, at least 1.

        Returns:
            (P,) float32, 0 to 1: the probability that both are one person. A score depends on the pair and the other
            pairs of the same two frames alone, all of which are given at once.
        """
        ...


def check_scorer(scorer: object, lookback: int) -> None:
    """Raises TypeError for what scores no pairs, ValueError where it knows no pairs so many frames apart."""
    if isinstance(scorer, type) or not isinstance(scorer, MatchScorer):
        raise TypeError(f"scorer must have a method match_scores, got {scorer!r}")
    delta = getattr(scorer, "delta", lookback)
    if lookback > delta:
        raise ValueError(f"lookback must be at most the network's delta, {delta}, got {lookback}")


def scores_of(
    scorer: MatchScorer, earlier: Poses, current: Poses, pairs: np.ndarray, frames_apart: np.ndarray
) -> np.ndarray:
    """(P,) float64 scores of pairs, checked; a scorer is not asked about none.

    Raises:
        ValueError: There are not as many scores as pairs, or one is not within 0 and 1.
    """
    if not len(pairs):
        return np.zeros(0)
    scores = np.asarray(scorer.match_scores(earlier, current, pairs, frames_apart), np.float64)
    check_shape("match_scores", scores, ("P",), P=len(pairs))
    check_finite("match_scores", scores)
    if scores.min() < 0 or scores.max() > 1:
        raise ValueError(f"match_scores must be within 0 and 1, got {scores.min():g} to {scores.max():g}")
    return scores


def within_reach(earlier: np.ndarray, current: np.ndarray, frames_apart: np.ndarray, max_speed: float) -> np.ndarray:
    """(P,) bool, False for pairs that moved by more than `max_speed` times the larger box's longer side a frame.

    Args:
        earlier: (P, 4) xyxy boxes.
        current: (P, 4) xyxy boxes.
        frames_apart: (P,) int64.
        max_speed: Lengths a frame.
    """
    a, b = earlier.astype(np.float64), current.astype(np.float64)
    longer = np.maximum((a[:, 2:] - a[:, :2]).max(1, initial=0), (b[:, 2:] - b[:, :2]).max(1, initial=0))
    step = (b[:, :2] + b[:, 2:] - a[:, :2] - a[:, 2:]) / 2
    near: np.ndarray = np.hypot(step[:, 0], step[:, 1]) <= max_speed * frames_apart * longer
    return near


def in_joints_of(scorer: MatchScorer, poses: Poses) -> Poses:
    """The poses in the joints that a scorer knows.

    Raises:
        ValueError: The poses lack a joint of the scorer's, and it is none of the head that others tell.
    """
    skeleton = getattr(scorer, "skeleton", None)
    if skeleton is None or skeleton == poses.skeleton:
        return poses
    known = poses.skeleton.indices_of(skeleton) >= 0
    missing = [
        name for name, there in zip(skeleton.joints, known, strict=True) if not there and name not in _EXTRAPOLATED
    ]
    if missing:
        raise ValueError(
            f"poses must have the joints of the scorer's skeleton {skeleton.name}, got {poses.skeleton.name} "
            f"without {', '.join(missing)}"
        )
    return poses.to_skeleton(skeleton)
