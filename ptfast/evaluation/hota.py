"""Higher order tracking accuracy (HOTA), from the similarity of objects and hypotheses that share a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast.evaluation.identity import Tracks
from ptfast.ops.assignment import assign_ragged

ALPHAS = np.arange(1, 20) * 0.05
_EPSILON = np.finfo(np.float64).eps  # alpha 0.3 is 0.30000000000000004


@dataclass(frozen=True)
class HotaSums:
    """Sums of HOTA over sequences, (19,) each, one for each alpha.

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
        """HOTA, DetA, AssA and LocA, (19,) each, 0 to 1. LocA is 1 where nothing matched, as its authors have it."""
        found = self.true_positives
        detection = found / np.maximum(1, found + self.false_negatives + self.false_positives)
        association = self.association / np.maximum(1, found)
        localisation = np.where(found > 0, self.localisation / np.maximum(1, found), 1.0)
        return {"hota": np.sqrt(detection * association), "deta": detection, "assa": association, "loca": localisation}


def hota_sums(tracks: Tracks) -> HotaSums:
    """HOTA's sums of one sequence.

    Source:
        Luiten et al. 2020, HOTA, sections 4 and 5.
    """
    matching = match_trajectories(tracks)
    frames_of_either = matching.lengths + matching.other_lengths
    n, m = len(tracks.object_ids), len(tracks.hypothesis_ids)
    sums = np.zeros((5, len(ALPHAS)))
    for index, alpha in enumerate(ALPHAS):
        similarity, together = matching.at(alpha)
        association = together * together / np.maximum(1, frames_of_either - together)
        found = len(similarity)
        sums[:, index] = found, n - found, m - found, association.sum(), similarity.sum()
    return HotaSums(*sums)


@dataclass(frozen=True)
class Matching:
    """Pairs that are matched for all alphas, and the Q pairs of trajectories that ever share a frame.

    Attributes:
        similarity: (R,) of the matched pairs.
        kind: (R,) pair of trajectories, 0 to Q - 1, of each.
        lengths: (Q,) frames of the object's trajectory.
        other_lengths: (Q,) frames of the hypothesis's.
    """

    similarity: np.ndarray
    kind: np.ndarray
    lengths: np.ndarray
    other_lengths: np.ndarray

    def at(self, alpha: float) -> tuple[np.ndarray, np.ndarray]:
        """Similarities of the matches of at least `alpha`, and (Q,) their number for each pair of trajectories."""
        kept = self.similarity >= alpha - _EPSILON
        return self.similarity[kept], np.bincount(self.kind[kept], minlength=len(self.lengths))


def match_trajectories(tracks: Tracks) -> Matching:
    """Matches each frame, by similarity times how well the two trajectories fit over the whole sequence."""
    rows, columns = tracks.pairs
    _, of_row, length = np.unique(tracks.object_ids, return_inverse=True, return_counts=True)
    _, of_column, other_length = np.unique(tracks.hypothesis_ids, return_inverse=True, return_counts=True)
    count = max(1, len(other_length))
    kinds, kind = np.unique(of_row[rows] * count + of_column[columns], return_inverse=True)
    own, other = length[kinds // count], other_length[kinds % count]
    pair = _best_pairs(tracks, _worth(tracks, rows, columns, kind, own + other))
    return Matching(tracks.similarity[pair], kind[pair], own, other)


def _worth(
    tracks: Tracks, rows: np.ndarray, columns: np.ndarray, kind: np.ndarray, frames_of_either: np.ndarray
) -> np.ndarray:
    """(P,) similarity of each pair times the fit of its two trajectories, a soft intersection over union of frames.

    Args:
        tracks: P pairs that share a frame.
        rows: (P,) objects.
        columns: (P,) hypotheses.
        kind: (P,) pair of trajectories, 0 to Q - 1.
        frames_of_either: (Q,) lengths of the two trajectories together.
    """
    similarity = tracks.similarity
    of_object = np.bincount(rows, similarity, len(tracks.object_ids))
    of_hypothesis = np.bincount(columns, similarity, len(tracks.hypothesis_ids))
    either = of_object[rows] + of_hypothesis[columns] - similarity
    share = np.divide(similarity, either, out=np.zeros_like(similarity), where=either > _EPSILON)
    together = np.bincount(kind, share, len(frames_of_either))
    return (together / (frames_of_either - together))[kind] * similarity


def _best_pairs(tracks: Tracks, worth: np.ndarray) -> np.ndarray:
    """Indices of the pairs that make each frame's worth (P,) greatest."""
    sizes = np.diff(tracks.object_offsets), np.diff(tracks.hypothesis_offsets)
    found = assign_ragged(-worth, *sizes)  # within the frame, or -1
    first = np.repeat(tracks.hypothesis_offsets[:-1], sizes[0])
    rows, columns = tracks.pairs
    return np.flatnonzero(np.where(found >= 0, found + first, -1)[rows] == columns)
