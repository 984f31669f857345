"""PoseTrack's official evaluation: average precision of joints and CLEAR MOT of every joint's tracks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ptfast._check import check_shape
from ptfast._columns import join_offsets, offsets_of
from ptfast.evaluation._notes import head_notes, joint_notes, untracked_notes
from ptfast.evaluation._pairing import SequencePair, Source, pair_sequences
from ptfast.evaluation._posetrack_part import Part, prepare
from ptfast.evaluation._posetrack_result import COUNTS, JOINTS, PoseTrackResult
from ptfast.evaluation._posetrack_sides import Minimum
from ptfast.evaluation._precision import average_precision
from ptfast.ops.clear import clear_match
from ptfast.skeletons import POSETRACK_15

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
    whom it finds the largest share of joints, one pose a person, and joints are ranked by their own scores. A joint
    that its file gave none, as the predictions' features["joint_scored"] (M, K) tells, ranks last, at -9999. For MOT
    every joint is an object of its own, matched through time as in ptfast.ops.clear_match. Joints inside a ground-truth
    ignore region do not count on either side. Other skeletons are mapped to the 15 joints of 2017 by name. Where the
    ground truth's skeleton has head_bottom and head_top and the predictions', as COCO's, lacks them, the predictions'
    are extrapolated from shoulders and face, as Poses.to_skeleton says.

    Numbers equal the official evaluator's, quirks included:

    1. Frames without annotated people are left out, whatever their predictions and whatever is_labeled says.
    2. The last frame of every sequence is left out of MOT (not of AP).
    3. A frame with no person or no pose at all counts in MOT as one person and one pose that do not match: one
       miss and one false positive for every joint. A person without joints is nobody in 15-joint (2017) data, and
       in other data only where the frame has ignore regions.
    4. A joint that is never predicted has AP, precision and recall 0, and one without detections has MOTP 0. Both
       are in the mean. A joint that is predicted but never annotated has AP and recall NaN and precision 0.
    5. Equal scores are ranked by an unstable sort, NumPy 1.26's on AVX-512 (ptfast.ops.ranking.rank_scores), so the
       order of sequences can move an AP in its sixth digit. The official one takes them as the folder lists them.
    6. A ground-truth id may come twice in a frame; the second person of that id is matched with another track.
    7. Head sizes are 0.6 times the diagonal of the annotated head box, and head_bottom is called neck.
    8. A group of columns in the table is NaN if one of its joints is.

    With official=False all frames that is_labeled marks count (all, where there are no marks), MOT sees the last frame
    and no dummies, a joint without ground truth is NaN and left out of means, as is any share of nothing (0 / 0), and
    equal scores keep the order of sequences, frames and rows.

    Args:
        ground_truth: A file, a folder, a Poses, or Poses by sequence name; every pose with a track id.
        predictions: The same. Poses without a track id (-1) count in AP alone.
        official: Keeps the quirks above.
        mota_min_score: Poses under this score are left out of MOT. AP sees all.
        mota_min_joint_score: Joints under this score, one number or one for each of the 15 joints, are left out of MOT,
            and so are poses that lose all joints.
        motp: "matches" averages the distance over matched joints, as published figures do; "motmetrics" is what the
            evaluator prints with py-motmetrics 1.4, whose event table also lists every pair in reach.

    Returns:
        PoseTrackResult.

    Raises:
        ValueError: Sequences or frames differ between the two sides, or they share none of the 15 joints, an id occurs
            twice in a predicted frame, or a ground-truth pose has no id (or, unless official, one that its frame has
            twice).

    Source:
        Andriluka et al. 2018, PoseTrack; behaviour of leonid-pishchulin/poseval.
    """
    if motp not in ("matches", "motmetrics"):
        raise ValueError(f"motp must be 'matches' or 'motmetrics', got {motp!r}")
    minimum = _minimum(mota_min_score, mota_min_joint_score)
    pairs = pair_sequences(ground_truth, predictions)
    parts = [prepare(pair, minimum, official) for pair in pairs]
    return _result(parts, motp, official, _notes(pairs, parts))


def _notes(pairs: list[SequencePair], parts: list[Part]) -> tuple[str, ...]:
    """What the figures do not say."""
    nothing = np.zeros(len(POSETRACK_15), np.int64)
    annotated = sum((part.annotated for part in parts), nothing)
    predicted = sum((part.predicted.sum(0) for part in parts), nothing)
    found = ((pair.name, pair.predictions) for pair in pairs)
    if not any(part.tracked for part in parts) and parts:
        untracked = ["predictions have no track ids: there are no figures of MOT"]
    else:
        untracked = untracked_notes("predictions", found, "take no part in MOT")
    heads = head_notes(sum(part.extrapolated for part in parts), sum(len(part.scores) for part in parts))
    of_frames = (note for pair in pairs for note in pair.notes)
    return (*joint_notes(annotated, predicted, JOINTS), *heads, *untracked, *of_frames)


def _minimum(score: float | None, joint_score: float | Sequence[float] | None) -> Minimum:
    """Checked minimum scores of poses and of joints."""
    if joint_score is not None and np.ndim(joint_score):
        check_shape("mota_min_joint_score", np.asarray(joint_score), (len(POSETRACK_15),))
    for name, value in (("mota_min_score", score), ("mota_min_joint_score", joint_score)):
        if value is not None and np.isnan(value).any():
            raise ValueError(f"{name} must be a number or None, got nan")
    return -np.inf if score is None else score, joint_score


def _result(parts: list[Part], motp: str, official: bool, notes: tuple[str, ...]) -> PoseTrackResult:
    """The figures of all sequences and of each."""
    counts, distance = _clear(parts, motp)

    def result(which: slice, **more: Any) -> PoseTrackResult:
        chosen = parts[which]
        tracked = not chosen or any(part.tracked for part in chosen)
        clear = counts[which].sum(0), distance[which].sum(0)
        return PoseTrackResult.make(*_precision(chosen, official), *clear, official=official, tracked=tracked, **more)

    each = {part.name: result(slice(i, i + 1)) for i, part in enumerate(parts)}
    return result(slice(None), sequences=each, notes=notes)


def _clear(parts: list[Part], motp: str) -> tuple[np.ndarray, np.ndarray]:
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


def _precision(parts: list[Part], official: bool) -> tuple[np.ndarray, np.ndarray]:
    """(15, 3) AP, precision and recall over several sequences, and (15,) bool joints that are annotated."""
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
