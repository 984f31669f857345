"""Polish (section 3.3): one pose a person and frame of the hypotheses of joined tracklets, in a moving window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ptfast.methods.clip_tracking.config import Merging
from ptfast.pipeline.records import FrameTracklets
from ptfast.structures import Poses, Tracklets
from ptfast.tracking import drop_low_joints, drop_small_boxes, merge_hypotheses

JOINTS = "joints"  # a feature: the number of a pose's joints before any is dropped


@dataclass
class Dropped:
    """Numbers of the poses and joints that `ClipTracking.link` drops of those that hypotheses are merged to.

    Attributes:
        poses: All poses.
        small: Poses with smaller boxes than min_area.
        low_joints: Other poses, all of whose joints are under joint_thresholds.
        short: Other poses, of tracks in fewer frames than min_length.
        joints: Joints of the poses that are left, those under joint_thresholds among them.
        weak_joints: Those of them under joint_thresholds.

    Example:
        >>> dropped = Dropped()
        >>> tracks = method.link(records, dropped)
        >>> print(f"{dropped.short} of {dropped.poses} poses are of tracks that are too short")
    """

    poses: int = 0
    small: int = 0
    low_joints: int = 0
    short: int = 0
    joints: int = 0
    weak_joints: int = 0


class MovingMerge:
    """Takes the joined tracklets of frame after frame and gives out poses once no later clip can touch them.

    Args:
        length: |C|.
        merging: Settings.
        dropped: Where poses and joints that are dropped are counted.
    """

    def __init__(self, length: int, merging: Merging, dropped: Dropped | None = None) -> None:
        self.reach, self.merging, self.dropped = length // 2, merging, dropped or Dropped()
        self.frames: list[Poses] = []  # empty poses that hold names, ids and sizes
        self.parts: list[Tracklets] = []
        self.track_ids: list[np.ndarray] = []
        self.first: int | None = None  # number of the window's first frame in the video
        self.before: Poses | None = None  # merged poses of the frame before the window
        self.lengths: Counter[int] = Counter()

    def update(self, record: FrameTracklets, track_ids: np.ndarray) -> Iterator[Poses]:
        """Adds the next frame.

        Args:
            record: The M tracklets whose key frame it is.
            track_ids: (M,) int64 their track ids.

        Yields:
            Poses of one frame each, of earlier frames, in order; often none.
        """
        if self.first is None:
            self.first = int(record.frame_ids[0])
        self.frames.append(record.without_people())
        if len(record.tracklets):
            self.parts.append(record.tracklets)
            self.track_ids.append(track_ids)
        complete = len(self.frames) - self.reach
        if complete >= self.merging.block + self.merging.lookahead:
            yield from self.give_out(complete, self.merging.block)

    def finish(self) -> Iterator[Poses]:
        """The poses of all frames that are left."""
        if self.frames:
            yield from self.give_out(len(self.frames), len(self.frames))

    def give_out(self, complete: int, count: int) -> Iterator[Poses]:
        """Merges the window's first `complete` frames, gives out `count` of them and moves on."""
        merged = self.merged(complete)
        self.before = merged.frame(count - 1)
        merged = replace(merged, features={JOINTS: (merged.joint_visibility > 0).sum(1)})
        large = drop_small_boxes(merged, self.merging.min_area)
        kept = drop_low_joints(large, self.merging.joint_thresholds)
        ids, seen = np.unique(kept.track_ids, return_counts=True)
        frames = {int(track): self.lengths[int(track)] + int(number) for track, number in zip(ids, seen, strict=True)}
        given = kept[:count]
        long = np.array([frames[int(track)] >= self.merging.min_length for track in given.track_ids], bool)
        shown = given.select(long)
        self.tally([int(part.frame_offsets[count]) for part in (merged, large, kept)], shown)
        for index, about in enumerate(self.frames[:count]):
            yield replace(
                shown.frame(index),
                sequence=about.sequence,
                frame_names=about.frame_names,
                frame_ids=about.frame_ids,
                frame_size=about.frame_size,
                features={},
            )
        self.move(count, given)

    def tally(self, counts: Sequence[int], shown: Poses) -> None:
        """Counts what is dropped between all poses, large ones, those of them with joints, and those that are shown."""
        poses, large, strong = counts
        joints = int(shown.features[JOINTS].sum())
        self.dropped.poses += poses
        self.dropped.small += poses - large
        self.dropped.low_joints += large - strong
        self.dropped.short += strong - len(shown.scores)
        self.dropped.joints += joints
        self.dropped.weak_joints += joints - int((shown.joint_visibility > 0).sum())

    def merged(self, complete: int) -> Poses:
        """Poses of the window's first `complete` frames."""
        how = self.merging
        assert self.first is not None
        if not self.parts:
            empty = Poses.concatenate(self.frames[:complete])
            return replace(empty, frame_names=None, frame_ids=None, frame_size=None)
        tracklets = Tracklets.concatenate(self.parts)
        return merge_hypotheses(
            replace(tracklets, first_frame=tracklets.first_frame - self.first),
            np.concatenate(self.track_ids),
            frames=complete,
            merge=how.merge,
            method=how.method,
            weighted=how.weighted,
            radius=how.radius,
            distance=how.distance,
            smoothness=how.smoothness,
            previous=self.before,
        )

    def move(self, count: int, given: Poses) -> None:
        """Forgets `count` frames and the tracklets that end in them."""
        assert self.first is not None
        self.first += count
        self.frames = self.frames[count:]
        self.lengths.update(given.track_ids.tolist())
        last = self.first - self.reach  # key frames before it reach no frame that is left
        left = [
            (part, ids)
            for part, ids in zip(self.parts, self.track_ids, strict=True)
            if part.first_frame[0] + self.reach >= last
        ]
        self.parts, self.track_ids = [part for part, _ in left], [ids for _, ids in left]
        alive = {int(track) for ids in self.track_ids for track in ids}
        self.lengths = Counter({track: number for track, number in self.lengths.items() if track in alive})
