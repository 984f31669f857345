"""MOT16, MOT17 and MOT20's rules for boxes: which take part, and how results are matched, as in TrackEval 1.3."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ptfast.evaluation.identity import Tracks
from ptfast.structures import Poses

PEDESTRIAN = 1
CLASSES = range(1, 14)
# Person on vehicle, static person, distractor, reflection; in MOT20 a vehicle too.
DISTRACTORS = {"MOT16": (2, 7, 8, 12), "MOT17": (2, 7, 8, 12), "MOT20": (2, 6, 7, 8, 12)}
_MIN_IOU = 0.5  # at which a result stands on a distractor, whatever the evaluation's own least IoU
_EPSILON = np.finfo(np.float64).eps
_CONTINUED = 1000.0  # outweighs all similarities of a frame


def classes_of(poses: Poses) -> np.ndarray | None:
    """(N,) int64 MOT classes, or None where the file names no box's."""
    classes = poses.features.get("mot_class")
    return None if classes is None or not (np.asarray(classes) > 0).any() else np.asarray(classes, np.int64)


def counted_objects(name: str, truth: Poses, benchmark: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Ground-truth boxes that count, and those whose results are removed, (N,) bool each.

    Raises:
        ValueError: A class is none of MOT's.
    """
    flagged, classes = truth.scores > 0, classes_of(truth)
    if benchmark is None:
        return flagged, ~flagged
    if benchmark == "MOT15":
        return flagged, np.zeros(len(flagged), bool)
    if classes is None or not np.isin(classes, CLASSES).all():
        found = "none" if classes is None else classes[~np.isin(classes, CLASSES)][0]
        raise ValueError(
            f"ground truth of sequence {name!r}: expected a class from 1 to 13 for each box, as {benchmark} has "
            f'in features["mot_class"], found {found}'
        )
    return flagged & (classes == PEDESTRIAN), np.isin(classes, DISTRACTORS[benchmark])


def counted_results(results: Poses, benchmark: str | None) -> np.ndarray:
    """(M,) bool, results that take part: tracked, and pedestrians of flag 1 where they come with classes."""
    counted, classes = results.track_ids >= 0, classes_of(results)
    if classes is None:
        return counted
    return counted & (results.scores > 0) & ((classes == PEDESTRIAN) | (benchmark == "MOT15"))


def on_removed(tracks: Tracks, removed: np.ndarray) -> np.ndarray:
    """(M,) bool, results that are matched with one of the objects that are `removed` (N,)."""
    spurious = np.zeros(len(tracks.hypothesis_ids), bool)
    rows, _ = tracks.pairs
    reached = removed[rows] & (tracks.similarity >= _MIN_IOU - _EPSILON)
    for objects, hypotheses, similarity in _frames(tracks, reached):
        near = np.where(similarity < _MIN_IOU - _EPSILON, 0, similarity)
        i, j = _matched(near)
        spurious[hypotheses][j[removed[objects][i]]] = True
    return spurious


def clear_counts(tracks: Tracks, min_iou: float) -> tuple[np.ndarray, float]:
    """(4,) matches, switches, misses and false positives by TrackEval's CLEAR, and the sum of 1 - IoU.

    A pair of the last frame that had boxes on both sides goes on where it can; else a frame's sum of IoU is greatest.
    """
    n, m = len(tracks.object_ids), len(tracks.hypothesis_ids)
    found = switches = 0
    distance = 0.0
    last: dict[int, int] = {}  # result of each object when it was last matched
    before: dict[int, int] = {}  # the same, in the frame before
    for objects, hypotheses, similarity in _frames(tracks, np.ones(len(tracks.similarity), bool)):
        names, others = tracks.object_ids[objects].tolist(), tracks.hypothesis_ids[hypotheses]
        continued = np.array([before.get(name, -1) for name in names])[:, None] == others
        i, j = _matched(np.where(similarity < min_iou - _EPSILON, 0, _CONTINUED * continued + similarity))
        before = {names[row]: int(others[column]) for row, column in zip(i, j, strict=True)}
        switches += sum(last.get(name, other) != other for name, other in before.items())
        last |= before
        found += len(i)
        distance += float((1 - similarity[i, j]).sum())
    return np.array([found - switches, switches, n - found, m - found], np.int64), distance


def _frames(tracks: Tracks, wanted: np.ndarray) -> list[tuple[slice, slice, np.ndarray]]:
    """Rows of both sides, and their similarity (n, m), of frames with one of the wanted pairs (P,)."""
    ends = [list(pairwise(offsets)) for offsets in (tracks.object_offsets, tracks.hypothesis_offsets)]
    frames, start = [], 0
    for (a, b), (c, d) in zip(*ends, strict=True):
        stop = start + (b - a) * (d - c)
        if wanted[start:stop].any():
            frames.append((slice(a, b), slice(c, d), tracks.similarity[start:stop].reshape(b - a, d - c)))
        start = stop
    return frames


def _matched(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the assignment of greatest score, without those that score 0."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(scores, maximize=True)
    kept = scores[rows, columns] > _EPSILON
    return rows[kept], columns[kept]
