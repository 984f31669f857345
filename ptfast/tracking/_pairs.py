"""Pairs of poses that may be one person: each pose with the nearest ones of each of the frames before."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ptfast.ops.oks import oks_matrix
from ptfast.structures import Poses, pose_areas


@dataclass(frozen=True, eq=False)
class Pairs:
    """P pairs of an earlier and a current pose.

    Attributes:
        earlier: (P,) int64 rows.
        current: (P,) int64 rows.
        apart: (P,) int64 frames from the one to the other.
        squared: (P,) float64 squared distance of the middles of their boxes.
    """

    earlier: np.ndarray
    current: np.ndarray
    apart: np.ndarray
    squared: np.ndarray

    def __len__(self) -> int:
        return len(self.earlier)

    @property
    def rows(self) -> np.ndarray:
        """(P, 2) int64."""
        return np.stack([self.earlier, self.current], 1)

    def select(self, rows: np.ndarray) -> Pairs:
        """The pairs of `rows`, indices or a mask."""
        return Pairs(*(getattr(self, item.name)[rows] for item in fields(Pairs)))


@dataclass(frozen=True, eq=False)
class Window:
    """Consecutive frames, of which the first ones are known and the others are to be linked.

    Attributes:
        poses: Their poses.
        times: (F,) int64 rising times of the frames.
        known: Number of frames that have ids.
    """

    poses: Poses
    times: np.ndarray
    known: int

    @property
    def first_row(self) -> int:
        """First row of the frames that are to be linked."""
        return int(self.poses.frame_offsets[self.known])


def nearest_pairs(window: Window, lookback: int, neighbours: int) -> Pairs:
    """Each pose of the frames to be linked with the nearest poses of each frame at most `lookback` before.

    The distance is that of the boxes' middles; of equally near poses the first rows count. Frames of another size, and
    those before them, are of another scene.

    Args:
        window: The frames.
        lookback: Delta.
        neighbours: n, poses of a frame that each pose is paired with.
    """
    offsets, times, scenes = window.poses.frame_offsets, window.times, _scenes(window.poses)
    grid = _Grid.of(window.poses.boxes, offsets)
    now, back = (column.ravel() for column in np.mgrid[window.known : len(times), 1 : lookback + 1])
    before = np.maximum(now - back, 0)
    same = (back <= now) & (times[now] - times[before] <= lookback) & (scenes[now] == scenes[before])
    return grid.nearest(now[same], before[same], times, neighbours)


def surely_one(pairs: Pairs, poses: Poses, min_oks: float) -> np.ndarray:
    """(P,) bool, True for pairs of poses that have no other pair in their two frames and are alike.

    Args:
        pairs: All pairs that are possible.
        poses: All poses.
        min_oks: OKS, at the current pose's area, that makes a pair sure.
    """
    base = pairs.apart.max(initial=0) + 1
    alone = np.ones(len(pairs), bool)
    for rows in (pairs.earlier, pairs.current):
        frame = rows * base + pairs.apart
        alone &= np.bincount(frame)[frame] == 1
    found = np.flatnonzero(alone)
    a, b = pairs.earlier[found], pairs.current[found]
    visible = {"a_visible": poses.joint_visibility[a][:, None], "b_visible": poses.joint_visibility[b][:, None]}
    sigmas, area = np.array(poses.skeleton.sigmas, np.float32), pose_areas(poses)[b][:, None]
    oks = oks_matrix(poses.keypoints[a][:, None], poses.keypoints[b][:, None], area=area, sigmas=sigmas, **visible)
    alone[found] = oks[:, 0, 0] >= min_oks
    return alone


@dataclass(frozen=True, eq=False)
class _Grid:
    """The middles of all frames' boxes, each frame padded to the most poses of any.

    Attributes:
        middles: (F, W, 2) float64.
        there: (F, W) bool, False for padding.
        offsets: (F + 1,) int64.
    """

    middles: np.ndarray
    there: np.ndarray
    offsets: np.ndarray

    @staticmethod
    def of(boxes: np.ndarray, offsets: np.ndarray) -> _Grid:
        counts = np.diff(offsets)
        there = np.arange(counts.max(initial=0)) < counts[:, None]
        middles = np.zeros((*there.shape, 2))
        middles[there] = (boxes[:, :2].astype(np.float64) + boxes[:, 2:]) / 2
        return _Grid(middles, there, offsets)

    def nearest(self, now: np.ndarray, before: np.ndarray, times: np.ndarray, neighbours: int) -> Pairs:
        """Pairs of frames `now` (B,) with frames `before` (B,)."""
        gap = self.middles[now][:, :, None] - self.middles[before][:, None]
        squared = gap[..., 0] * gap[..., 0] + gap[..., 1] * gap[..., 1]  # (B, W, W)
        allowed = self.there[now][:, :, None] & self.there[before][:, None]
        if squared.shape[2] > neighbours:
            squared = np.where(allowed, squared, np.inf)
            order = np.argsort(squared, axis=2, kind="stable")[:, :, neighbours:]
            np.put_along_axis(allowed, order, False, axis=2)
        frame, current, earlier = np.nonzero(allowed)
        distance = squared[frame, current, earlier]
        now, before = now[frame], before[frame]
        return Pairs(self.offsets[before] + earlier, self.offsets[now] + current, times[now] - times[before], distance)


def _scenes(poses: Poses) -> np.ndarray:
    """(F,) int64 number of each frame's scene: another one begins where the frames' size changes.

    A frame of size (0, 0), which could not be decoded, is of the scene before.
    """
    sizes = poses.frame_size
    if sizes is None:
        return np.zeros(len(poses), np.int64)
    newest = np.maximum.accumulate(np.where(sizes.any(1), np.arange(len(sizes)), -1))
    known = sizes[np.maximum(newest, 0)]
    changes = (known[1:] != known[:-1]).any(1) & (newest[:-1] >= 0)
    return np.concatenate([[0], np.cumsum(changes)])
