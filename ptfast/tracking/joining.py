"""Joining of tracklets of overlapping clips that are the same person, for a whole video or one key frame at a time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from ptfast._check import Array, check_integer
from ptfast._columns import like
from ptfast.ops.assignment import Matcher
from ptfast.skeletons import Skeleton
from ptfast.structures import Tracklets
from ptfast.tracking._clips import Clips, JoinSettings
from ptfast.tracking._joining import Rows, match_rows

# Chosen on training sequences alone; benchmarks/tune_joining.py prints the table.
MIN_SIMILARITY = 0.3
SIGMA_SCALE = 1.0
MIN_JOINT_SCORE = 0.2  # as HRNet counts joints for a pose's score


def join_tracklets(
    tracklets: Tracklets,
    *,
    frames: int | None = None,
    min_similarity: float | None = MIN_SIMILARITY,
    sigma_scale: float = SIGMA_SCALE,
    min_joint_score: float | None = MIN_JOINT_SCORE,
    matcher: Matcher = "hungarian",
) -> Array:
    """Gives the tracklets of a video track ids, the same to those of the same person.

    The similarity of two tracklets is their mean OKS over the frames that both clips hold, with the later tracklet's
    box as the area. Tracklets of consecutive key frames are matched by the Hungarian algorithm on its negative. Those
    that still lack a predecessor are then matched with those that still lack a successor two key frames before, then
    three, as far as clips overlap, so that a person whom the detector missed for a few key frames keeps their id. A
    tracklet takes its predecessor's id. The others get the next free one in the order of key frames and rows.

    All of a video's key frames are matched in parallel. Clips may be of any length and their key frames any number of
    frames apart; key frames may be missing.

    Args:
        tracklets: All tracklets of the video in any order, NumPy or torch (they are compared on the host).
        frames: The video's number of frames. Entries past it do not count; None if there are none.
        min_similarity: Least similarity of a pair, 0 to 1. None allows every pair, as the paper does.
        sigma_scale: Factor on the skeleton's OKS sigmas.
        min_joint_score: Least score of a joint that counts. Frames in which a tracklet has no such joint do not count
            either. None counts all. Two tracklets without a common frame that counts have similarity 0.
        matcher: "hungarian" (highest total similarity) or "greedy" (most similar pair first).

    Returns:
        (M,) int64 track ids, 0 to the number of people - 1.

    Raises:
        ValueError: An argument is out of range, or a box or a joint that counts has a NaN or infinite coordinate.

    Source:
        Wang et al. 2020, section 3.2.
    """
    settings = JoinSettings(min_similarity, sigma_scale, min_joint_score, matcher)
    host = tracklets.numpy()
    clips = Clips.of(host, _checked(frames), settings)
    order = np.argsort(host.first_frame, kind="stable")
    key_frames, first = np.unique(host.first_frame[order], return_index=True)
    predecessor, followed = np.full(len(host), -1, np.int64), np.zeros(len(host), bool)
    for gap in range(1, min(clips.length, len(key_frames) and int(np.ptp(key_frames)) + 1)):
        # For each key frame the nearest ones come first on either side, so going by frames is going by key frames.
        _, later, earlier = np.intersect1d(key_frames, key_frames + gap, assume_unique=True, return_indices=True)
        ends, starts = _free_rows(order, first, ~followed), _free_rows(order, first, predecessor < 0)
        open_pairs = (ends.counts[earlier] > 0) & (starts.counts[later] > 0)
        ends, starts = ends.take(earlier[open_pairs]), starts.take(later[open_pairs])
        from_rows, to_rows = match_rows(clips, ends, clips, starts, gap, settings)
        predecessor[to_rows] = from_rows
        followed[from_rows] = True
    return like(tracklets.keypoints, _hand_down(predecessor, order))


class OnlineJoiner:
    """Gives tracklets track ids as key frames come: those that `join_tracklets` gives the whole video.

    It keeps the tracklets of the key frames whose clips may still overlap a coming one, and nothing else. Its arguments
    are those of `join_tracklets`.

    Example:
        >>> joiner = OnlineJoiner()
        >>> for tracklets in stream:
        ...     ids = joiner.update(tracklets)
    """

    def __init__(
        self,
        *,
        min_similarity: float | None = MIN_SIMILARITY,
        sigma_scale: float = SIGMA_SCALE,
        min_joint_score: float | None = MIN_JOINT_SCORE,
        matcher: Matcher = "hungarian",
    ) -> None:
        self._settings = JoinSettings(min_similarity, sigma_scale, min_joint_score, matcher)
        self.reset()

    def reset(self) -> None:
        """Forgets all tracks. The next id is 0 again."""
        self._recent: deque[_KeyFrame] = deque()
        self._kind: tuple[Skeleton, int] | None = None
        self._next = 0

    def update(self, tracklets: Tracklets, *, frames: int | None = None) -> Array:
        """Joins the tracklets of the next key frame.

        Args:
            tracklets: All tracklets of one key frame, perhaps none. It is later than those before.
            frames: The video's number of frames. It must be known when a clip reaches past the end.

        Returns:
            (M,) int64 track ids.

        Raises:
            ValueError: The tracklets are of several key frames, of one that is not later than those before, or of
                another skeleton or clip length than before. Also as in `join_tracklets`.
        """
        host = tracklets.numpy()
        clips = Clips.of(host, _checked(frames), self._settings)
        ids = np.full(len(host), -1, np.int64)
        if len(host):
            self._expect(host)
            self._join(_KeyFrame(int(host.first_frame[0]), clips, ids, np.ones(len(host), bool)))
        return like(tracklets.keypoints, ids)

    def _join(self, current: _KeyFrame) -> None:
        """Fills the key frame's ids, nearest earlier key frames first, and keeps it."""
        while self._recent and current.first_frame - self._recent[0].first_frame >= current.clips.length:
            self._recent.popleft()
        for earlier in reversed(self._recent):
            ends, starts = _all_rows(earlier.unfollowed), _all_rows(current.ids < 0)
            if len(ends.rows) and len(starts.rows):
                gap = current.first_frame - earlier.first_frame
                from_rows, to_rows = match_rows(earlier.clips, ends, current.clips, starts, gap, self._settings)
                current.ids[to_rows] = earlier.ids[from_rows]
                earlier.unfollowed[from_rows] = False
        new = current.ids < 0
        current.ids[new] = self._next + np.arange(new.sum())
        self._next += int(new.sum())
        self._recent.append(current)

    def _expect(self, tracklets: Tracklets) -> None:
        key_frames = np.unique(tracklets.first_frame)
        if len(key_frames) > 1:
            raise ValueError(f"tracklets must be of one key frame, got first_frame {key_frames[:4].tolist()}")
        if self._recent and key_frames[0] <= self._recent[-1].first_frame:
            before = self._recent[-1].first_frame
            raise ValueError(f"tracklets must have first_frame after {before}, the last one's, got {key_frames[0]}")
        kind = tracklets.skeleton, tracklets.keypoints.shape[1]
        if self._kind is None:
            self._kind = kind
        elif kind != self._kind:
            wanted, got = (f"{length} frames of {skeleton.name}" for skeleton, length in (self._kind, kind))
            raise ValueError(f"tracklets must hold {wanted} as before, got {got}")


