"""Identity measures of tracks (IDF1), from the similarity of objects and hypotheses that share a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast._columns import frame_pairs


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

    def select(self, objects: np.ndarray, hypotheses: np.ndarray) -> Tracks:
        """The objects (N,) and hypotheses (M,) where these are True, in the same frames."""
        rows, columns = self.pairs
        ends = [np.append(0, np.cumsum(kept)) for kept in (objects, hypotheses)]
        return Tracks(
            similarity=self.similarity[objects[rows] & hypotheses[columns]],
            object_ids=self.object_ids[objects],
            hypothesis_ids=self.hypothesis_ids[hypotheses],
            object_offsets=ends[0][self.object_offsets],
            hypothesis_offsets=ends[1][self.hypothesis_offsets],
        )


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


def identity_shares(identity: np.ndarray) -> tuple[float, float, float]:
    """IDF1, ID precision and ID recall in percent of IDTP, IDFP, IDFN (3,), or NaN for a share of nothing."""
    found, spurious, lost = (float(count) for count in identity)
    wholes = (found + (spurious + lost) / 2, found + spurious, found + lost)
    return tuple(100 * found / whole if whole > 0 else np.nan for whole in wholes)  # type: ignore[return-value]
