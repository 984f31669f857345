"""Identity and higher-order measures of tracks, from the similarity of objects and hypotheses that share a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast._columns import frame_pairs
from ptfast.ops.clear import clear_match

ALPHAS = np.arange(1, 20) * 0.05
_EPSILON = np.finfo(np.float64).eps  # alpha 0.3 is 0.30000000000000004


@dataclass(frozen=True)
class Tracks:
    """One sequence. N objects and M hypotheses in F frames, P pairs that share a frame in the order of frame_pairs.

    Attributes:
        similarity: (P,) float64 from 0 to 1.
        object_ids: (N,) integers.
        hypothesis_ids: (M,) integers.
        object_offsets: (F + 1,) int64.
        hypothesis_offsets: (F + 1,) int64.
    """

    similarity: np.ndarray
    object_ids: np.ndarray
    hypothesis_ids: np.ndarray
    object_offsets: np.ndarray
    hypothesis_offsets: np.ndarray

    @property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows of objects and of hypotheses, (P,) each."""
        return frame_pairs(self.object_offsets, self.hypothesis_offsets)


def identity_counts(tracks: Tracks, min_similarity: float) -> np.ndarray:
    """(3,) int64 true positives, false positives, false negatives of the best one-to-one pairing of whole trajectories.

    A pair of trajectories is worth the frames in which both are there with at least `min_similarity`.

    Source:
        Ristani et al. 2016, Performance measures and a data set for multi-target, multi-camera tracking.
    """
    from scipy.optimize import linear_sum_assignment

    rows, columns = tracks.pairs
    near = tracks.similarity >= min_similarity
    objects, of_row = np.unique(tracks.object_ids, return_inverse=True)
    hypotheses, of_column = np.unique(tracks.hypothesis_ids, return_inverse=True)
    together = np.zeros((len(objects), len(hypotheses)))
    np.add.at(together, (of_row[rows[near]], of_column[columns[near]]), 1)
    found = int(together[linear_sum_assignment(together, maximize=True)].sum())
    return np.array([found, len(of_column) - found, len(of_row) - found], np.int64)


@dataclass(frozen=True)
class HotaSums:
    """What HOTA adds up over sequences, (19,) for each alpha.

    Attributes:
        true_positives: Matched pairs.
        false_negatives: Objects without a hypothesis.
        false_positives: Hypotheses without an object.
        association: Sum of the association score over matched pairs.
        localisation: Sum of the similarity of matched pairs.
    """

    true_positives: np.ndarray
    false_negatives: np.ndarray
    false_positives: np.ndarray
    association: np.ndarray
    localisation: np.ndarray

    def measures(self) -> dict[str, np.ndarray]:
        """HOTA, DetA, AssA and LocA, (19,) each, 0 to 1; LocA is 1 where nothing matched, as its authors have it."""
        found = self.true_positives
        detection = found / np.maximum(1, found + self.false_negatives + self.false_positives)
        association = self.association / np.maximum(1, found)
        localisation = np.where(found > 0, self.localisation / np.maximum(1, found), 1.0)
        return {"hota": np.sqrt(detection * association), "deta": detection, "assa": association, "loca": localisation}


def hota_sums(tracks: Tracks) -> HotaSums:
    """HOTA's sums of one sequence.

    Frames are matched once, by similarity times how well the two trajectories fit over the whole sequence; each alpha
    then keeps the pairs of at least that similarity.

    Source:
        Luiten et al. 2020, HOTA, sections 4 and 5.
    """
    rows, columns = tracks.pairs
    _, of_row, length = np.unique(tracks.object_ids, return_inverse=True, return_counts=True)
    _, of_column, other_length = np.unique(tracks.hypothesis_ids, return_inverse=True, return_counts=True)
    key = of_row[rows] * max(1, len(other_length)) + of_column[columns]
    kinds, kind = np.unique(key, return_inverse=True)  # pairs of trajectories that ever share a frame
    frames_of_either = length[kinds // max(1, len(other_length))] + other_length[kinds % max(1, len(other_length))]
    pair = _matched_pairs(tracks, _fit(tracks, rows, columns, kind, frames_of_either))
    n, m = len(of_row), len(of_column)
    sums = np.zeros((5, len(ALPHAS)))
    for index, alpha in enumerate(ALPHAS):
        kept = pair[tracks.similarity[pair] >= alpha - _EPSILON]
        together = np.bincount(kind[kept], minlength=len(kinds))
        association = together * together / np.maximum(1, frames_of_either - together)
        found = len(kept)
        sums[:, index] = found, n - found, m - found, association.sum(), tracks.similarity[kept].sum()
    return HotaSums(*sums)


def _fit(
    tracks: Tracks, rows: np.ndarray, columns: np.ndarray, kind: np.ndarray, frames_of_either: np.ndarray
) -> np.ndarray:
    """(P,) similarity of each pair times the fit of its two trajectories, a soft intersection over union of frames."""
    similarity = tracks.similarity
    of_object = np.bincount(rows, similarity, len(tracks.object_ids))
    of_hypothesis = np.bincount(columns, similarity, len(tracks.hypothesis_ids))
    either = of_object[rows] + of_hypothesis[columns] - similarity
    share = np.divide(similarity, either, out=np.zeros_like(similarity), where=either > _EPSILON)
    together = np.bincount(kind, share, len(frames_of_either))
    return (together / (frames_of_either - together))[kind] * similarity


def _matched_pairs(tracks: Tracks, worth: np.ndarray) -> np.ndarray:
    """Indices of the pairs that make each frame's worth (P,) greatest."""
    frames = len(tracks.object_offsets) - 1
    events = clear_match(
        -worth[:, None],
        tracks.object_ids,
        tracks.hypothesis_ids,
        object_offsets=tracks.object_offsets,
        hypothesis_offsets=tracks.hypothesis_offsets,
        sequence_offsets=np.arange(frames + 1),  # no frame knows another, so that this is plain assignment
    )
    rows, columns = tracks.pairs
    return np.flatnonzero(events.matched[rows, 0] == columns)