@dataclass(frozen=True)
class _KeyFrame:
    """A key frame of a stream."""

    first_frame: int  # of its clips
    clips: Clips
    ids: np.ndarray  # (M,)
    unfollowed: np.ndarray  # (M,) bool, no successor yet


def _checked(frames: int | None) -> int | None:
    return None if frames is None else check_integer("frames", frames, 0)


def _free_rows(order: np.ndarray, first: np.ndarray, free: np.ndarray) -> Rows:
    """The free rows (M,) of each key frame, given all rows in order (M,) and where a key frame's start (G,)."""
    free = free[order]
    counts = np.add.reduceat(free, first, dtype=np.int64)
    return Rows(order[free], np.cumsum(counts) - counts, counts)


def _all_rows(free: np.ndarray) -> Rows:
    """The free rows (M,) of a single key frame."""
    rows = np.flatnonzero(free)
    return Rows(rows, np.zeros(1, np.int64), np.array([len(rows)]))


def _hand_down(predecessor: np.ndarray, order: np.ndarray) -> np.ndarray:
    """(M,) ids: a row has its predecessor's, rows without one have new ids in order (M,)."""
    origin = np.where(predecessor < 0, np.arange(len(predecessor)), predecessor)
    while not np.array_equal(further := origin[origin], origin):  # twice as far each time
        origin = further
    ids = np.empty(len(order), np.int64)
    new = order[predecessor[order] < 0]
    ids[new] = np.arange(len(new))
    return ids[origin]
