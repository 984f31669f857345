"""PoseTrack's official evaluation: average precision of joints and CLEAR MOT of every joint's tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ptfast._check import check_shape
from ptfast._columns import frame_pairs
from ptfast.evaluation._ignore import ignored_joints
from ptfast.evaluation._pairing import SequencePair, Source, check_track_ids, pair_sequences
from ptfast.evaluation._posetrack_result import COUNTS, PoseTrackResult
from ptfast.evaluation._precision import average_precision
from ptfast.evaluation._ragged import first_best, frame_of_rows, join_offsets, offsets_of
from ptfast.ops.clear import clear_match
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses, head_sizes

THRESHOLD = 0.5  # of the head size
PAIRS = 1 << 18  # of poses that are compared at a time

__all__ = ["PoseTrackResult", "evaluate"]


def evaluate(
    ground_truth: Source,
    predictions: Source,
    *,
    official: bool = True,
    mota_min_score: float | None = None,
    mota_min_joint_score: float | Sequence[float] | None = None,
    motp: Literal["matches", "motmetrics"] = "matches",
) -> PoseTrackResult:
    """Scores predicted poses and tracks as PoseTrack's evaluation server does.

    A predicted joint is right within half a head size of the annotated one. For AP a pose is paired with the person of
    whom it finds the largest share of joints, one pose a person, and joints are ranked by their own scores. For MOT
    every joint is an object of its own, matched through time as in ptfast.ops.clear_match. Joints inside a ground-truth
    ignore region do not count on either side. Other skeletons are mapped to the 15 joints of 2017 by name.

    Numbers equal the official evaluator's, quirks included:

    1. Frames without annotated people are left out, whatever their predictions and whatever is_labeled says.
    2. The last frame of every sequence is left out of MOT (not of AP).
    3. A frame with no person or no pose at all counts in MOT as one person and one pose that do not match: one
       miss and one false positive for every joint. A person without joints is nobody in 15-joint (2017) data, and
       in other data only where the frame has ignore regions.
    4. A joint that is never predicted has AP, precision and recall 0, and one without detections has MOTP 0; both
       are in the mean. A joint that is predicted but never annotated has AP and recall NaN and precision 0.
    5. Equal scores are ranked by an unstable sort, NumPy 1.26's on AVX-512 (ptfast.ops.ranking.rank_scores), so the
       order of sequences can move an AP in its sixth digit. The official one takes them as the folder lists them.
    6. Head sizes are 0.6 times the diagonal of the annotated head box; head_bottom is called neck.
    7. A group of columns in the table is NaN if one of its joints is.

    With official=False all frames that is_labeled marks count (all, where there are no marks), MOT sees the last frame
    and no dummies, a joint without ground truth is NaN and left out of means, as is any share of nothing (0 / 0), and
    equal scores keep the order of sequences, frames and rows.

    Args:
        ground_truth: A file, a folder, a Poses, or Poses by sequence name; every pose with a track id.
        predictions: The same. Poses without a track id (-1) count in AP alone.
        official: Whether the quirks above hold.
        mota_min_score: Poses under this score are left out of MOT; AP sees all.
        mota_min_joint_score: Joints under this score, one number or one for each of the 15 joints, are left out of MOT,
            and so are poses that lose all joints.
        motp: "matches" averages the distance over matched joints, as published figures do; "motmetrics" is what the
            evaluator prints with py-motmetrics 1.4, whose event table also lists every pair in reach.

    Returns:
        PoseTrackResult.

    Raises:
        ValueError: Sequences or frames differ between the two sides, an id occurs twice in a predicted frame, or a
            ground-truth pose has no id.

    Source:
        Andriluka et al. 2018, PoseTrack; behaviour of leonid-pishchulin/poseval.
    """
    if motp not in ("matches", "motmetrics"):
        raise ValueError(f"motp must be 'matches' or 'motmetrics', got {motp!r}")
    minimum = _minimum(mota_min_score, mota_min_joint_score)
    parts = [_prepare(pair, minimum, official) for pair in pair_sequences(ground_truth, predictions)]
    return _result(parts, motp, official)


def _minimum(
    score: float | None, joint_score: float | Sequence[float] | None
) -> tuple[float, float | Sequence[float] | None]:
    """Checked minimum scores of poses and of joints."""
    if joint_score is not None and np.ndim(joint_score):
        check_shape("mota_min_joint_score", np.asarray(joint_score), (len(POSETRACK_15),))
    for name, value in (("mota_min_score", score), ("mota_min_joint_score", joint_score)):
        if value is not None and np.isnan(value).any():
            raise ValueError(f"{name} must be a number or None, got nan")
    return -np.inf if score is None else score, joint_score


@dataclass(frozen=True)
class _Side:
    """The poses of one side in the frames that count; joints in official order."""

    keypoints: np.ndarray  # (N, 15, 2) float64
    present: np.ndarray  # (N, 15) bool
    people: np.ndarray  # (N,) bool, whether the pose counts as somebody
    ids: np.ndarray  # (N,)
    offsets: np.ndarray  # (F + 1,)
    rows: np.ndarray  # (N,) rows of the Poses


@dataclass(frozen=True)
class _Part:
    """What one sequence contributes."""

    name: str
    scores: np.ndarray  # (M, 15) of the predicted joints
    predicted: np.ndarray  # (M, 15) bool
    correct: np.ndarray  # (M, 15) bool
    annotated: np.ndarray  # (15,) joints to find
    pairs: tuple[np.ndarray, np.ndarray]  # (P,) rows of objects and of hypotheses with a joint in reach
    distances: np.ndarray  # (P, 15) in head sizes, NaN beyond the threshold
    objects: _Side
    hypotheses: _Side
    dummies: int


def _prepare(pair: SequencePair, minimum: tuple[float, float | Sequence[float] | None], official: bool) -> _Part:
    """Everything about one sequence but the matching through time."""
    check_track_ids("ground truth", pair.name, pair.truth, needed=True)
    check_track_ids("predictions", pair.name, pair.predictions, needed=False)
    truth, poses = pair.truth.to_skeleton(POSETRACK_15), pair.predictions.to_skeleton(POSETRACK_15)
    counted = np.diff(truth.frame_offsets) > 0 if official else truth.is_labeled
    frames = np.ones(len(truth), bool) if counted is None else counted
    mixed = pair.truth.skeleton != POSETRACK_15, pair.predictions.skeleton != POSETRACK_15
    objects, hypotheses = _side(truth, truth, frames, mixed[0]), _side(poses, truth, frames, mixed[1])
    rows, columns, distances = _reached_pairs(objects, hypotheses, head_sizes(truth)[objects.rows])
    scores = poses.joint_scores[hypotheses.rows].astype(np.float64)
    correct = _correct(~np.isnan(distances), objects.present.sum(1), rows, columns, len(scores))
    tracked = _filtered(hypotheses, scores, poses.scores[hypotheses.rows], minimum)
    tracked_frames, dummies = _tracked_frames(objects, tracked, official)
    return _Part(
        name=pair.name,
        scores=scores,
        predicted=hypotheses.present,
        correct=correct,
        annotated=objects.present.sum(0),
        pairs=(rows, columns),
        distances=distances,
        objects=_only(objects, tracked_frames),
        hypotheses=_only(tracked, tracked_frames),
        dummies=dummies,
    )


def _side(poses: Poses, truth: Poses, frames: np.ndarray, jointless_people: bool) -> _Side:
    """Poses in the frames that count (F,), without their joints in ignore regions."""
    keypoints = poses.keypoints.astype(np.float64)
    present = (poses.joint_visibility > 0) & ~ignored_joints(keypoints, poses.frame_offsets, truth.ignore_regions)
    frame = frame_of_rows(poses.frame_offsets)
    regions = np.array([len(polygons) > 0 for polygons in truth.ignore_regions or ((),) * len(poses)], bool)
    people = present.any(1) | (jointless_people & ~regions[frame])
    rows = np.flatnonzero(frames[frame])
    return _Side(
        keypoints=keypoints[rows],
        present=present[rows],
        people=people[rows],
        ids=poses.track_ids[rows],
        offsets=offsets_of(np.diff(poses.frame_offsets)[frames]),
        rows=rows,
    )


def _reached_pairs(objects: _Side, hypotheses: _Side, heads: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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


def _reach(side: _Side, margin: np.ndarray) -> np.ndarray:
    """(N, 4) xyxy: the extents of the joints that are there, and a margin (N,); of nobody's joints an empty one."""
    there = side.present[..., None]
    with np.errstate(invalid="ignore"):  # nobody's joints and an infinite margin
        low = np.where(there, side.keypoints, np.inf).min(1) - margin[:, None]
        high = np.where(there, side.keypoints, -np.inf).max(1) + margin[:, None]
    return np.concatenate([low, high], 1)


