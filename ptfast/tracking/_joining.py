"""What joining a whole video and joining online share: settings, the columns that are compared, similarities, pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast._check import check_finite, check_number
from ptfast.ops.assignment import Matcher, assign_ragged
from ptfast.ops.oks import oks_matrix
from ptfast.structures import Tracklets

_CHUNK_BYTES = 4 << 20  # of gathered joints and similarities at a time: more leaves the caches, less calls too often


@dataclass(frozen=True)
class JoinSettings:
    """The arguments of `join_tracklets` and `OnlineJoiner`, checked."""

    min_similarity: float | None
    sigma_scale: float
    min_joint_score: float | None
    matcher: Matcher

    def __post_init__(self) -> None:
        if self.min_similarity is not None:
            check_number("min_similarity", self.min_similarity, 0, 1)
        if not self.sigma_scale > 0:
            raise ValueError(f"sigma_scale must be positive, got {self.sigma_scale}")
        if self.min_joint_score is not None and np.isnan(self.min_joint_score):
            raise ValueError("min_joint_score must be a number or None, got nan")
        if self.matcher not in ("hungarian", "greedy"):
            raise ValueError(f"matcher must be 'hungarian' or 'greedy', got {self.matcher!r}")


@dataclass(frozen=True)
class Clips:
    """Tracklets as they are compared; entry r * length + t is frame t of row r.

    Attributes:
        keypoints: (M * T, K, 2) float32.
        visible: (M * T, K) bool, the joints that count, or None where all do.
        seen: (M * T,) float32, 1 where any joint counts, or None where that is so everywhere.
        areas: (M,) float32, the boxes' areas.
        sigmas: (K,) float32, scaled.
        length: T.
    """

    keypoints: np.ndarray
    visible: np.ndarray | None
    seen: np.ndarray | None
    areas: np.ndarray
    sigmas: np.ndarray
    length: int

    @staticmethod
    def of(tracklets: Tracklets, frames: int | None, settings: JoinSettings) -> Clips:
        """Raises ValueError where a box, or a joint that counts, is NaN or infinite."""
        m, t, k = tracklets.joint_scores.shape
        visible = _visible(tracklets, frames, settings.min_joint_score)
        keypoints = np.ascontiguousarray(tracklets.keypoints)
        # A sum is finite only if all its terms are, and needs no memory; joints that do not count may hold anything.
        with np.errstate(over="ignore", invalid="ignore"):
            finite = np.isfinite(keypoints.sum())
        if not finite:
            check_finite("keypoints", keypoints if visible is None else np.where(visible[..., None], keypoints, 0))
        check_finite("boxes", tracklets.boxes)
        size = tracklets.boxes[:, 2:] - tracklets.boxes[:, :2]
        seen = None if visible is None else _any_joint(visible.reshape(-1, k))
        return Clips(
            keypoints=keypoints.reshape(m * t, k, 2),
            visible=None if visible is None else visible.reshape(m * t, k),
            seen=None if seen is None or seen.all() else seen.astype(np.float32),
            areas=size[:, 0] * size[:, 1],
            sigmas=np.array(tracklets.skeleton.sigmas, np.float32) * np.float32(settings.sigma_scale),
            length=t,
        )


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
        """(G, N) rows, and (G, N) bool, False where a key frame has fewer than N and some other row stands instead."""
        place = np.arange(self.counts.max(initial=0))
        index = np.minimum(self.first[:, None] + place, len(self.rows) - 1)
        return self.rows[index], place < self.counts[:, None]

    def take(self, part: np.ndarray) -> Rows:
        return Rows(self.rows, self.first[part], self.counts[part])


def match_rows(
    earlier: Clips, earlier_rows: Rows, later: Clips, later_rows: Rows, gap: int, settings: JoinSettings
) -> tuple[np.ndarray, np.ndarray]:
    """The rows that are paired, (P,) and (P,), in G pairs of key frames `gap` frames apart, each matched for itself."""
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
    """(G, N, M) mean OKS of rows (G, N) and (G, M) over their common frames in which both have joints that count."""
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


def _visible(tracklets: Tracklets, frames: int | None, min_joint_score: float | None) -> np.ndarray | None:
    """(M, T, K) bool, the joints of sufficient score inside the video; None where all are."""
    shape = tracklets.joint_scores.shape
    frame = tracklets.first_frame[:, None] + np.arange(shape[1])
    inside = (frame >= 0) & (frame < (np.iinfo(np.int64).max if frames is None else frames))
    if min_joint_score is None:
        return None if inside.all() else np.broadcast_to(inside[..., None], shape)
    visible = np.ascontiguousarray(tracklets.joint_scores) >= np.float32(min_joint_score)
    if not inside.all():
        visible &= inside[..., None]
    return None if visible.all() else visible


def _any_joint(visible: np.ndarray) -> np.ndarray:
    """(E,) of (E, K); NumPy goes down long columns several times as fast as along short rows."""
    seen = visible[:, 0].copy()
    for joint in range(1, visible.shape[1]):
        seen |= visible[:, joint]
    return seen
