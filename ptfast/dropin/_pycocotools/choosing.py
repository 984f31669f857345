"""COCO's greedy choice among candidates."""

from __future__ import annotations

import numpy as np

from ptfast.dropin._pycocotools.candidates import Candidates


def choose(
    pairs: Candidates, occupies: np.ndarray, least: np.ndarray, taken: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The pairs that match and their thresholds, (M,) each, earlier detections of a problem first.

    The n-th pairs of all problems are looked at together: problems have nothing to do with each other.

    Args:
        pairs: P of them, at least one.
        occupies: (P,) bool, pairs whose annotation is no longer free once they have matched.
        least: (T,) the thresholds.
        taken: (A G, T) all False, work space for the annotations that are not free.
    """
    best = np.tile(least, (len(pairs.starts), 1))
    chosen = np.full(best.shape, -1)
    settled = np.zeros(best.shape, bool)  # on an annotation that is not to be ignored
    matched = []
    steps = np.arange(pairs.counts[0])
    for step, live in zip(steps.tolist(), np.searchsorted(-pairs.counts, -steps).tolist(), strict=True):
        pair = pairs.starts[:live] + step
        value, ignored = pairs.value[pair][:, None], pairs.ignored[pair][:, None]
        better = ~(taken[pairs.place[pair]] | (value < best[:live]) | (settled[:live] & ignored))
        np.copyto(best[:live], value, where=better)
        np.copyto(chosen[:live], pair[:, None], where=better)
        settled[:live] |= better & ~ignored
        closing = np.flatnonzero(pairs.closes[pair])
        choice = chosen[closing]
        row, t = np.nonzero(choice >= 0)
        choice = choice[row, t]
        taken[pairs.place[choice], t] |= occupies[choice]
        matched.append((choice, t))
        best[closing], chosen[closing], settled[closing] = least, -1, False
    choices, thresholds = (np.concatenate(parts) for parts in zip(*matched, strict=True))
    return choices, thresholds


def choose_in_turn(pairs: Candidates, occupies: np.ndarray, least: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Does as `choose`, pair by pair, for few problems."""
    columns = (pairs.value, pairs.place, pairs.ignored, pairs.closes, occupies)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    matched = []
    for t, threshold in enumerate(least.tolist()):
        taken = set()  # no annotation is in two problems under one place
        best, chosen, settled = threshold, -1, False
        for pair, (value, place, ignored, closes, _) in enumerate(rows):
            if not (value < best or place in taken or (settled and ignored)):
                best, chosen, settled = value, pair, not ignored
            if closes:
                if chosen >= 0:
                    matched.append((chosen, t))
                    if rows[chosen][4]:
                        taken.add(rows[chosen][1])
                best, chosen, settled = threshold, -1, False
    choices, thresholds = np.array(matched, np.int64).reshape(-1, 2).T
    return choices, thresholds
