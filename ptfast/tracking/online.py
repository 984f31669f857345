"""Linking one frame at a time, in constant memory."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from ptfast import _native
from ptfast._check import Array
from ptfast.ops.assignment import Matcher
from ptfast.ops.linking import Motion, prepare
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses
from ptfast.tracking.costs import Cost
from ptfast.tracking.frame_numbers import FrameClock
from ptfast.tracking.linking import columns_of, filter_poses, with_ids
from ptfast.tracking.settings import MAX_COST, MIN_JOINT_SCORE, MIN_SCORE, SIGMA_SCALE, LinkSettings


class OnlineLinker:
    """Gives poses track ids as frames come; the ids are those that `link` gives the whole video.

    It keeps the last `lookback` frames and nothing else; two linkers share nothing. Frames with `frame_ids` are counted
    by them, as in `link`: where numbers are left out, time passes. All arguments but `skeleton` are those of `link`.

    Args:
        skeleton: The joint set of the frames. It is needed where they come as arrays of keypoints.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> linker = OnlineLinker(cost="oks", lookback=4)
        >>> for frame_poses in stream:
        ...     tracked = linker.update(frame_poses)
        ...     print(tracked.track_ids)
    """

    def __init__(
        self,
        *,
        cost: Cost = "oks",
        matcher: Matcher = "hungarian",
        lookback: int = 4,
        motion: Motion = "velocity",
        sigma_scale: float = SIGMA_SCALE,
        max_cost: float | None = MAX_COST,
        min_score: float | None = MIN_SCORE,
        min_joint_score: float | None = MIN_JOINT_SCORE,
        keep_filtered: bool = False,
        max_tracks: int | None = None,
        skeleton: Skeleton | None = None,
    ) -> None:
        self._settings = LinkSettings(
            cost, matcher, lookback, motion, sigma_scale, max_cost, min_score, min_joint_score, max_tracks
        )
        self._keep_filtered, self._given_skeleton = keep_filtered, skeleton
        self._lock = threading.RLock()  # native calls release the GIL
        self._linking = False
        self.reset()

    def reset(self, *, keep_ids: bool = False) -> None:
        """Forgets all tracks.

        Args:
            keep_ids: Go on counting ids, so that those of the next video differ from those given so far; else the next
                id is 0 again.
        """
        with self._lock:
            self._check_idle()
            self._first_id = self._next_id() if keep_ids else 0
            self._skeleton: Skeleton | None = None
            self._recent: deque[Poses] = deque(maxlen=self._settings.lookback + 1)
            self._frames = 0  # that the native linker was given, those between two frames' numbers among them
            self._clock, self._time = FrameClock(), 0

    def update(self, frame_poses: Poses | Array) -> Poses:
        """Links the next frame.

        Args:
            frame_poses: Poses of exactly one frame, perhaps of nobody; their `frame_ids`, where they are there, must
                rise. Or keypoints (N, K, 2) of the linker's skeleton, NumPy or torch, or (N, K, 3) with the joints'
                scores behind x and y; a joint that is not finite is absent.

        Returns:
            The poses that were linked (all of them with keep_filtered), with track_ids.

        Raises:
            ValueError: It holds more or fewer frames than one, another skeleton than before, an array of another shape,
                or a frame number that does not rise.
            TypeError: It is an array, and the linker was made without a skeleton.
            RuntimeError: The cost function calls it for the linker that is asking for costs.
        """
        if not isinstance(frame_poses, Poses):
            frame_poses = self._as_poses(frame_poses)
        if len(frame_poses) != 1:
            raise ValueError(f"frame_poses must hold one frame, got {len(frame_poses)}")
        kept, keep = filter_poses(frame_poses.numpy(), self._settings.min_score, self._settings.min_joint_score)
        columns = prepare(columns_of(kept, self._settings.cost))
        ids = np.full(len(kept.scores), -1, np.int64)
        with self._lock:
            self._check_idle()
            self._expect(kept.skeleton)
            self._link(kept, columns, ids)
        return with_ids(frame_poses, kept, keep, ids, self._keep_filtered)

    def _as_poses(self, keypoints: Array) -> Poses:
        if self._given_skeleton is None:
            wanted = "frame_poses must be Poses where the linker was made without a skeleton"
            raise TypeError(f"{wanted}, got {type(keypoints).__name__}")
        return Poses.from_frames([keypoints], skeleton=self._given_skeleton)

    def _link(self, kept: Poses, columns: list[np.ndarray], ids: np.ndarray) -> None:
        """Fills ids, after as many frames of nobody as the frame's number leaves out, at most `lookback`."""
        clock = self._clock.tick(kept)
        gap = clock.time - self._time - 1
        if gap > 0:
            for _ in range(min(gap, self._settings.lookback)):
                self._update(kept, [column[:0] for column in columns], ids[:0])
            self._time += gap  # should the cost raise, these frames have passed
        self._update(kept, columns, ids)
        self._clock, self._time = clock, clock.time

    def _update(self, kept: Poses, columns: list[np.ndarray], ids: np.ndarray) -> None:
        """Fills ids; where the cost function raises, the frame counts as not seen."""
        before = self._recent.copy()
        self._recent.append(kept)
        self._frames += 1
        self._linking = True
        try:
            self._native.update([_native.address(column) for column in columns], len(ids), _native.address(ids))
        except BaseException:
            self._recent = before
            self._frames -= 1
            raise
        finally:
            self._linking = False

    def _check_idle(self) -> None:
        """Raises RuntimeError within a call of the cost function: the frame at hand is half linked."""
        if self._linking:
            raise RuntimeError("a cost function must not update or reset the linker that calls it")

    def lost_tracks(self) -> list[int]:
        """Ids that nobody has in the newest frame and that the next frame may still take up, ascending."""
        return self._native.lost_tracks() if self._frames else []

    def _expect(self, skeleton: Skeleton) -> None:
        if skeleton is self._skeleton:  # as in all frames but the first
            return
        expected = self._skeleton or self._given_skeleton or skeleton
        if skeleton != expected:
            raise ValueError(f"frame_poses must have the skeleton {expected.name}, got {skeleton.name}")
        if self._skeleton is None:
            self._skeleton = skeleton
            options = self._settings.options(self._frame).native(self._settings.sigmas(skeleton))
            self._native = _native.core.OnlineLinker(*options, self._first_id)

    def _next_id(self) -> int:
        return self._first_id if self._skeleton is None else self._native.next_id()

    def _frame(self, number: int) -> Poses:
        return self._recent[number - self._frames]
