"""Ids for the poses of frame after frame, by the scores of their pairs with earlier poses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ptfast._columns import frame_of_rows
from ptfast.ops.assignment import Matcher, assign
from ptfast.tracking._pairs import Pairs, Window

Match = tuple[int, int]  # rows of an earlier and of a current pose


@dataclass(frozen=True)
class Naming:
    """How scores become ids.

    Attributes:
        matcher: "greedy" or "hungarian".
        min_match_score: Score under which a pair is never made.
        max_tracks: At most this many poses of a frame get an id; None for all.
    """

    matcher: Matcher
    min_match_score: float
    max_tracks: int | None

    def ids(
        self, window: Window, pairs: Pairs, scores: np.ndarray, known: np.ndarray, following: int
    ) -> tuple[np.ndarray, int]:
        """Hands ids down.

        Args:
            window: The frames.
            pairs: P pairs of their poses.
            scores: (P,) float64.
            known: (first_row,) int64 ids of the known frames' poses, -1 for none.
            following: The next free id.

        Returns:
            (N - first_row,) int64 ids of the other frames' poses, -1 for one that max_tracks leaves no room for, and
            the next free id.
        """
        offsets = window.poses.frame_offsets
        ids = [*known.tolist(), *[-1] * int(offsets[-1] - window.first_row)]
        room = len(ids) if self.max_tracks is None else self.max_tracks
        for frame, (rows, of_rows) in enumerate(self._candidates(window, pairs, scores), window.known):
            matched = self._matched(ids, rows, of_rows)[:room]
            for earlier, current in matched:
                ids[current] = ids[earlier]
            fresh = [row for row in range(offsets[frame], offsets[frame + 1]) if ids[row] < 0][: room - len(matched)]
            for row in fresh:
                ids[row], following = following, following + 1
        return np.array(ids[window.first_row :], np.int64), following

    def _candidates(
        self, window: Window, pairs: Pairs, scores: np.ndarray
    ) -> list[tuple[Sequence[Match], Sequence[float]]]:
        """The pairs that may be made in each of the frames to be linked, the best first, and their scores.

        Of equal scores those go first that are fewer frames apart, then the nearer ones, then lower rows.
        """
        good = np.flatnonzero(scores >= self.min_match_score)
        pairs, scores = pairs.select(good), scores[good]
        frames = frame_of_rows(window.poses.frame_offsets)[pairs.current]
        order = np.lexsort((pairs.earlier, pairs.current, pairs.squared, pairs.apart, -scores, frames))
        starts = np.searchsorted(frames[order], np.arange(window.known, len(window.times) + 1)).tolist()
        rows = list(zip(pairs.earlier[order].tolist(), pairs.current[order].tolist(), strict=True))
        values = scores[order].tolist()
        return [(rows[a:b], values[a:b]) for a, b in pairwise(starts)]

    def _matched(self, ids: list[int], rows: Sequence[Match], scores: Sequence[float]) -> list[Match]:
        """The matches of one frame, the best first: each pose once and each id once."""
        if self.matcher == "hungarian":
            return self._least_cost(ids, rows, scores)
        return _greedy(ids, rows)

    def _least_cost(self, ids: list[int], rows: Sequence[Match], scores: Sequence[float]) -> list[Match]:
        """Those of the highest total score over the threshold. An id's score is that of its best pose."""
        named = [(pair, score) for pair, score in zip(rows, scores, strict=True) if ids[pair[0]] >= 0]
        if not named:
            return []
        tracks, track = np.unique([ids[earlier] for (earlier, _), _ in named], return_inverse=True)
        poses, pose = np.unique([current for (_, current), _ in named], return_inverse=True)
        costs = np.full((len(tracks), len(poses)), np.inf)
        best: dict[Match, int] = {}
        for place, (i, j) in enumerate(zip(track.tolist(), pose.tolist(), strict=True)):
            best.setdefault((i, j), place)  # the first is the best
        for (i, j), place in best.items():
            costs[i, j] = 1 - named[place][1]
        columns = assign(costs, max_cost=1 - self.min_match_score, method="hungarian")
        places = sorted(best[i, j] for i, j in enumerate(columns.tolist()) if j >= 0)
        return [named[place][0] for place in places]


def _greedy(ids: list[int], rows: Sequence[Match]) -> list[Match]:
    """The best pair of all, then the best of those that are left, and so on."""
    matches: list[Match] = []
    taken: set[int] = set()
    found: set[int] = set()
    for pair in rows:
        earlier, current = pair
        track = ids[earlier]
        if track >= 0 and track not in taken and current not in found:
            matches.append(pair)
            taken.add(track)
            found.add(current)
    return matches
