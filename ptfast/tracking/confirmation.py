"""Tentative tracks: a low score keeps a track alive, a higher one confirms it."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ptfast._check import check_threshold
from ptfast._columns import like
from ptfast.structures import Poses


def drop_tentative(poses: Poses, min_new_score: float | None) -> Poses:
    """Drops each track's poses before the first that scores `min_new_score` or more, and tracks without such a pose.

    A low threshold of linking keeps people through frames in which they are hard to see, and makes tracks of what is
    nobody. A track is tentative until a pose confirms it.

    Args:
        poses: Poses with track ids, NumPy or torch. Poses without an id stay.
        min_new_score: The score. None keeps all.

    Returns:
        The other poses. Their ids count from 0 in the order in which tracks are confirmed.

    Raises:
        ValueError: `min_new_score` is NaN.

    Source:
        Zhang et al. 2022 (ByteTrack), section 3: boxes of low scores extend tracks, high ones alone start them.
    """
    check_threshold("min_new_score", min_new_score)
    host = poses.numpy()
    rows, ids = np.arange(len(host.scores)), host.track_ids
    sure = confirms(host.scores, min_new_score) & (ids >= 0)
    _, track = np.unique(ids, return_inverse=True)
    first = np.full(track.max(initial=-1) + 1, len(rows))
    np.minimum.at(first, track[sure], rows[sure])
    number = np.empty(len(first), np.int64)
    number[np.argsort(first, kind="stable")] = np.arange(len(first))
    named = poses.with_track_ids(like(poses.keypoints, np.where(ids < 0, ids, number[track])))
    return named.select((ids < 0) | (rows >= first[track]))


def confirms(scores: np.ndarray, min_new_score: float | None) -> np.ndarray:
    """(N,) bool, True for poses whose scores (N,) float32 confirm their tracks."""
    return np.ones(len(scores), bool) if min_new_score is None else scores >= min_new_score


class FrameLinker(Protocol):
    """What gives ids to poses of one frame as they come: `OnlineLinker`, `TrackLinker`, or a method's own."""

    def update(self, frame_poses: Poses, /) -> Poses:
        """The next frame's poses with track ids."""

    def lost_tracks(self) -> list[int]:
        """Ids that nobody has in the newest frame and that the next frame may still take up."""


class ConfirmedLinker:
    """Links frame by frame as a linker does, and drops tentative tracks: one for each video.

    What it gives is what `drop_tentative` keeps of the whole video's tracks. It remembers confirmed tracks that may go
    on and nothing else. Poses to which the linker gives no id stay.

    Args:
        linker: Gives ids; it must not have seen a frame yet.
        min_new_score: As in `drop_tentative`.

    Raises:
        ValueError: `min_new_score` is NaN.

    Example:
        >>> linker = ConfirmedLinker(OnlineLinker(min_score=0.2), min_new_score=0.3)
        >>> for frame_poses in stream:
        ...     print(linker.update(frame_poses).track_ids)
    """

    def __init__(self, linker: FrameLinker, min_new_score: float | None) -> None:
        check_threshold("min_new_score", min_new_score)
        self._linker, self._min_new_score = linker, min_new_score
        self._numbers: dict[int, int] = {}  # of confirmed tracks, by the linker's ids
        self._count = 0

    def update(self, frame_poses: Poses) -> Poses:
        """Links the next frame.

        Args:
            frame_poses: Poses of exactly one frame, NumPy, as the linker takes them.

        Returns:
            The poses of confirmed tracks, with track_ids.
        """
        linked = self._linker.update(frame_poses)
        ids = linked.track_ids.tolist()
        numbers = np.array([self._number(*pair) for pair in zip(ids, self._sure(linked), strict=True)], np.int64)
        alive = {*ids, *self._linker.lost_tracks()}
        self._numbers = {track: number for track, number in self._numbers.items() if track in alive}
        return linked.with_track_ids(numbers).select((numbers >= 0) | (linked.track_ids < 0))

    def lost_tracks(self) -> list[int]:
        """Ids that nobody has in the newest frame and that the next frame may still take up, ascending."""
        return sorted(self._numbers[track] for track in self._linker.lost_tracks() if track in self._numbers)

    def _sure(self, poses: Poses) -> list[bool]:
        sure: list[bool] = confirms(poses.scores, self._min_new_score).tolist()
        return sure

    def _number(self, track: int, sure: bool) -> int:
        """The id that a track is given; -1 for a tentative one, and for none."""
        if track >= 0 and sure and track not in self._numbers:
            self._numbers[track] = self._count
            self._count += 1
        return self._numbers.get(track, -1)
