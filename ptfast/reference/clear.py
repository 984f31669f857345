"""clear_match with dictionaries and SciPy, one object after the other."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

MATCH, SWITCH, MISS, FALSE_POSITIVE, TRANSFER, ASCEND, MIGRATE = range(7)
EVENTS, ALL_ROWS = range(2)


def clear_match(
    distances: np.ndarray,
    object_ids: np.ndarray,
    hypothesis_ids: np.ndarray,
    *,
    object_offsets: np.ndarray,
    hypothesis_offsets: np.ndarray,
    sequence_offsets: np.ndarray,
    object_present: np.ndarray,
    hypothesis_present: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """ptfast.ops.clear.clear_match with all arguments: distances (P, K), ids (N,) and (M,), masks (N, K) and (M, K).

    Returns:
        matched (N, K) int64, switched (N, K) bool, counts (S, K, 7) in the order of MATCH ... MIGRATE, and (S, K, 2)
        summed distances of matches and switches, and of all events and admissible pairs.
    """
    joints = distances.shape[1]
    matched = np.full((len(object_ids), joints), -1)
    switched = np.zeros(matched.shape, bool)
    counts = np.zeros((len(sequence_offsets) - 1, joints, 7), np.int64)
    sums = np.zeros((len(sequence_offsets) - 1, joints, 2))
    sizes = np.diff(object_offsets) * np.diff(hypothesis_offsets)
    pair_offsets = np.concatenate([[0], np.cumsum(sizes)])
    for s, k in np.ndindex(*counts.shape[:2]):
        history = _History(counts[s, k], sums[s, k])
        for f in range(sequence_offsets[s], sequence_offsets[s + 1]):
            rows = np.arange(object_offsets[f], object_offsets[f + 1])
            columns = np.arange(hypothesis_offsets[f], hypothesis_offsets[f + 1])
            block = distances[pair_offsets[f] : pair_offsets[f + 1], k].reshape(len(rows), len(columns))
            in_row, in_column = object_present[rows, k], hypothesis_present[columns, k]
            rows, columns = rows[in_row], columns[in_column]
            pairs = history.frame(block[in_row][:, in_column], object_ids[rows], hypothesis_ids[columns])
            for i, j, event in pairs:
                matched[rows[i], k] = columns[j]
                switched[rows[i], k] = event == SWITCH
    return matched, switched, counts, sums


@dataclass
class _History:
    """State of one channel of one sequence between frames. Objects and hypotheses are named by their ids."""

    counts: np.ndarray
    sums: np.ndarray
    hypothesis_of: dict[int, int] = field(default_factory=dict)  # last partner of each object
    object_of: dict[int, int] = field(default_factory=dict)  # last object that each hypothesis was newly given to
    seen: set[int] = field(default_factory=set)  # hypotheses matched so far

    def frame(self, distances: np.ndarray, objects: np.ndarray, hypotheses: np.ndarray) -> list[tuple[int, int, int]]:
        """One frame's pairs (row, column, MATCH or SWITCH) from distances (n, m), not finite where forbidden."""
        self.sums[ALL_ROWS] += distances[np.isfinite(distances)].sum()
        pairs = self.kept(distances, objects, hypotheses)
        left = distances.copy()
        for i, j, _ in pairs:
            left[i, :] = left[:, j] = np.nan
        for i, j in solve(left):
            pairs.append((i, j, self.new(objects[i], hypotheses[j], distances[i, j])))
        for i, j, event in pairs:
            self.counts[event] += 1
            self.sums += distances[i, j]
        self.counts[MISS] += len(objects) - len(pairs)
        self.counts[FALSE_POSITIVE] += len(hypotheses) - len(pairs)
        return pairs

    def kept(self, distances: np.ndarray, objects: np.ndarray, hypotheses: np.ndarray) -> list[tuple[int, int, int]]:
        pairs: list[tuple[int, int, int]] = []
        free = np.ones(len(hypotheses), bool)
        for i, name in enumerate(objects):
            if name not in self.hypothesis_of:
                continue
            partners = np.flatnonzero(free & (hypotheses == self.hypothesis_of[name]))
            if len(partners) and np.isfinite(distances[i, partners[0]]):
                free[partners[0]] = False
                pairs.append((i, int(partners[0]), MATCH))
        return pairs

    def new(self, name: int, hypothesis: int, distance: float) -> int:
        event = SWITCH if self.hypothesis_of.get(name, hypothesis) != hypothesis else MATCH
        extra = [ASCEND] if event == SWITCH and hypothesis not in self.seen else []
        if self.object_of.get(hypothesis, name) != name:
            extra += [TRANSFER] if name in self.hypothesis_of else [TRANSFER, MIGRATE]
        for kind in extra:
            self.counts[kind] += 1
            self.sums[ALL_ROWS] += distance
        self.seen.add(hypothesis)
        self.hypothesis_of[name], self.object_of[hypothesis] = hypothesis, name
        return event


def solve(distances: np.ndarray) -> list[tuple[int, int]]:
    """Rows and columns of as many finite pairs of (n, m) as possible with the least total distance, rows rising."""
    finite = np.isfinite(distances)
    if not finite.any():
        return []
    bound = np.abs(distances[finite]).max() + 1
    rows, columns = linear_sum_assignment(np.where(finite, distances, 2 * min(distances.shape) * bound + 1))
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if finite[i, j]]
