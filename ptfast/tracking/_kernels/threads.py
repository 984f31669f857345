"""Kernels on threads: ranges of equal work, and a pool that runs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from ptfast import _native

PIECES_PER_THREAD = 4  # so that no thread waits long for another's last piece


def run_pieces(function: Callable[..., Any], pieces: Sequence[tuple[int, ...]]) -> list[Any]:
    """Calls function(*piece) for each piece on as many threads as ptfast may use. Returns the results in order."""
    threads = min(_native.num_threads(), len(pieces))
    if threads <= 1:
        return [function(*piece) for piece in pieces]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda piece: function(*piece), pieces))


def even_pieces(offsets: np.ndarray, grain: int) -> list[tuple[int, int]]:
    """Ranges of rows with about equal shares of the work, in order.

    Args:
        offsets: (N + 1,) the work before each of N rows.
        grain: Least work that is worth a piece of its own.
    """
    work = int(offsets[-1] - offsets[0])
    count = max(1, min(PIECES_PER_THREAD * _native.num_threads(), work // grain))
    cuts = np.searchsorted(offsets, offsets[0] + np.arange(1, count) * (work / count))
    edges = np.unique(np.concatenate([[0], cuts, [len(offsets) - 1]]))
    return [(int(first), int(last)) for first, last in pairwise(edges)]
