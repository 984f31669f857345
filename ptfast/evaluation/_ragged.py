"""Index arithmetic for columns that hold one run of rows a frame."""

from __future__ import annotations

import numpy as np


def frame_pairs(a_offsets: np.ndarray, b_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of rows that share a frame; offsets (F + 1,) each.

    Returns:
        Rows of a and rows of b, (P,) int64 each: frame after frame, a's rows in order and b's within each of them.
    """
    a_counts, b_counts = np.diff(a_offsets), np.diff(b_offsets)
    width = np.repeat(b_counts, a_counts)  # partners of each row of a
    a_rows = np.repeat(np.arange(len(width)), width)
    start = np.repeat(np.repeat(b_offsets[:-1], a_counts) - (np.cumsum(width) - width), width)
    return a_rows, start + np.arange(len(a_rows))


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
