"""Linking one frame at a time, in constant memory."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from ptfast import _native
from ptfast.ops.assignment import Matcher
from ptfast.ops.linking import Motion, prepare
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses
from ptfast.tracking.costs import Cost
from ptfast.tracking.linking import columns_of, filter_poses, with_ids
from ptfast.tracking.settings import MAX_COST, MIN_JOINT_SCORE, MIN_SCORE, SIGMA_SCALE, LinkSettings


class OnlineLinker:
    """Gives poses track ids as frames come; the ids are those that `link` gives the whole video.

    Its arguments are those of `link`. It keeps the last `lookback` frames and nothing else; two linkers share nothing.

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
    ) -> None:
        self._settings = LinkSettings(
            cost, matcher, lookback, motion, sigma_scale, max_cost, min_score, min_joint_score, max_tracks
        )
        self._keep_filtered = keep_filtered
        self._lock = threading.RLock()  # native calls release the GIL
        self.reset()

    def reset(self) -> None:
        """Forgets all tracks; the next id is 0 again."""
        self._skeleton: Skeleton | None = None
        self._recent: deque[Poses] = deque(maxlen=self._settings.lookback + 1)
        self._frames = 0

    def update(self, frame_poses: Poses) -> Poses:
        """Links the next frame.

        Args:
            frame_poses: Poses of exactly one frame, perhaps of nobody.

        Returns:
            The poses that were linked (all of them with keep_filtered), with track_ids.

        Raises:
            ValueError: It holds more or fewer frames than one, or another skeleton than before.
        """
        if len(frame_poses) != 1:
            raise ValueError(f"frame_poses must hold one frame, got {len(frame_poses)}")
        self._expect(frame_poses.skeleton)
        kept, keep = filter_poses(frame_poses.numpy(), self._settings.min_score, self._settings.min_joint_score)
        columns = prepare(columns_of(kept, self._settings.cost))
        ids = np.full(len(kept.scores), -1, np.int64)
        with self._lock:
            self._update(kept, columns, ids)
        return with_ids(frame_poses, kept, keep, ids, self._keep_filtered)

    def _update(self, kept: Poses, columns: list[np.ndarray], ids: np.ndarray) -> None:
        """Fills ids; where the cost function raises, the frame counts as not seen."""
        before = self._recent.copy()
        self._recent.append(kept)
        self._frames += 1
        try:
            self._native.update([_native.address(column) for column in columns], len(ids), _native.address(ids))
        except BaseException:
            self._recent = before
            self._frames -= 1
            raise

    def lost_tracks(self) -> list[int]:
        """Ids that nobody has in the newest frame and that the next frame may still take up, ascending."""
        return self._native.lost_tracks() if self._frames else []

    def _expect(self, skeleton: Skeleton) -> None:
        if self._skeleton is None:
            self._skeleton = skeleton
            options = self._settings.options(self._frame)
            self._native = _native.core.OnlineLinker(*options.native(self._settings.sigmas(skeleton)))
        elif skeleton != self._skeleton:
            raise ValueError(f"frame_poses must have the skeleton {self._skeleton.name}, got {skeleton.name}")

    def _frame(self, number: int) -> Poses:
        return self._recent[number - self._frames]
