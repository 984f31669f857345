"""Pairs of people and poses with joints in reach of each other, and the joints that are right."""

from __future__ import annotations

import numpy as np

from ptfast._columns import frame_pairs
from ptfast.evaluation._posetrack_sides import Side
from ptfast.skeletons import POSETRACK_15

THRESHOLD = 0.5  # of the head size
PAIRS = 1 << 18  # of poses that are compared at a time


def reached_pairs(objects: Side, hypotheses: Side, heads: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of rows (P,) with a joint in reach, and distances (P, 15) in head sizes (N,), NaN out of reach.

    In a crowd most pairs are far apart, so whole bodies are compared first, and some frames at a time.
    """
    margin = 1.001 * THRESHOLD * heads + 1e-6  # a little more than what is in reach, as the boxes' sides are rounded
    boxes = _reach(objects, margin), _reach(hypotheses, np.zeros(len(hypotheses.ids)))
    sizes = np.cumsum(np.diff(objects.offsets) * np.diff(hypotheses.offsets))
    parts = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, len(POSETRACK_15))))]
    first = 0
    while first < len(sizes):
        done = sizes[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(sizes, done + PAIRS, "right")))
        rows, columns = frame_pairs(objects.offsets[first : last + 1], hypotheses.offsets[first : last + 1])
        rows += objects.offsets[first]
        low = np.maximum(boxes[0][rows, :2], boxes[1][columns, :2])
        near = (low <= np.minimum(boxes[0][rows, 2:], boxes[1][columns, 2:])).all(1)
        rows, columns = rows[near], columns[near]
        distances = _distances(objects, hypotheses, rows, columns, heads)
        reached = ~np.isnan(distances).all(1)
        parts.append((rows[reached], columns[reached], distances[reached]))
        first = last
    rows, columns, distances = (np.concatenate(column) for column in zip(*parts, strict=True))
    return rows, columns, distances


def _reach(side: Side, margin: np.ndarray) -> np.ndarray:
    """(N, 4) xyxy: the extents of the joints that are there and a margin (N,), empty for a pose without joints."""
    there = side.present[..., None]
    with np.errstate(invalid="ignore"):  # nobody's joints and an infinite margin
        low = np.where(there, side.keypoints, np.inf).min(1) - margin[:, None]
        high = np.where(there, side.keypoints, -np.inf).max(1) + margin[:, None]
    return np.concatenate([low, high], 1)


def _distances(objects: Side, hypotheses: Side, rows: np.ndarray, columns: np.ndarray, heads: np.ndarray) -> np.ndarray:
    """(P, 15) distances in head sizes (N,) of pairs of rows (P,), NaN where a joint is absent or out of reach."""
    offset = objects.keypoints[rows]
    offset -= hypotheses.keypoints[columns]
    offset *= offset
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.sqrt(offset.sum(-1)) / heads[rows, None]
    reached = (distance <= THRESHOLD) & objects.present[rows] & hypotheses.present[columns]
    return np.where(reached, distance, np.nan)


def correct_joints(
    matches: np.ndarray, joints: np.ndarray, rows: np.ndarray, columns: np.ndarray, poses: int
) -> np.ndarray:
    """(M, 15) bool joints of the poses that are right.

    A pose keeps the person of whom it finds the largest share, and a person the best of the poses left. Of equal ones
    the first wins.

    Args:
        matches: (P, 15) bool, joints in reach of each pair.
        joints: (N,) number of joints of each person.
        rows: (P,) people of the pairs.
        columns: (P,) poses of the pairs.
        poses: M.
    """
    share = matches.sum(1) / np.maximum(joints[rows], 1)
    choice, best = _first_best(share, columns, poses)
    chosen = np.sort(choice[best > 0])
    taken, _ = _first_best(share[chosen], rows[chosen], len(joints))
    won = chosen[taken[taken < len(chosen)]]
    right = np.zeros((poses, matches.shape[1]), bool)
    right[columns[won]] = matches[won]
    return right


def _first_best(values: np.ndarray, groups: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first entry of greatest value in each group.

    Args:
        values: (P,), at least 0.
        groups: (P,) integers under `count`.
        count: Number of groups.

    Returns:
        Index of the entry (count,), P for an empty group, and its value, 0 there.
    """
    best = np.zeros(count)
    np.maximum.at(best, groups, values)
    candidates = np.flatnonzero(values == best[groups])
    index = np.full(count, len(values))
    np.minimum.at(index, groups[candidates], candidates)
    return index, best
