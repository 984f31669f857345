"""Matching of tracklets, which joining a whole video and joining online share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast.ops.assignment import assign_ragged
from ptfast.ops.oks import oks_matrix
from ptfast.tracking._clips import Clips, JoinSettings

_CHUNK_BYTES = 4 << 20  # of gathered joints and similarities at a time: more leaves the caches, less calls too often


@dataclass(frozen=True)
class Rows:
    """Rows of G key frames, one key frame after the other.

    Attributes:
        rows: (R,) int64.
        first: (G,) int64, where a key frame's rows start.
        counts: (G,) int64, how many they are.
    """

    rows: np.ndarray
    first: np.ndarray
    counts: np.ndarray

    def padded(self) -> tuple[np.ndarray, np.ndarray]:
        """(G, N) rows, and (G, N) bool, False where a key frame has fewer than N and some other row fills its place."""
        place = np.arange(self.counts.max(initial=0))
        index = np.minimum(self.first[:, None] + place, len(self.rows) - 1)
        return self.rows[index], place < self.counts[:, None]

    def take(self, part: np.ndarray) -> Rows:
        """The rows of some key frames, given by their indices or a mask."""
        return Rows(self.rows, self.first[part], self.counts[part])


def match_rows(
    earlier: Clips, earlier_rows: Rows, later: Clips, later_rows: Rows, gap: int, settings: JoinSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Matches the rows of G pairs of key frames, `gap` frames apart, each pair for itself.

    Returns:
        (P,) rows of the earlier key frames and (P,) rows of the later ones, pair by pair.
    """
    joints = earlier.keypoints.shape[1]
    size = np.maximum(earlier_rows.counts, later_rows.counts)
    order = np.argsort(-size, kind="stable")  # key frames of one size together: little padding
    found = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    done = 0
    while done < len(order):
        people = int(size[order[done]])
        bytes_a_pair = (earlier.length - gap) * people * (2 * 9 * joints + 8 * people)
        part = order[done : done + max(1, _CHUNK_BYTES // max(1, bytes_a_pair))]
        found.append(_match_chunk(earlier, earlier_rows.take(part), later, later_rows.take(part), gap, settings))
        done += len(part)
    return np.concatenate([a for a, _ in found]), np.concatenate([b for _, b in found])


def _match_chunk(
    earlier: Clips, earlier_rows: Rows, later: Clips, later_rows: Rows, gap: int, settings: JoinSettings
) -> tuple[np.ndarray, np.ndarray]:
    rows_a, real_a = earlier_rows.padded()
    rows_b, real_b = later_rows.padded()
    similarity = _similarity(earlier, rows_a, later, rows_b, gap)
    pairs = real_a[:, :, None] & real_b[:, None]
    columns = assign_ragged(
        -similarity[pairs],
        earlier_rows.counts,
        later_rows.counts,
        max_cost=None if settings.min_similarity is None else -settings.min_similarity,
        method=settings.matcher,
    )
    matched = columns >= 0
    problem = np.nonzero(real_a)[0][matched]
    return rows_a[real_a][matched], rows_b[problem, columns[matched]]


def _similarity(earlier: Clips, rows_a: np.ndarray, later: Clips, rows_b: np.ndarray, gap: int) -> np.ndarray:
    """(G, N, M) mean OKS of rows (G, N) and (G, M) over their common frames in which both have joints that count.

    This is the similarity of Wang et al. 2020, section 3.2.
    """
    common = np.arange(earlier.length - gap)[:, None]
    entries_a = rows_a[:, None] * earlier.length + (common + gap)  # (G, O, N)
    entries_b = rows_b[:, None] * later.length + common
    area = later.areas[rows_b][:, None]
    oks = oks_matrix(
        earlier.keypoints.take(entries_a, 0),
        later.keypoints.take(entries_b, 0),
        area=np.broadcast_to(area, entries_b.shape),
        sigmas=later.sigmas,
        a_visible=None if earlier.visible is None else earlier.visible.take(entries_a, 0),
        b_visible=None if later.visible is None else later.visible.take(entries_b, 0),
    )
    # Frame after frame, so that a sum is the same whatever stands beside it; OKS without common joints is 0.
    total = oks[:, 0]
    for o in range(1, oks.shape[1]):
        total += oks[:, o]
    if earlier.seen is None and later.seen is None:
        return total / np.float32(len(common))
    seen_a = np.ones(entries_a.shape, np.float32) if earlier.seen is None else earlier.seen[entries_a]
    seen_b = np.ones(entries_b.shape, np.float32) if later.seen is None else later.seen[entries_b]
    return total / np.maximum(seen_a.swapaxes(1, 2) @ seen_b, 1)
