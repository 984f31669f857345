"""CLEAR MOT and identity measures of box tracks, as on the MOT benchmarks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from ptfast._check import check_number
from ptfast._columns import offsets_of
from ptfast.evaluation._mot_protocol import (
    DISTRACTORS,
    classes_of,
    clear_counts,
    counted_objects,
    counted_results,
    on_removed,
)
from ptfast.evaluation._notes import check_any_tracked, start_notes, untracked_notes
from ptfast.evaluation._pairing import Source, check_track_ids, load, pair_names
from ptfast.evaluation.identity import Tracks, identity_counts, identity_shares
from ptfast.ops.clear import clear_match
from ptfast.structures import Poses


@dataclass(frozen=True, eq=False)
class BoxResult:
    """Figures of box tracks. Shares are in percent, and NaN for a share of nothing.

    Attributes:
        mota: 1 - (misses + false positives + switches) / objects.
        motp: Mean IoU of matches and switches.
        precision: Matched results among all.
        recall: Matched objects among all.
        idf1: Identity F1.
        id_precision: Identity precision.
        id_recall: Identity recall.
        objects: Ground-truth boxes.
        matches: Boxes matched with the same track as before (or for the first time).
        switches: Boxes matched with another track.
        misses: Ground-truth boxes without a result.
        false_positives: Results without a ground-truth box.
        sequences: The same by sequence; empty in a sequence's own result.
        notes: What the figures do not say: results without ids, a ground truth of which nothing counts, frames that
            count from 0 on one side and from 1 on the other.
    """

    mota: float
    motp: float
    precision: float
    recall: float
    idf1: float
    id_precision: float
    id_recall: float
    objects: int
    matches: int
    switches: int
    misses: int
    false_positives: int
    sequences: dict[str, BoxResult] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @staticmethod
    def make(
        counts: np.ndarray, distance: float, identity: np.ndarray, sequences: dict[str, BoxResult] | None = None
    ) -> BoxResult:
        """Makes a result.

        Args:
            counts: (4,) matches, switches, misses and false positives.
            distance: Sum of 1 - IoU over the matches and switches.
            identity: (3,) IDTP, IDFP, IDFN.
            sequences: The results by sequence.
        """
        matches, switches, misses, false_positives = (int(count) for count in counts)
        found, objects = matches + switches, matches + switches + misses
        wrong = misses + switches + false_positives
        idf1, id_precision, id_recall = identity_shares(identity)
        return BoxResult(
            mota=100 - _percent(wrong, objects),
            motp=100 - _percent(distance, found),
            precision=_percent(found, found + false_positives),
            recall=_percent(found, objects),
            idf1=idf1,
            id_precision=id_precision,
            id_recall=id_recall,
            objects=objects,
            matches=matches,
            switches=switches,
            misses=misses,
            false_positives=false_positives,
            sequences=sequences or {},
        )

    def to_dict(self) -> dict[str, Any]:
        """Every figure for JSON, None for a NaN, notes, and the same by sequence."""
        figures = {name: value for name, value in vars(self).items() if name not in ("notes", "sequences")}
        figures = {name: None if np.isnan(value) else value for name, value in figures.items()}
        if self.notes:
            figures["notes"] = list(self.notes)
        if self.sequences:
            figures["sequences"] = {name: result.to_dict() for name, result in self.sequences.items()}
        return figures


def evaluate(
    ground_truth: Source,
    results: Source,
    *,
    min_iou: float = 0.5,
    benchmark: Literal["MOT15", "MOT16", "MOT17", "MOT20"] | None = None,
) -> BoxResult:
    """CLEAR MOT and IDF1 of box tracks.

    Frames are matched by id (MOT's frame number) where both sides have ids, else by index. A frame that one side lacks
    is empty there, since MOT files list boxes alone. Results without a track id take no part.

    Ground-truth boxes whose score is 0, MOT's flag for what is not to be scored, do not count. Neither do, where
    features["mot_class"] (N,) holds MOT's classes, boxes of another class than pedestrian (1). Results that are matched
    with a box of the following kinds, among all ground-truth boxes of the frame and at an IoU of 0.5 or more, are
    removed before counting:

    - "MOT16", "MOT17": distractors: a person on a vehicle, a static person, a distractor or a reflection
    - "MOT20": the same, and vehicles that are none of MOT's
    - "MOT15": none
    - None: as "MOT17" for a sequence whose ground truth has classes, else those of flag 0

    Under a benchmark all figures are TrackEval 1.3's: results on flag-0 pedestrians are false positives there, though
    nobody is to be found, and a match is bound to go on from the frame before alone. Elsewhere they are py-motmetrics',
    where a match goes on however long it was interrupted. Results that come with classes themselves, such as a
    ground-truth file, take part as pedestrians of flag 1 alone.

    Args:
        ground_truth: A file, a folder, a Poses, or Poses by sequence name. Boxes and track_ids are read.
        results: The same.
        min_iou: Least IoU at which a result can match an object, from 0 to 1.
        benchmark: Whose protocol to follow.

    Returns:
        BoxResult.

    Raises:
        ValueError: Sequences differ between the two sides, an id occurs twice in a frame, a ground-truth box that
            counts has no id, no result has one, or ground truth lacks the classes of the benchmark.

    Source:
        Bernardin and Stiefelhagen 2008 (CLEAR MOT); Ristani et al. 2016 (IDF1); Milan et al. 2016 (MOT16); figures as
        of TrackEval and py-motmetrics.
    """
    check_number("min_iou", min_iou, 0, 1)
    if benchmark not in (None, "MOT15", *DISTRACTORS):
        known = ", ".join(map(repr, ("MOT15", *DISTRACTORS)))
        raise ValueError(f"benchmark must be one of {known} or None, got {benchmark!r}")
    pairs = pair_names(load(ground_truth), load(results))
    named = [(name, found) for name, _, found in pairs]
    check_any_tracked("results", named)
    each = {}
    counts, distance, identity = np.zeros(4, np.int64), 0.0, np.zeros(3, np.int64)
    for name, truth, found in pairs:
        protocol = benchmark or (None if classes_of(truth) is None else "MOT17")
        tracks = _tracks(name, truth, found, protocol)
        clear = _clear(tracks, min_iou) if protocol is None else clear_counts(tracks, min_iou)
        own = identity_counts(tracks, min_iou)
        each[name] = BoxResult.make(*clear, own)
        counts, distance, identity = counts + clear[0], distance + clear[1], identity + own
    result = BoxResult.make(counts, distance, identity, each)
    nothing = ["ground truth has no box that counts, so that no figure means anything"] * (result.objects == 0)
    starts = [note for pair in pairs for note in start_notes(*pair, "results")]
    return replace(result, notes=(*nothing, *untracked_notes("results", named, "take no part"), *starts))


def _clear(tracks: Tracks, min_iou: float) -> tuple[np.ndarray, float]:
    """(4,) matches, switches, misses and false positives as py-motmetrics counts them, and the sum of 1 - IoU."""
    events = clear_match(
        np.where(tracks.similarity >= min_iou, 1 - tracks.similarity, np.nan)[:, None],
        tracks.object_ids,
        tracks.hypothesis_ids,
        object_offsets=tracks.object_offsets,
        hypothesis_offsets=tracks.hypothesis_offsets,
    )
    return events.counts[0, 0, :4], float(events.distance[0, 0])


def _tracks(name: str, truth: Poses, results: Poses, benchmark: str | None) -> Tracks:
    """One sequence's boxes that take part, in the frames of both sides, and the IoU of those that share a frame."""
    truth, results = _in_frame_order(truth), _in_frame_order(results)
    results = results.select(counted_results(results, benchmark))
    counted, removed = counted_objects(name, truth, benchmark)
    check_track_ids("ground truth", name, truth.select(counted), needed=True)
    check_track_ids("results", name, results, needed=False)
    every = _aligned(truth, results)
    return every.select(counted, ~on_removed(every, removed))


def _aligned(truth: Poses, results: Poses) -> Tracks:
    """All boxes in the frames of both sides, and the IoU of those that share a frame."""
    numbers = _frame_numbers(truth, results)
    frames = np.union1d(*numbers)
    offsets = (_over_frames(frames, own, side) for own, side in zip(numbers, (truth, results), strict=True))
    tracks = Tracks(np.zeros(0), truth.track_ids, results.track_ids, *offsets)
    rows, columns = tracks.pairs
    similarity = paired_iou(truth.boxes.astype(np.float64)[rows], results.boxes.astype(np.float64)[columns])
    return replace(tracks, similarity=similarity)


def _frame_numbers(truth: Poses, results: Poses) -> tuple[np.ndarray, np.ndarray]:
    """Numbers that frames are matched by, (F,) of each side."""
    if truth.frame_ids is not None and results.frame_ids is not None:
        return truth.frame_ids, results.frame_ids
    return np.arange(len(truth)), np.arange(len(results))


def _in_frame_order(side: Poses) -> Poses:
    """A side with its frames by rising id, if they have one."""
    if side.frame_ids is None or (np.diff(side.frame_ids) >= 0).all():
        return side
    return Poses.concatenate([side.frame(int(f)) for f in np.argsort(side.frame_ids, kind="stable")])


def _over_frames(frames: np.ndarray, own: np.ndarray, side: Poses) -> np.ndarray:
    """Offsets of a side's rows over `frames`, among which are its own (F,), both rising."""
    counts = np.zeros(len(frames), np.int64)
    counts[np.searchsorted(frames, own)] = np.diff(side.frame_offsets)
    return offsets_of(counts)


def paired_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(P,) intersection over union of boxes (P, 4) xyxy with their partners (P, 4); 0 where both are empty."""
    overlap = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.maximum(overlap, 0).prod(1)
    whole = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - shared
    return np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)


def _percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole > 0 else float("nan")
