"""rank_scores in plain Python: the quicksort over registers of eight that defines the order of equal scores."""

from __future__ import annotations

import math

import numpy as np

LANES, NETWORK, UNROLL, LONG_RUN = 8, 64, 4, 256


def rank_scores(scores: np.ndarray) -> np.ndarray:
    """ptfast.ops.ranking.rank_scores for one group (D,) -> (D,)."""
    values = [float(score) for score in scores]
    depth = 2 * int(math.log2(len(values))) if values else 0
    order = ascending(list(range(len(values))), values, depth)
    return np.array(order[::-1], np.int64)


def ascending(order: list[int], scores: list[float], depth: int) -> list[int]:
    """Sorts positions `order` by rising score."""
    if depth == 0 and len(order) > 1:
        raise ValueError("scores must not mostly share the lowest value: the C++ library orders those")
    if len(order) <= NETWORK:
        return network(order, scores)
    gap = (len(order) - 1) // LANES
    pivot = sorted(scores[order[(i + 1) * gap]] for i in range(LANES))[LANES // 2]
    ends = min(scores[i] for i in order), max(scores[i] for i in order)
    low, high = partition(order, scores, pivot)
    return [
        *(ascending(low, scores, depth - 1) if pivot != ends[0] else low),
        *(ascending(high, scores, depth - 1) if pivot != ends[1] else high),
    ]


def network(order: list[int], scores: list[float]) -> list[int]:
    """Sorts by a bitonic network, whose merges compare mirrored positions first and never exchange equal scores."""
    block = 2
    while block < 2 * len(order):
        masks = [block - 1, *(block >> shift for shift in range(2, block.bit_length()))]
        for mask in masks:
            for i in range(len(order)):
                j = i ^ mask
                if i < j < len(order) and scores[order[i]] > scores[order[j]]:
                    order[i], order[j] = order[j], order[i]
        block *= 2
    return order


def partition(order: list[int], scores: list[float], pivot: float) -> tuple[list[int], list[int]]:
    """Positions of scores below the pivot, and the others, in the order in which registers are read and written."""
    step = (UNROLL if len(order) > LONG_RUN else 1) * LANES
    low: list[int] = []
    high: list[int] = []  # written from its end
    for _ in range(len(order) % step):
        if scores[order[0]] < pivot:
            low.append(order.pop(0))
        else:
            high.insert(0, order[0])
            order = order[-1:] + order[1:-1] if len(order) > 1 else []
    first, last = order[:step], order[step:][-step:]
    middle = order[len(first) : len(order) - len(last)]
    room_left = room_right = step  # read and not yet written over, as the outermost registers are held back
    while middle:
        from_right = room_right < room_left
        taken = middle[-step:] if from_right else middle[:step]
        middle = middle[:-step] if from_right else middle[step:]
        below = write(taken, scores, pivot, low, high)
        room_left += (0 if from_right else step) - below
        room_right += (step if from_right else 0) - (step - below)
    write(first, scores, pivot, low, high)
    write(last, scores, pivot, low, high)
    return low, high


def write(lanes: list[int], scores: list[float], pivot: float, low: list[int], high: list[int]) -> int:
    """Appends register after register to `low` or puts it before `high`. Returns the number that went to `low`."""
    before = len(low)
    for start in range(0, len(lanes), LANES):
        register = lanes[start : start + LANES]
        low.extend(i for i in register if scores[i] < pivot)
        high[:0] = [i for i in register if not scores[i] < pivot]
    return len(low) - before
