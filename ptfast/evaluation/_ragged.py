"""Index arithmetic for columns that hold one run of rows a frame."""

from __future__ import annotations

import numpy as np


def frame_of_rows(offsets: np.ndarray) -> np.ndarray:
    """(N,) the frame that each row belongs to."""
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def offsets_of(counts: np.ndarray) -> np.ndarray:
    """(F + 1,) int64 offsets of runs with these lengths (F,)."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def join_offsets(parts: list[np.ndarray]) -> np.ndarray:
    """Offsets of all runs of several columns laid end to end."""
    return offsets_of(np.concatenate([np.zeros(0, np.int64), *(np.diff(part) for part in parts)]))


def first_best(values: np.ndarray, groups: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first entry of greatest value in each group.

    Args:
        values: (P,), at least 0.
        groups: (P,) integers under `count`.
        count: Number of groups.

    Returns:
        Index of the entry (count,), P for an empty group, and its value, 0 there.
    """
    best = np.zeros(count)
    np.maximum.at(best, groups, values)
    candidates = np.flatnonzero(values == best[groups])
    index = np.full(count, len(values))
    np.minimum.at(index, groups[candidates], candidates)
    return index, best
