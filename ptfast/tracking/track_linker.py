"""Linking by an association that keeps a state for every track: the cascade over lost tracks, and ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic

import numpy as np

from ptfast._check import check_shape
from ptfast._columns import like
from ptfast.ops.assignment import Matcher, assign
from ptfast.structures import Poses
from ptfast.tracking.association import Association, Observation, State
from ptfast.tracking.frame_numbers import FrameClock, frame_steps
from ptfast.tracking.linking import filter_poses, with_ids
from ptfast.tracking.settings import LinkSettings


class TrackLinker(Generic[State, Observation]):
    """Gives poses track ids as frames come, by an association's costs.

    Every frame's poses are matched with the tracks that were seen in the frame before; where `lookback` is more than 1
    the rest are matched with those seen last two frames before, and so on. A matched pose goes into its track's state;
    the others start tracks, with the next free ids in row order. It keeps the states of the last `lookback` frames'
    tracks and nothing else. Frames with `frame_ids` are counted by them, in units of the smallest step so far, as in
    `link`.

    Args:
        association: Costs of tracks and poses, and the tracks' states.
        matcher: "hungarian" (least total cost) or "greedy" (lowest cost first).
        lookback: Number of frames back that a track may have been seen last, at least 1.
        max_cost: Pairs that cost more are never made; None allows every pair.
        min_score: Poses with a lower score are dropped; None keeps all.
        min_joint_score: Joints with a lower score are marked absent; None keeps all. Poses left without joints are
            dropped.
        keep_filtered: Return all poses and joints as they came, those that were dropped with id -1.
        max_tracks: At most this many poses of a frame get an id, first those that continue a track; the rest get -1.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> linker = TrackLinker(association, lookback=3)
        >>> for frame_poses in stream:
        ...     tracked = linker.update(frame_poses)

    Source:
        Girdhar et al. 2018 (Detect-and-Track), section 3.1: bipartite matching of each frame's detections with the
        tracks so far, which is lookback=1.
    """

    def __init__(
        self,
        association: Association[State, Observation],
        *,
        matcher: Matcher = "hungarian",
        lookback: int = 1,
        max_cost: float | None = None,
        min_score: float | None = None,
        min_joint_score: float | None = None,
        keep_filtered: bool = False,
        max_tracks: int | None = None,
    ) -> None:
        self._settings = LinkSettings(
            matcher=matcher,
            lookback=lookback,
            max_cost=max_cost,
            min_score=min_score,
            min_joint_score=min_joint_score,
            max_tracks=max_tracks,
        )
        self._association, self._keep_filtered = association, keep_filtered
        self.reset()

    def reset(self, *, keep_ids: bool = False) -> None:
        """Forgets all tracks.

        Args:
            keep_ids: Go on counting ids, so that those of the next video differ from those given so far; else the next
                id is 0 again.
        """
        nothing = np.zeros(0, np.int64)
        self._tracks = _Tracks(self._association.start(), nothing, nothing)
        self._clock = FrameClock()
        if not keep_ids:
            self._next = 0

    def update(self, frame_poses: Poses) -> Poses:
        """Links the next frame. Where the association raises, the frame counts as not seen.

        Args:
            frame_poses: Poses of exactly one frame, perhaps of nobody; their `frame_ids`, where they are there, must
                rise.

        Returns:
            The poses that were linked (all of them with keep_filtered), with track_ids.

        Raises:
            ValueError: It holds more or fewer frames than one, its number does not rise, or the association's costs
                have another shape than (tracks, poses) or hold NaN or -inf.
        """
        if len(frame_poses) != 1:
            raise ValueError(f"frame_poses must hold one frame, got {len(frame_poses)}")
        kept, keep = filter_poses(frame_poses, self._settings.min_score, self._settings.min_joint_score)
        clock = self._clock.tick(kept)
        tracks = self._after_gap(clock.time - self._clock.time - 1)
        observation = self._association.observe(kept)
        previous = self._predecessors(tracks, observation, len(kept.scores))
        ids, following = self._hand_down(tracks, previous)
        self._tracks = self._advance(tracks, observation, previous, ids)
        self._clock, self._next = clock, following
        return with_ids(frame_poses, kept, keep, like(kept.keypoints, ids), self._keep_filtered)

    def lost_tracks(self) -> list[int]:
        """Ids that nobody has in the newest frame and that the next frame may still take up, ascending."""
        ids = self._tracks.ids[self._tracks.unseen > 1]
        return sorted(ids[ids >= 0].tolist())

    def _after_gap(self, frames: int) -> _Tracks[State]:
        """The tracks that may still be taken up after so many frames that the numbers leave out."""
        tracks = self._tracks
        if frames == 0:
            return tracks
        unseen = tracks.unseen + min(frames, self._settings.lookback)
        rows = np.flatnonzero(unseen <= self._settings.lookback)
        return _Tracks(self._association.select(tracks.states, rows), tracks.ids[rows], unseen[rows])

    def _predecessors(self, tracks: _Tracks[State], observation: Observation, count: int) -> np.ndarray:
        """(M,) int64 row of the track that each of `count` poses continues, or -1."""
        settings = self._settings
        previous = np.full(count, -1, np.int64)
        if not count or not len(tracks.ids):
            return previous
        costs = self._association.costs(tracks.states, observation, tracks.unseen)
        check_shape("costs", costs, ("N", "M"), N=len(tracks.ids), M=count)
        for distance in range(1, settings.lookback + 1):
            old, new = np.flatnonzero(tracks.unseen == distance), np.flatnonzero(previous < 0)
            column = assign(costs[np.ix_(old, new)], max_cost=settings.max_cost, method=settings.matcher)
            previous[new[column[column >= 0]]] = old[column >= 0]
        return previous

    def _hand_down(self, tracks: _Tracks[State], previous: np.ndarray) -> tuple[np.ndarray, int]:
        """(M,) int64 ids of a frame's poses, -1 where max_tracks leaves no room, and the next free id."""
        room = len(previous) if self._settings.max_tracks is None else self._settings.max_tracks
        ids = np.append(tracks.ids, -1)[previous]
        carried = np.flatnonzero(ids >= 0)
        ids[carried[room:]] = -1
        fresh = np.flatnonzero(ids < 0)[: max(0, room - len(carried))]
        ids[fresh] = self._next + np.arange(len(fresh))
        return ids, self._next + len(fresh)

    def _advance(
        self, tracks: _Tracks[State], observation: Observation, previous: np.ndarray, ids: np.ndarray
    ) -> _Tracks[State]:
        """This frame's tracks, then those that may still be taken up."""
        association = self._association
        steps = np.append(tracks.unseen, 1)[previous]
        states = association.advance(tracks.states, observation, previous, steps)
        lost = tracks.unseen < self._settings.lookback
        lost[previous[previous >= 0]] = False
        return _Tracks(
            association.concatenate([states, association.select(tracks.states, np.flatnonzero(lost))]),
            np.concatenate([ids, tracks.ids[lost]]),
            np.concatenate([np.ones(len(ids), np.int64), tracks.unseen[lost] + 1]),
        )


