"""KeyTrack's matching (Snower et al. 2020, section 3.1) in plain loops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ptfast.structures import Poses

Score = Callable[[Poses, int, int, int], float]
"""Match score of an earlier and a current row of Poses, so many frames apart."""


def link_ids(poses: Poses, score: Score, *, lookback: int, neighbours: int, min_match_score: float) -> np.ndarray:
    """(N,) int64 track ids by greedy matching.

    Args:
        poses: A video's poses, whose frames follow each other.
        score: Scores a pair.
        lookback: Delta.
        neighbours: n.
        min_match_score: Score under which a pair is never made.
    """
    ids, following = np.full(len(poses.scores), -1), 0
    for t in range(len(poses)):
        current = rows_of(poses, t)
        matches = []
        for j in current:
            for d in range(1, min(lookback, t) + 1):
                earlier = sorted(rows_of(poses, t - d), key=lambda i: (squared_distance(poses, i, j), i))
                for i in earlier[:neighbours]:
                    matches.append((-score(poses, i, j, d), d, squared_distance(poses, i, j), j, i))
        for negative, _, _, j, i in sorted(matches):
            if -negative >= min_match_score and ids[j] < 0 and ids[i] not in ids[current]:
                ids[j] = ids[i]
        for j in current:
            if ids[j] < 0:
                ids[j], following = following, following + 1
    return ids


def rows_of(poses: Poses, frame: int) -> list[int]:
    """The rows of a frame."""
    return list(range(poses.frame_offsets[frame], poses.frame_offsets[frame + 1]))


def squared_distance(poses: Poses, i: int, j: int) -> float:
    """Squared distance of the middles of two poses' boxes."""
    boxes = poses.boxes[[i, j]].astype(np.float64)
    step = (boxes[1, :2] + boxes[1, 2:]) / 2 - (boxes[0, :2] + boxes[0, 2:]) / 2
    return float(step[0] * step[0] + step[1] * step[1])
