"""The shift that the people of two frames have in common, as a moving camera gives it."""

from __future__ import annotations

import numpy as np

_FEWEST = 3  # people who must have moved alike


def camera_shifts(ways: np.ndarray, current: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Common shift of the poses of each pair of frames.

    A pair of frames has the median, in x and in y, of the ways of its current poses from their nearest earlier ones.
    Nearest is then found again without that shift.

    Args:
        ways: (P, 2) from an earlier pose's centre to a current one's: of all pairs of two frames, or of the nearest.
        current: (P,) int64 the current pose of each.
        group: (P,) int64 the pair of frames that each belongs to.

    Returns:
        (P, 2) float32, 0 for pairs of frames with fewer than three current poses: two people may move alike by chance.
    """
    shifts = np.zeros((len(ways), 2), np.float32)
    if len(ways) == 0:
        return shifts
    group = np.unique(group, return_inverse=True)[1]
    for _ in range(2):
        distance = np.square(ways - shifts).sum(1)
        order = np.lexsort((distance, current, group))
        first = np.diff(group[order], prepend=-1) != 0
        first[1:] |= np.diff(current[order]) != 0
        nearest = order[first]
        shifts = _medians(ways[nearest], group[nearest])[group]
    return shifts


def _medians(ways: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(G, 2) float32 medians of the groups 0 to G - 1, each of them in order; 0 for small groups."""
    counts = np.bincount(group)
    starts = np.cumsum(counts) - counts
    medians = np.zeros((len(counts), 2), np.float32)
    for axis in range(2):
        values = ways[np.lexsort((ways[:, axis], group)), axis]
        medians[:, axis] = (values[starts + (counts - 1) // 2] + values[starts + counts // 2]) / 2
    return np.where(counts[:, None] >= _FEWEST, medians, np.float32(0))