@dataclass(frozen=True)
class _Tracks(Generic[State]):
    """Tracks that the next frame may continue; N of them.

    Attributes:
        states: The association's, one row a track.
        ids: (N,) int64, -1 for one that max_tracks left without an id.
        unseen: (N,) int64 frames from each track's newest pose to the next frame, 1 if it stands in the newest frame.
    """

    states: State
    ids: np.ndarray
    unseen: np.ndarray


def link_tracks(poses: Poses, association: Association[State, Observation], **settings: Any) -> Poses:
    """Gives every pose of a video a track id by an association: `TrackLinker` over its frames.

    Args:
        poses: The video's poses, NumPy or torch.
        association: Costs of tracks and poses, and the tracks' states.
        **settings: Arguments of `TrackLinker`.

    Returns:
        The poses that were linked (all of them with keep_filtered), with track_ids.

    Raises:
        ValueError: An argument is out of range, poses.frame_ids do not rise, or the association's costs are as
            `TrackLinker.update` refuses them.
    """
    if poses.frame_ids is not None:
        frame_steps(poses.frame_ids)  # says where they do not rise
    linker = TrackLinker(association, **settings)
    parts = [linker.update(poses.frame(frame)) for frame in range(len(poses))]
    return Poses.concatenate(parts) if parts else poses
