"""CLEAR MOT and identity measures of box tracks, as on the MOT benchmarks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ptfast._check import check_number
from ptfast._columns import join_offsets, offsets_of
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
        return BoxResult(
            mota=100 - _percent(wrong, objects),
            motp=100 - _percent(distance, found),
            precision=_percent(found, found + false_positives),
            recall=_percent(found, objects),
            **dict(zip(("idf1", "id_precision", "id_recall"), identity_shares(identity), strict=True)),
            objects=objects,
            matches=matches,
            switches=switches,
            misses=misses,
            false_positives=false_positives,
            sequences=sequences or {},
        )

    def to_dict(self) -> dict[str, Any]:
        """Every figure for JSON, None for a NaN, and the same by sequence."""
        figures = {name: value for name, value in vars(self).items() if name != "sequences"}
        figures = {name: None if np.isnan(value) else value for name, value in figures.items()}
        if self.sequences:
            figures["sequences"] = {name: result.to_dict() for name, result in self.sequences.items()}
        return figures


def evaluate(ground_truth: Source, results: Source, *, min_iou: float = 0.5) -> BoxResult:
    """CLEAR MOT and IDF1 of box tracks.

    Frames are matched by id (MOT's frame number) where both sides have ids, else by index. A frame that one side lacks
    is empty there, since MOT files list boxes alone. Ground-truth boxes whose score is 0, MOT's mark for what is not to
    be scored, take no part, nor do results without a track id.

    Args:
        ground_truth: A file, a folder, a Poses, or Poses by sequence name. Boxes and track_ids are read.
        results: The same.
        min_iou: Least IoU at which a result can match an object, from 0 to 1.

    Returns:
        BoxResult.

    Raises:
        ValueError: Sequences differ between the two sides, an id occurs twice in a frame, or a ground-truth box has no
            id.

    Source:
        Bernardin and Stiefelhagen 2008 (CLEAR MOT); Ristani et al. 2016 (IDF1); figures as of py-motmetrics.
    """
    check_number("min_iou", min_iou, 0, 1)
    pairs = pair_names(load(ground_truth), load(results))
    tracks = [_tracks(name, truth, found) for name, truth, found in pairs]
    similarity = np.concatenate([np.zeros(0), *(each.similarity for each in tracks)])
    events = clear_match(
        np.where(similarity >= min_iou, 1 - similarity, np.nan)[:, None],
        np.concatenate([np.zeros(0, np.int64), *(each.object_ids for each in tracks)]),
        np.concatenate([np.zeros(0, np.int64), *(each.hypothesis_ids for each in tracks)]),
        object_offsets=join_offsets([each.object_offsets for each in tracks]),
        hypothesis_offsets=join_offsets([each.hypothesis_offsets for each in tracks]),
        sequence_offsets=offsets_of(np.array([len(each.object_offsets) - 1 for each in tracks], np.int64)),
    )
    counts, distance = events.counts[:, 0, :4], events.distance[:, 0]
    identity = np.array([identity_counts(each, min_iou) for each in tracks], np.int64).reshape(-1, 3)
    names = [name for name, _, _ in pairs]
    each = {name: BoxResult.make(counts[i], float(distance[i]), identity[i]) for i, name in enumerate(names)}
    return BoxResult.make(counts.sum(0), float(distance.sum()), identity.sum(0), each)


def _tracks(name: str, truth: Poses, results: Poses) -> Tracks:
    """One sequence's boxes that take part, in the frames of both sides, and the IoU of those that share a frame."""
    truth, results = truth.select(truth.scores > 0), results.select(results.track_ids >= 0)
    check_track_ids("ground truth", name, truth, needed=True)
    check_track_ids("results", name, results, needed=False)
    truth_frames, result_frames = _frame_numbers(truth, results)
    frames = np.union1d(truth_frames, result_frames)
    truth, truth_offsets = _over_frames(frames, truth_frames, truth)
    results, result_offsets = _over_frames(frames, result_frames, results)
    tracks = Tracks(np.zeros(0), truth.track_ids, results.track_ids, truth_offsets, result_offsets)
    rows, columns = tracks.pairs
    similarity = paired_iou(truth.boxes.astype(np.float64)[rows], results.boxes.astype(np.float64)[columns])
    return replace(tracks, similarity=similarity)


def _frame_numbers(truth: Poses, results: Poses) -> tuple[np.ndarray, np.ndarray]:
    """Numbers that frames are matched by, (F,) of each side."""
    if truth.frame_ids is not None and results.frame_ids is not None:
        return truth.frame_ids, results.frame_ids
    return np.arange(len(truth)), np.arange(len(results))


def _over_frames(frames: np.ndarray, own: np.ndarray, side: Poses) -> tuple[Poses, np.ndarray]:
    """A side with its frames in rising order, and the offsets of its rows over the frames of both sides."""
    order = np.argsort(own, kind="stable")
    if (np.diff(own) < 0).any():
        side = Poses.concatenate([side.frame(int(f)) for f in order])
    counts = np.zeros(len(frames), np.int64)
    counts[np.searchsorted(frames, own[order])] = np.diff(side.frame_offsets)
    return side, offsets_of(counts)


def paired_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(P,) intersection over union of boxes (P, 4) xyxy with their partners (P, 4); 0 where both are empty."""
    overlap = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.maximum(overlap, 0).prod(1)
    whole = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - shared
    return np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)


def _percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole > 0 else float("nan")
