"""Matching and non-matching pairs of the last frames, drawn in equal numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ptfast.models.camera_shift import camera_shifts
from ptfast.training.entailment.table import PoseTable

_MOST = 32  # people of a frame among whom an earlier pose is sought
_ROUNDS = 200  # draws before a table is said to have no pairs


@dataclass(frozen=True)
class Drawn:
    """P pairs.

    Attributes:
        rows: (P, 2) int64 rows of the current and of the earlier pose.
        apart: (P,) int64 frames from the one to the other, counted in strides.
    """

    rows: np.ndarray
    apart: np.ndarray


class PairSampler:
    """Draws pairs from a table.

    Args:
        table: The poses.
        strides: Each pair draws one.
        delta: Farthest frame, counted in strides.
        near: Share of the non-matching pairs whose earlier pose is among the nearest: the nearest in half of these, the
            next one in half of the rest, and so on.
    """

    def __init__(self, table: PoseTable, strides: tuple[int, ...], delta: int, near: float) -> None:
        self.table, self.strides, self.delta, self.near = table, np.array(strides), delta, near

    def matching(self, rng: np.random.Generator, count: int) -> Drawn:
        """Pairs of one person; a ValueError where the table has none."""

        def earlier(rows: np.ndarray, frames: np.ndarray) -> np.ndarray:
            return self.table.rows_of(frames, self.table.ids[rows])

        return self._draw(rng, count, earlier, "two poses of one person")

    def non_matching(self, rng: np.random.Generator, count: int) -> Drawn:
        """Pairs of two people; a ValueError where the table has none."""

        def earlier(rows: np.ndarray, frames: np.ndarray) -> np.ndarray:
            return self._others(rng, rows, frames)

        return self._draw(rng, count, earlier, "two people")

    def _draw(
        self,
        rng: np.random.Generator,
        count: int,
        earlier: Callable[[np.ndarray, np.ndarray], np.ndarray],
        what: str,
    ) -> Drawn:
        """Draws current poses and distances until `count` of them have an earlier pose."""
        parts: list[tuple[np.ndarray, np.ndarray]] = []
        found = 0
        for _ in range(_ROUNDS):
            rows = rng.choice(self.table.known, 2 * count)
            apart = rng.integers(1, self.delta + 1, len(rows))
            frames = self.table.frames[rows] - apart * rng.choice(self.strides, len(rows))
            inside = frames >= self.table.first[self.table.frames[rows]]
            rows, apart, frames = rows[inside], apart[inside], frames[inside]
            others = earlier(rows, frames)
            there = others >= 0
            parts.append((np.stack([rows, others], 1)[there], apart[there]))
            found += int(there.sum())
            if found >= count:
                pairs, distances = (np.concatenate(column)[:count] for column in zip(*parts, strict=True))
                return Drawn(pairs, distances)
        raise ValueError(f"tracks must hold {what} within {self.delta} frames, found too few of them")

    def _others(self, rng: np.random.Generator, rows: np.ndarray, frames: np.ndarray) -> np.ndarray:
        """(P,) rows of somebody else in the earlier frames, -1 where there is nobody else."""
        table = self.table
        start, people = table.offsets[frames], table.offsets[frames + 1] - table.offsets[frames]
        slots = np.arange(min(int(people.max(initial=1)), _MOST))
        turn = rng.integers(0, 1 << 30, len(rows))[:, None]
        there = slots < people[:, None]
        candidates = np.where(there, start[:, None] + (turn + slots) % np.maximum(people, 1)[:, None], 0)
        other = there & (table.ids[candidates] != table.ids[rows, None])
        distance = np.linalg.norm(table.centres[candidates] - table.centres[rows, None], axis=2)
        order = np.argsort(np.where(other, distance, np.inf), axis=1)
        count = other.sum(1)
        near = rng.random(len(rows)) < self.near
        rank = np.where(near, rng.geometric(0.5, len(rows)) - 1, rng.integers(0, np.maximum(count, 1)))
        rank = np.minimum(rank, np.maximum(count - 1, 0))
        line = np.arange(len(rows))
        return np.where(count > 0, candidates[line, order[line, rank]], -1)


def shifts_of(table: PoseTable, rows: np.ndarray) -> np.ndarray:
    """(P, 2) float32 common shifts of the people between the two frames of pairs (P, 2), current and earlier."""
    frames = table.frames[rows]
    now, before = (table.offsets[frames[:, i] + 1] - table.offsets[frames[:, i]] for i in range(2))
    width = now * before
    group = np.repeat(np.arange(len(rows)), width)
    place = np.arange(len(group)) - np.repeat(np.cumsum(width) - width, width)
    current = table.offsets[frames[group, 0]] + place // before[group]
    earlier = table.offsets[frames[group, 1]] + place % before[group]
    found = camera_shifts(table.centres[current] - table.centres[earlier], current, group)
    return found[np.cumsum(width) - width]  # every pair's frames hold its own two poses at least
