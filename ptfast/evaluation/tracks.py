"""Identity measures (IDF1) and HOTA of whole poses, by their keypoint similarity."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from ptfast._check import check_number
from ptfast._columns import frame_of_rows, frame_pairs
from ptfast.evaluation._ignore import ignored_joints
from ptfast.evaluation._notes import Named, check_any_tracked, check_common_joint, untracked_notes
from ptfast.evaluation._pairing import SequencePair, Source, check_track_ids, pair_sequences
from ptfast.evaluation.hota import HotaSums, hota_sums
from ptfast.evaluation.identity import Tracks, identity_counts, identity_shares
from ptfast.structures import Poses, head_sizes, pose_areas


@dataclass(frozen=True, eq=False)
class TrackResult:
    """Identity measures and HOTA, in percent.

    Attributes:
        idf1: 2 IDTP / (2 IDTP + IDFP + IDFN), or NaN where there is nothing on either side.
        id_precision: IDTP / (IDTP + IDFP).
        id_recall: IDTP / (IDTP + IDFN).
        hota: Mean over the 19 thresholds alpha = 0.05 to 0.95, as the three below.
        deta: Detection accuracy.
        assa: Association accuracy.
        loca: Localisation accuracy.
        hota_by_alpha: (19,) HOTA at each alpha.
        identity: (3,) IDTP, IDFP, IDFN.
        sequences: The same by sequence; empty in a sequence's own result.
        notes: What the figures do not say: poses without ids, frames that are lacking or count from another number.
    """

    idf1: float
    id_precision: float
    id_recall: float
    hota: float
    deta: float
    assa: float
    loca: float
    hota_by_alpha: np.ndarray
    identity: np.ndarray
    sequences: dict[str, TrackResult] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @staticmethod
    def make(identity: np.ndarray, sums: HotaSums, sequences: dict[str, TrackResult] | None = None) -> TrackResult:
        """Makes a result of IDTP, IDFP, IDFN (3,) and HOTA's sums."""
        measures = sums.measures()
        figures: dict[str, Any] = {name: 100 * float(values.mean()) for name, values in measures.items()}
        figures |= {"hota_by_alpha": 100 * measures["hota"], "identity": identity, "sequences": sequences or {}}
        return TrackResult(*identity_shares(identity), **figures)

    def to_dict(self) -> dict[str, Any]:
        """Every figure for JSON, None for a NaN, notes, and the same by sequence."""
        names = ("idf1", "id_precision", "id_recall", "hota", "deta", "assa", "loca")
        values = {name: float(getattr(self, name)) for name in names}
        figures: dict[str, Any] = {name: None if np.isnan(value) else value for name, value in values.items()}
        if self.notes:
            figures["notes"] = list(self.notes)
        if self.sequences:
            figures["sequences"] = {name: result.to_dict() for name, result in self.sequences.items()}
        return figures


def evaluate_tracks(
    ground_truth: Source,
    predictions: Source,
    *,
    similarity: Literal["oks", "pckh"] = "oks",
    min_similarity: float = 0.5,
) -> TrackResult:
    """IDF1 and HOTA of pose tracks.

    Labelled frames count, empty ones too. Joints inside ground-truth ignore regions are absent on both sides. Poses
    without joints and predictions without a track id take no part. Similarity of a person and a pose is the mean over
    the person's annotated joints of one of these, where a joint that the pose lacks gives 0:

    - "oks": exp(-d^2 / (2 (2 sigma)^2 area)), with the person's area and the skeleton's sigmas
    - "pckh": max(0, 1 - d / head size), with the person's head size

    Args:
        ground_truth: A file, a folder, a Poses, or Poses by sequence name; every pose with a track id.
        predictions: The same, mapped to the ground truth's skeleton by joint names.
        similarity: "oks" or "pckh".
        min_similarity: Least similarity at which a person and a pose are the same for IDF1, from 0 to 1. HOTA averages
            over all alphas.

    Returns:
        TrackResult.

    Raises:
        ValueError: Sequences or frames differ between the two sides, or they share no joint, an id occurs twice in a
            frame, a ground-truth pose has no id, or no predicted one has.

    Source:
        Ristani et al. 2016 (IDF1); Luiten et al. 2020 (HOTA).
    """
    if similarity not in _SIMILARITIES:
        raise ValueError(f"similarity must be {' or '.join(map(repr, _SIMILARITIES))}, got {similarity!r}")
    check_number("min_similarity", min_similarity, 0, 1)
    pairs = pair_sequences(ground_truth, predictions)
    found = [(pair.name, pair.predictions) for pair in pairs]
    check_any_tracked("predictions", found)
    tracks = [_tracks(pair, similarity) for pair in pairs]
    identity = [identity_counts(each, min_similarity) for each in tracks]
    sums = [hota_sums(each) for each in tracks]
    each = {pair.name: TrackResult.make(identity[i], sums[i]) for i, pair in enumerate(pairs)}
    total = HotaSums(*(sum((getattr(one, name) for one in sums), np.zeros(19)) for name in HotaSums.__annotations__))
    result = TrackResult.make(sum(identity, np.zeros(3, np.int64)), total, each)
    return replace(result, notes=_notes(pairs, tracks, found))


