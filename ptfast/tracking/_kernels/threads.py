"""Kernels on threads: ranges of equal work, and a pool that runs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from threading import Thread
from typing import Any

import numpy as np

from ptfast import _native

PIECES_PER_THREAD = 4  # so that no thread waits long for another's last piece


def run_pieces(function: Callable[..., Any], pieces: Sequence[tuple[int, ...]]) -> list[Any]:
    """Calls function(*piece) for each piece on as many threads as ptfast may use. Returns the results in order.

    The calling thread is one of them, and the only one where the system gives no further one.
    """
    left = iter(list(enumerate(pieces)))
    results: list[Any] = [None] * len(pieces)
    errors: list[BaseException] = []

    def work() -> None:
        for place, piece in left:
            if errors:
                return
            try:
                results[place] = function(*piece)
            except BaseException as error:  # the caller's to raise, once no thread is at work any more
                errors.append(error)

    helpers = _start_threads(work, min(_native.num_threads(), len(pieces)) - 1)
    work()
    for helper in helpers:
        helper.join()
    if errors:
        raise errors[0]
    return results


def _start_threads(work: Callable[[], None], count: int) -> list[Thread]:
    """So many threads at work, or as many as the system gives."""
    started: list[Thread] = []
    for _ in range(count):
        thread = Thread(target=work, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            break
        started.append(thread)
    return started


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
