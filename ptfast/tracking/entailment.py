"""KeyTrack's linking: ids by the scores that a network gives to pairs of poses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ptfast._check import check_integer, check_number, check_positive
from ptfast.ops.assignment import Matcher
from ptfast.structures import Poses
from ptfast.tracking._naming import Naming
from ptfast.tracking._pairs import Pairs, Window, nearest_pairs, surely_one
from ptfast.tracking.frame_numbers import FrameClock, frame_steps
from ptfast.tracking.linking import filter_poses, with_ids
from ptfast.tracking.match_scores import MAX_SPEED, MatchScorer, check_scorer, in_joints_of, scores_of, within_reach
from ptfast.tracking.settings import LinkSettings

MAX_PAIRS = 32_768  # of a block of frames, which the scorer is asked about together
MAX_DISTANCES = 1_000_000  # of all pairs in such a block


@dataclass(frozen=True)
class PairCounts:
    """Numbers of the pairs of poses that linking has looked at.

    Attributes:
        pairs: Each pose with the nearest poses of each of the frames before.
        too_fast: Pairs that max_speed has ruled out.
        sure: Pairs that sure_margin has decided, or made needless.
    """

    pairs: int = 0
    too_fast: int = 0
    sure: int = 0

    @property
    def scored(self) -> int:
        """Number of pairs that the scorer has seen."""
        return self.pairs - self.too_fast - self.sure

    def __add__(self, other: PairCounts) -> PairCounts:
        """The numbers of both together."""
        return PairCounts(self.pairs + other.pairs, self.too_fast + other.too_fast, self.sure + other.sure)


class EntailmentLinker:
    """Gives poses ids by match scores, a whole video at once or frame by frame, with the same ids.

    Every pose is compared with the nearest ones of each of the last `lookback` frames. The pair with the highest score
    is made first: the pose takes the id, and neither is given again in the frame. A pose without a pair of at least
    `min_match_score` gets the next free id. Which pairs are scored does not depend on ids, so many frames' pairs are
    scored together. Frames with `frame_ids` are counted by them, as in `link`, and tracks end where the frames' size
    changes. The last `lookback` frames are kept and nothing else.

    Args:
        scorer: Scores pairs of poses.
        lookback: Delta, frames back that a pose is compared with.
        neighbours: n, nearest poses of each of these frames that it is compared with.
        matcher: "greedy" (highest score first) or "hungarian" (highest total of scores over the threshold).
        min_match_score: Score under which a pair is never made.
        max_speed: Pairs whose boxes' middles are further apart than that many times the larger one's longer side, for
            each frame between them, score 0, and the scorer is not asked; None asks about all.
        sure_margin: A pair of neighbouring frames is sure, and the scorer is asked about none of the current pose's
            pairs, if its OKS is so much above that of every other pair of the two poses in these frames, and above 0.
            OKS has the sigmas of `link`. None asks about all.
        min_score: Poses with a lower score are dropped; None keeps all.
        min_joint_score: Joints with a lower score are marked absent; None keeps all. Poses left without joints are
            dropped.
        keep_filtered: Return all poses and joints as they came, those that were dropped with id -1.
        max_tracks: At most this many poses of a frame get an id, first those that continue a track; the rest get -1.

    Attributes:
        counts: `PairCounts` of all frames so far.

    Raises:
        ValueError: An argument is out of range.

    Source:
        Snower et al. 2020 (KeyTrack), sections 3.1 and 5.1.

    Example:
        >>> linker = EntailmentLinker(scorer)
        >>> tracks = linker.link(poses)
    """

    def __init__(
        self,
        scorer: MatchScorer,
        *,
        lookback: int = 4,
        neighbours: int = 4,
        matcher: Matcher = "greedy",
        min_match_score: float = 0.5,
        max_speed: float | None = MAX_SPEED,
        sure_margin: float | None = None,
        min_score: float | None = None,
        min_joint_score: float | None = None,
        keep_filtered: bool = False,
        max_tracks: int | None = None,
    ) -> None:
        self._settings = LinkSettings(
            matcher=matcher, lookback=lookback, min_score=min_score, min_joint_score=min_joint_score,
            max_tracks=max_tracks,
        )  # fmt: skip
        check_scorer(scorer, lookback)
        check_integer("neighbours", neighbours, 1)
        check_number("min_match_score", min_match_score, 0, 1)
        if max_speed is not None:
            check_positive("max_speed", max_speed)
        if sure_margin is not None:
            check_number("sure_margin", sure_margin, 0, 1)
        self._scorer, self._neighbours, self._keep_filtered = scorer, neighbours, keep_filtered
        self._max_speed, self._sure_margin = max_speed, sure_margin
        self._naming = Naming(matcher, min_match_score, max_tracks)
        self.counts = PairCounts()
        self.reset()

    def reset(self, *, keep_ids: bool = False) -> None:
        """Forgets all tracks.

        Args:
            keep_ids: Go on counting ids, so that those of the next video differ from those given so far; else the next
                id is 0 again.
        """
        self._clock = FrameClock()
        self._past: Poses | None = None
        self._times = np.zeros(0, np.int64)
        if not keep_ids:
            self._next = 0

    def update(self, frame_poses: Poses) -> Poses:
        """Links the next frame. Where the scorer raises, the frame counts as not seen.

        Args:
            frame_poses: Poses of exactly one frame, perhaps of nobody; their `frame_ids`, where they are there, must
                rise.

        Returns:
            The poses that were linked (all of them with keep_filtered), with track_ids.

        Raises:
            ValueError: It holds more or fewer frames than one, its number does not rise, it has other columns or joints
                than those before, or a score is none.
        """
        if len(frame_poses) != 1:
            raise ValueError(f"frame_poses must hold one frame, got {len(frame_poses)}")
        kept, keep = self._filtered(frame_poses)
        clock = self._clock.tick(kept)
        ids = self._link(kept, np.array([clock.time]))
        self._clock = clock
        return with_ids(frame_poses, kept, keep, ids, self._keep_filtered)

    def link(self, poses: Poses) -> Poses:
        """Links a whole video, after `reset` and before another, as `update` does its frames.

        Args:
            poses: The video's poses, NumPy or torch.

        Returns:
            The poses that were linked (all of them with keep_filtered), with track_ids.

        Raises:
            ValueError: poses.frame_ids do not rise, or the scorer does not suit the poses.
        """
        self.reset()
        kept, keep = self._filtered(poses)
        times = self._times_of(kept)
        parts = [self._link(kept[part], times[part]) for part in self._blocks(kept)]
        self.reset()
        return with_ids(poses, kept, keep, np.concatenate([np.zeros(0, np.int64), *parts]), self._keep_filtered)

    def lost_tracks(self) -> list[int]:
        """Ids that nobody has in the newest frame and that the next frame may still take up, ascending."""
        if self._past is None:
            return []
        alive = self._times > self._times[-1] - self._settings.lookback
        rows = np.repeat(alive, np.diff(self._past.frame_offsets))
        present = self._past.track_ids[self._past.frame_offsets[-2] :].tolist()
        return sorted({*self._past.track_ids[rows].tolist()} - {*present, -1})

    def _filtered(self, poses: Poses) -> tuple[Poses, np.ndarray]:
        return filter_poses(poses.numpy(), self._settings.min_score, self._settings.min_joint_score)

    def _times_of(self, poses: Poses) -> np.ndarray:
        """(F,) int64 times of a video's frames; a gap that no pose is compared across is as long as any other."""
        if poses.frame_ids is None or not len(poses):
            return np.arange(len(poses))
        steps = np.minimum(frame_steps(poses.frame_ids), np.uint64(self._settings.lookback + 1))
        return np.concatenate([[0], np.cumsum(steps.astype(np.int64))])

    def _blocks(self, poses: Poses) -> Iterator[slice]:
        """Slices of a video's frames, each of which is linked at once."""
        most = max(1, int(np.diff(poses.frame_offsets).max(initial=0)))
        pairs = most * min(most, self._neighbours) * self._settings.lookback
        length = max(1, min(MAX_PAIRS // pairs, MAX_DISTANCES // (most**2 * self._settings.lookback)))
        return (slice(first, first + length) for first in range(0, len(poses), length))

    def _link(self, kept: Poses, times: np.ndarray) -> np.ndarray:
        """(N,) int64 ids of the poses of the next frames, which stand at `times`."""
        window = self._window(in_joints_of(self._scorer, kept), times)
        pairs = nearest_pairs(window, self._settings.lookback, self._neighbours)
        scores, counts = self._scores(window.poses, pairs)
        known = window.poses.track_ids[: window.first_row]
        ids, following = self._naming.ids(window, pairs, scores, known, self._next)
        named = window.poses.with_track_ids(np.concatenate([known, ids]))
        self._past, self._times = named[-self._settings.lookback :], window.times[-self._settings.lookback :]
        self._next = following
        self.counts += counts
        return ids

    def _window(self, poses: Poses, times: np.ndarray) -> Window:
        """The last frames and those that follow."""
        if self._past is None:
            return Window(poses, times, 0)
        together = Poses.concatenate([self._past, poses])
        return Window(together, np.concatenate([self._times, times]), len(self._past))

    def _scores(self, poses: Poses, pairs: Pairs) -> tuple[np.ndarray, PairCounts]:
        """(P,) float64 scores of pairs; the scorer is asked about those that nothing else decides."""
        near = np.ones(len(pairs), bool)
        if self._max_speed is not None:
            boxes = poses.boxes[pairs.earlier], poses.boxes[pairs.current]
            near = within_reach(*boxes, pairs.apart, self._max_speed)
        possible = np.flatnonzero(near)
        sure = needless = np.zeros(len(possible), bool)
        if self._sure_margin is not None:
            sure, needless = surely_one(pairs.select(possible), poses, self._sure_margin)
        scores = np.zeros(len(pairs))
        scores[possible[sure]] = 1
        asked = possible[~(sure | needless)]
        undecided = pairs.select(asked)
        scores[asked] = scores_of(self._scorer, poses, poses, undecided.rows, undecided.apart)
        return scores, PairCounts(len(pairs), len(pairs) - len(possible), int((sure | needless).sum()))