def _distances(
    objects: _Side, hypotheses: _Side, rows: np.ndarray, columns: np.ndarray, heads: np.ndarray
) -> np.ndarray:
    """(P, 15) distances in head sizes (N,) of pairs of rows (P,), NaN where a joint is absent or out of reach."""
    offset = objects.keypoints[rows]
    offset -= hypotheses.keypoints[columns]
    offset *= offset
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.sqrt(offset.sum(-1)) / heads[rows, None]
    reached = (distance <= THRESHOLD) & objects.present[rows] & hypotheses.present[columns]
    return np.where(reached, distance, np.nan)


def _correct(matches: np.ndarray, joints: np.ndarray, rows: np.ndarray, columns: np.ndarray, poses: int) -> np.ndarray:
    """(M, 15) which joints of each pose are right, given matches (P, 15) of pairs and joints (N,) of each person.

    A pose keeps the person of whom it finds the largest share, a person the best pose left to him; the first wins.
    """
    share = matches.sum(1) / np.maximum(joints[rows], 1)
    choice, best = first_best(share, columns, poses)
    chosen = np.sort(choice[best > 0])
    taken, _ = first_best(share[chosen], rows[chosen], len(joints))
    won = chosen[taken[taken < len(chosen)]]
    correct = np.zeros((poses, matches.shape[1]), bool)
    correct[columns[won]] = matches[won]
    return correct


