"""Tracks that begin with a sure pose: one score to go on with, a higher one to begin with."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ptfast._check import check_threshold
from ptfast._columns import like
from ptfast.structures import Poses


def drop_unsure_beginnings(poses: Poses, min_new_score: float | None) -> Poses:
    """Drops what a track has before its first pose with a score of at least `min_new_score`: all, if it has none.

    A low threshold of linking keeps people through frames in which they are hard to see, and makes tracks of what is
    nobody. People are seen well at some time; the foot of a table never is.

    Args:
        poses: Poses with track ids, NumPy or torch. Poses without an id stay.
        min_new_score: The score. None keeps all.

    Returns:
        The other poses. Their ids count from 0 in the order in which tracks begin.

    Raises:
        ValueError: `min_new_score` is NaN.

    Source:
        Zhang et al. 2022 (ByteTrack), section 3: low scores go on with tracks, high ones alone begin them.
    """
    check_threshold("min_new_score", min_new_score)
    host = poses.numpy()
    rows, ids = np.arange(len(host.scores)), host.track_ids
    sure = np.ones(len(rows), bool) if min_new_score is None else host.scores >= min_new_score
    _, track = np.unique(ids, return_inverse=True)
    begins = np.full(track.max(initial=-1) + 1, len(rows))
    np.minimum.at(begins, track[sure & (ids >= 0)], rows[sure & (ids >= 0)])
    number = np.empty(len(begins), np.int64)
    number[np.argsort(begins, kind="stable")] = np.arange(len(begins))
    kept = (ids < 0) | (rows >= begins[track])
    named = poses.with_track_ids(like(poses.keypoints, np.where(ids < 0, ids, number[track])))
    return named.select(kept)


class FrameLinker(Protocol):
    """What gives ids frame by frame: `OnlineLinker`, `TrackLinker`, or a method's own."""

    def update(self, frame_poses: Poses, /) -> Poses:
        """The next frame's poses with track ids."""

    def lost_tracks(self) -> list[int]:
        """Ids that nobody has in the newest frame and that the next frame may still take up."""


class SureLinker:
    """Links frame by frame as a linker does, and drops the unsure beginnings of its tracks.

    What it gives is what `drop_unsure_beginnings` keeps of the whole video's tracks. It remembers the tracks that may
    go on and nothing else.

    Args:
        linker: Gives ids.
        min_new_score: As in `drop_unsure_beginnings`.

    Raises:
        ValueError: `min_new_score` is NaN.

    Example:
        >>> linker = SureLinker(OnlineLinker(min_score=0.2), min_new_score=0.3)
        >>> for frame_poses in stream:
        ...     print(linker.update(frame_poses).track_ids)
    """

    def __init__(self, linker: FrameLinker, min_new_score: float | None) -> None:
        check_threshold("min_new_score", min_new_score)
        self._linker, self._min_new_score = linker, min_new_score
        self._numbers: dict[int, int] = {}  # of the tracks that have begun, by the linker's ids
        self._begun = 0

    def update(self, frame_poses: Poses) -> Poses:
        """Links the next frame.

        Args:
            frame_poses: Poses of exactly one frame, NumPy, as `OnlineLinker.update` takes them.

        Returns:
            The poses of tracks that have begun, with track_ids.
        """
        linked = self._linker.update(frame_poses)
        ids = linked.track_ids.tolist()
        for track, score in zip(ids, linked.scores.tolist(), strict=True):
            if track >= 0 and track not in self._numbers and self._is_sure(score):
                self._numbers[track] = self._begun
                self._begun += 1
        kept = np.array([track < 0 or track in self._numbers for track in ids], bool)
        numbers = np.array([self._numbers.get(track, track) for track in ids], np.int64)
        alive = {*ids, *self._linker.lost_tracks()}
        self._numbers = {track: number for track, number in self._numbers.items() if track in alive}
        return linked.with_track_ids(numbers).select(kept)

    def lost_tracks(self) -> list[int]:
        """Ids that nobody has in the newest frame and that the next frame may still take up, ascending."""
        return sorted(self._numbers[track] for track in self._linker.lost_tracks() if track in self._numbers)

    def _is_sure(self, score: float) -> bool:
        return self._min_new_score is None or score >= self._min_new_score
