"""Pairs of poses that may be one person: each pose with the nearest ones of each of the frames before."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ptfast.ops.oks import oks_matrix
from ptfast.structures import Poses, pose_areas
from ptfast.tracking.settings import SIGMA_SCALE


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
    reach = min(lookback, len(times))
    now, back = (column.ravel() for column in np.mgrid[window.known : len(times), 1 : reach + 1])
    before = np.maximum(now - back, 0)
    same = (back <= now) & (times[now] - times[before] <= lookback) & (scenes[now] == scenes[before])
    return grid.nearest(now[same], before[same], times, neighbours)


def surely_one(pairs: Pairs, poses: Poses, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of neighbouring frames that OKS alone decides.

    Args:
        pairs: All pairs that are possible.
        poses: All poses.
        margin: What a pair's OKS must be above that of every other pair of either pose in the two frames, and above 0.

    Returns:
        (P,) bool, True for the sure ones; and (P,) bool, True for those that they make needless: all others of their
        current poses, and of their earlier poses in the same frame.
    """
    sure, adjacent = np.zeros(len(pairs), bool), np.flatnonzero(pairs.apart == 1)
    a, b = pairs.earlier[adjacent], pairs.current[adjacent]
    oks = _oks(poses, a, b)
    sure[adjacent] = oks - np.maximum(_best_other(a, oks), _best_other(b, oks)) >= margin
    followed, found = np.zeros((2, len(poses.scores)), bool)
    followed[pairs.earlier[sure]] = found[pairs.current[sure]] = True
    needless = found[pairs.current] | (followed[pairs.earlier] & (pairs.apart == 1))
    return sure, needless & ~sure


def _best_other(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(P,) the highest of the other values that have the same row, 0 where there is none."""
    order = np.lexsort((-values, rows))
    groups, ranked = np.append(rows[order], -1), np.append(values[order], 0)
    place = np.arange(len(order))
    first = np.searchsorted(groups[:-1], groups[:-1])
    other = np.where(place == first, first + 1, first)
    best = np.zeros_like(values)
    best[order] = np.where(groups[other] == groups[:-1], ranked[other], 0)
    return best


def _oks(poses: Poses, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(P,) OKS of poses of rows `a` with those of rows `b`, with the sigmas of linking."""
    visible = {"a_visible": poses.joint_visibility[a][:, None], "b_visible": poses.joint_visibility[b][:, None]}
    sigmas = np.array(poses.skeleton.sigmas, np.float32) * np.float32(SIGMA_SCALE)
    area = pose_areas(poses)[b][:, None]
    earlier, current = poses.keypoints[a][:, None], poses.keypoints[b][:, None]
    return oks_matrix(earlier, current, area=area, sigmas=sigmas, **visible)[:, 0, 0]


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