def _filtered(
    side: _Side, joint_scores: np.ndarray, scores: np.ndarray, minimum: tuple[float, float | Sequence[float] | None]
) -> _Side:
    """The poses that take part in MOT: tracked, and not under the minimum scores."""
    kept = (scores >= minimum[0]) & (side.ids >= 0)
    present, people = side.present & kept[:, None], side.people & kept
    if minimum[1] is not None:
        present = present & (joint_scores >= np.asarray(minimum[1], np.float64))
        people = people & present.any(1)
    return _Side(side.keypoints, present, people, side.ids, side.offsets, side.rows)


def _tracked_frames(objects: _Side, hypotheses: _Side, official: bool) -> tuple[np.ndarray, int]:
    """(F,) frames that MOT sees, and how many others count as a dummy person and a dummy pose."""
    frames = len(objects.offsets) - 1
    if not official:
        return np.ones(frames, bool), 0
    seen = np.arange(frames) < frames - 1
    both = np.ones(frames, bool)
    for side in (objects, hypotheses):
        both &= np.bincount(frame_of_rows(side.offsets)[side.people], minlength=frames) > 0
    return seen & both, int((seen & ~both).sum())


def _only(side: _Side, frames: np.ndarray) -> _Side:
    """The same rows, with joints in the given frames (F,) alone."""
    present = side.present & frames[frame_of_rows(side.offsets)][:, None]
    return _Side(side.keypoints, present, side.people, side.ids, side.offsets, side.rows)


def _result(parts: list[_Part], motp: str, official: bool) -> PoseTrackResult:
    """The figures of all sequences and of each."""
    counts, distance = _clear(parts, motp)
    each = {
        part.name: PoseTrackResult.make(*_precision([part], official), counts[i], distance[i], official=official)
        for i, part in enumerate(parts)
    }
    total = _precision(parts, official)
    return PoseTrackResult.make(*total, counts.sum(0), distance.sum(0), official=official, sequences=each)


def _clear(parts: list[_Part], motp: str) -> tuple[np.ndarray, np.ndarray]:
    """(S, 15, 5) counts in the order of COUNTS and (S, 15) sums of distances."""
    joints = len(POSETRACK_15)
    rows, columns = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    objects = hypotheses = 0  # of the parts before
    for part in parts:
        rows.append(part.pairs[0] + objects)
        columns.append(part.pairs[1] + hypotheses)
        objects, hypotheses = objects + len(part.objects.ids), hypotheses + len(part.hypotheses.ids)
    events = clear_match(
        np.concatenate([np.zeros((0, joints)), *(part.distances for part in parts)]),
        np.concatenate([np.zeros(0, np.int64), *(part.objects.ids for part in parts)]),
        np.concatenate([np.zeros(0, np.int64), *(part.hypotheses.ids for part in parts)]),
        object_offsets=join_offsets([part.objects.offsets for part in parts]),
        hypothesis_offsets=join_offsets([part.hypotheses.offsets for part in parts]),
        pairs=(np.concatenate(rows), np.concatenate(columns)),
        sequence_offsets=offsets_of(np.array([len(part.objects.offsets) - 1 for part in parts], np.int64)),
        object_present=np.concatenate([np.zeros((0, joints), bool), *(part.objects.present for part in parts)]),
        hypothesis_present=np.concatenate([np.zeros((0, joints), bool), *(part.hypotheses.present for part in parts)]),
    )
    counts = np.stack([getattr(events, name) for name in COUNTS], -1)
    dummies = np.array([part.dummies for part in parts], np.int64)
    for name in ("objects", "misses", "false_positives"):
        counts[..., COUNTS.index(name)] += dummies[:, None]
    return counts, events.distance if motp == "matches" else events.event_distance


def _precision(parts: list[_Part], official: bool) -> tuple[np.ndarray, np.ndarray]:
    """(15, 3) AP, precision and recall over several sequences, and (15,) whether a joint is annotated."""
    table = np.empty((len(POSETRACK_15), 3))
    annotated = sum((part.annotated for part in parts), np.zeros(len(POSETRACK_15), np.int64))
    for joint in range(len(POSETRACK_15)):
        scores = [part.scores[part.predicted[:, joint], joint] for part in parts]
        correct = [part.correct[part.predicted[:, joint], joint] for part in parts]
        table[joint] = average_precision(
            np.concatenate([np.zeros(0), *scores]),
            np.concatenate([np.zeros(0, bool), *correct]),
            annotated[joint],
            official=official,
        )
    return table, annotated > 0
