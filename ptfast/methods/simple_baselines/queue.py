"""Q, the queue of the last frames' poses, and a frame's record, which holds the queue as the frame sees it.

A record is Poses of one frame with these features:

    frames_ago   (N,) int64: 0 for the frame's own poses; d for a pose of Q from d frames before, where flow has carried
                 it to in this frame.
    row          (N,) int64: place of the pose among those of its frame that are tracked; -1 for one that is not.
    undetected   (N,) int64: frames for which flow alone has proposed the person, 0 in a detected box.
    box_score    (N,) float32: score of the box.

So the last record, and its frame's pixels, are all that the next frame needs. A lost frame is not in Q and has an empty
record.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np

from ptfast.methods.simple_baselines.boxes import Candidates
from ptfast.methods.simple_baselines.config import Config
from ptfast.pipeline.flow import FlowImage
from ptfast.pipeline.people import Found, as_poses, unlooked
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses
from ptfast.tracking.linking import filter_poses


@dataclass(frozen=True, eq=False)
class Seen:
    """A decoded frame, prepared for the flow once.

    Attributes:
        image: (H, W, 3) uint8 RGB, contiguous.
        prepared: What the flow takes; None where there is none.
    """

    image: np.ndarray
    prepared: FlowImage | None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.image.shape[1], self.image.shape[0]


class Past:
    """The frames that Q's poses are carried from, with their records: the last one where flow is chained, else L_Q.

    Args:
        config: Settings.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._frames: deque[tuple[Seen, Poses]] = deque(maxlen=1 if config.chained else config.lookback)

    def append(self, frame: Seen, record: Poses) -> None:
        """Appends P^k to Q (algorithm 1, line 13)."""
        self._frames.append((frame, record))

    def queue(self, frame: Seen) -> list[tuple[Seen, Poses]]:
        """Q's poses where they stand, one frame older, with the frames that they stand in, newest first.

        Nothing is left of Q in a frame of another size.
        """
        if not self._frames or self._frames[-1][0].size != frame.size:
            return []
        if self._config.chained:
            before, record = self._frames[-1]
            ago, lookback = record.features["frames_ago"], self._config.lookback
            return [(before, _older(record.select(is_tracked(record) & (ago < lookback)), 1))]
        same = takewhile(lambda past: past[0].size == frame.size, reversed(self._frames))
        own = [(past, record.select(is_tracked(record) & is_own(record))) for past, record in same]
        return [(past, _older(poses, ago)) for ago, (past, poses) in enumerate(own, 1)]


def is_own(record: Poses) -> np.ndarray:
    """(N,) bool, True for the frame's own poses."""
    return record.features["frames_ago"] == 0


def is_tracked(record: Poses) -> np.ndarray:
    """(N,) bool, True for poses that are in Q after the frame, or stay in it."""
    return record.features["row"] >= 0


def counted(poses: Poses, config: Config) -> np.ndarray:
    """(N, K) bool, True for joints that count in OKS and in propagated boxes."""
    low = -np.inf if config.min_joint_score is None else config.min_joint_score
    return (poses.joint_visibility > 0) & (poses.joint_scores >= low)


def own_poses(found: Found, boxes: Candidates, skeleton: Skeleton, config: Config) -> Poses:
    """P^k without ids: the people of a frame, of whom those that the thresholds leave are tracked.

    Args:
        found: P people.
        boxes: Their boxes, P of them.
        skeleton: Their joints.
        config: Settings.
    """
    poses = poses_of_frame(found, skeleton, boxes.undetected, boxes.scores)
    _, kept = filter_poses(poses, config.min_score, config.min_joint_score)
    poses.features["row"][kept] = np.arange(kept.sum())
    return poses


def without_joints(boxes: np.ndarray, scores: np.ndarray, skeleton: Skeleton) -> Poses:
    """Boxes (B, 4) in which nobody looks for joints, so that they can be told from those that nobody detected."""
    found = unlooked(boxes, scores, len(skeleton))
    return poses_of_frame(found, skeleton, np.zeros(len(boxes), np.int64), scores, visibility=0)


def poses_of_frame(
    found: Found, skeleton: Skeleton, undetected: np.ndarray, box_scores: np.ndarray, visibility: int = 2
) -> Poses:
    """The people of a frame with the features of a record, none of them tracked yet."""
    count = len(found.scores)
    features = {
        "frames_ago": np.zeros(count, np.int64),
        "row": np.full(count, -1, np.int64),
        "undetected": undetected,
        "box_score": box_scores,
    }
    return as_poses(found, skeleton, features, visibility)


def _older(poses: Poses, frames: int) -> Poses:
    """Poses of Q so many frames later; the frame's name, number and size are no longer theirs."""
    features = {**poses.features, "frames_ago": poses.features["frames_ago"] + frames}
    return replace(poses, features=features, frame_names=None, frame_ids=None, frame_size=None)
