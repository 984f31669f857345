"""Hypotheses of joined tracklets made into one pose a person and frame, by a window that moves over the video."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ptfast._check import check_integer, check_number
from ptfast.structures import Poses, Tracklets
from ptfast.tracking import drop_low_joints, drop_small_boxes, merge_hypotheses
from ptfast.tracking.merging import MergeSettings


@dataclass(frozen=True)
class Merging:
    """How hypotheses are merged, and which tracks are kept.

    Attributes:
        merge: "spatiotemporal" (section 3.3), "spatial" or "temporal" alone, or "highest", the most confident
            hypothesis of each joint (table 7).
        method: How the cheapest path is found: "dijkstra" or "viterbi"; both find the same.
        weighted: Clusters' centres are means weighted by the hypotheses' scores.
        radius: Of a cluster, as a share of the person's head size (section 4.2).
        distance: What the path's distances are measured in: "pixels" or cluster radii.
        smoothness: Lambda; None is 0.1 for pixels and 1 for radii.
        joint_thresholds: Joints with lower scores are absent in the result: one number, or one a joint.
        min_area: Poses with smaller boxes, in square pixels, are dropped (section 4.1).
        min_length: Tracks in fewer frames than that, of what the former two leave, are dropped (section 4.1).
        block: Frames that the window moves on by.
        lookahead: Frames that a path is followed beyond those that are given out; what comes later cannot change them.
    """

    merge: Literal["spatiotemporal", "spatial", "temporal", "highest"] = "spatiotemporal"
    method: Literal["dijkstra", "viterbi"] = "viterbi"
    weighted: bool = False
    radius: float = 0.5
    distance: Literal["pixels", "radius"] = "pixels"
    smoothness: float | None = None
    joint_thresholds: float | tuple[float, ...] = 0.0
    min_area: float = 3200.0
    min_length: int = 5
    block: int = 64
    lookahead: int = 32

    def __post_init__(self) -> None:
        check_integer("min_length", self.min_length, 1)
        check_integer("block", self.block, 1)
        check_integer("lookahead", self.lookahead, self.min_length - 1)
        check_number("min_area", self.min_area, 0)
        if np.isnan(self.joint_thresholds).any():
            raise ValueError("joint_thresholds must be numbers, got nan")
        MergeSettings(self.merge, self.method, self.weighted, self.radius, self.distance, self.smoothness, 0.0)


def merging_from(entries: dict[str, Any]) -> Merging:
    """Settings out of a card, where lists stand for tuples."""
    settings: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in entries.items()
    }
    return Merging(**settings)


class MovingMerge:
    """Takes the joined tracklets of frame after frame and gives out poses once no later clip can touch them.

    Args:
        length: |C|.
        merging: Settings.
    """

    def __init__(self, length: int, merging: Merging) -> None:
        self.reach, self.merging = length // 2, merging
        self.frames: list[Poses] = []  # empty poses that hold names, ids and sizes
        self.parts: list[Tracklets] = []
        self.track_ids: list[np.ndarray] = []
        self.first: int | None = None  # what the video calls the window's first frame
        self.before: Poses | None = None  # merged poses of the frame before the window
        self.lengths: Counter[int] = Counter()

    def update(self, frame: Poses, tracklets: Tracklets, track_ids: np.ndarray) -> Iterator[Poses]:
        """Adds the next frame.

        Args:
            frame: The frame, for its name, id and size.
            tracklets: Whose key frame it is.
            track_ids: (M,) theirs.

        Yields:
            Poses of one frame each, of earlier frames, in order; often none.
        """
        if self.first is None:
            self.first = 0 if frame.frame_ids is None else int(frame.frame_ids[0])
        self.frames.append(frame[:1].select(np.zeros(len(frame.scores), bool)))
        if len(tracklets):
            self.parts.append(tracklets)
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
        kept = drop_low_joints(drop_small_boxes(merged, self.merging.min_area), self.merging.joint_thresholds)
        ids, seen = np.unique(kept.track_ids, return_counts=True)
        frames = {int(track): self.lengths[int(track)] + int(number) for track, number in zip(ids, seen, strict=True)}
        given = kept[:count]
        long = np.array([frames[int(track)] >= self.merging.min_length for track in given.track_ids], bool)
        shown = given.select(long)
        for index, about in enumerate(self.frames[:count]):
            yield replace(
                shown.frame(index),
                sequence=about.sequence,
                frame_names=about.frame_names,
                frame_ids=about.frame_ids,
                frame_size=about.frame_size,
            )
        self.move(count, given)

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