def _notes(pairs: list[SequencePair], tracks: list[Tracks], found: Named) -> tuple[str, ...]:
    """What the figures do not say."""
    nobody = not any(len(each.object_ids) for each in tracks)
    notes = ["ground truth has nobody in a frame that counts, so that no figure means anything"] if nobody else []
    notes += untracked_notes("predictions", found, "take no part")
    return (*notes, *(note for pair in pairs for note in pair.notes))


def _tracks(pair: SequencePair, similarity: str) -> Tracks:
    """One sequence's poses that take part, and the similarity of those that share a frame."""
    check_track_ids("ground truth", pair.name, pair.truth, needed=True)
    check_track_ids("predictions", pair.name, pair.predictions, needed=False)
    check_common_joint(pair.name, pair.truth, pair.predictions, pair.truth.skeleton)
    truth, poses = pair.truth, pair.predictions.to_skeleton(pair.truth.skeleton)
    truth, poses = (_taking_part(side, truth) for side in (truth, poses))
    rows, columns = frame_pairs(truth.frame_offsets, poses.frame_offsets)
    offset = truth.keypoints[rows].astype(np.float64) - poses.keypoints[columns]
    annotated = truth.joint_visibility[rows] > 0
    both = annotated & (poses.joint_visibility[columns] > 0)
    terms = np.zeros(both.shape)
    terms[both] = _SIMILARITIES[similarity](truth, (offset**2).sum(-1), rows)[both]
    return Tracks(
        similarity=terms.sum(1) / np.maximum(1, annotated.sum(1)),
        object_ids=truth.track_ids,
        hypothesis_ids=poses.track_ids,
        object_offsets=truth.frame_offsets,
        hypothesis_offsets=poses.frame_offsets,
    )


def _taking_part(poses: Poses, truth: Poses) -> Poses:
    """Tracked poses of labelled frames that have joints outside the ignore regions. The other joints are absent."""
    ignored = ignored_joints(poses.keypoints.astype(np.float64), poses.frame_offsets, truth.ignore_regions)
    visibility = np.where(ignored, 0, poses.joint_visibility)
    kept = (visibility > 0).any(1) & (poses.track_ids >= 0)
    if truth.is_labeled is not None:
        kept &= truth.is_labeled[frame_of_rows(poses.frame_offsets)]
    return replace(poses, joint_visibility=visibility).select(kept)


def _oks_terms(truth: Poses, squared: np.ndarray, rows: np.ndarray) -> np.ndarray:
    scale = 2 * (2 * np.asarray(truth.skeleton.sigmas)) ** 2 * pose_areas(truth).astype(np.float64)[rows, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(scale > 0, np.exp(-squared / scale), squared == 0)


def _pckh_terms(truth: Poses, squared: np.ndarray, rows: np.ndarray) -> np.ndarray:
    heads = head_sizes(truth)[rows, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(heads > 0, np.maximum(0, 1 - np.sqrt(squared) / heads), squared == 0)


_SIMILARITIES = {"oks": _oks_terms, "pckh": _pckh_terms}
