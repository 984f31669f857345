"""Compilation of the Numba kernels ahead of their first use."""

from __future__ import annotations

import time


def warm_up() -> float:
    """Loads Numba and all kernels, which their first use would do otherwise. Returns the seconds that it took.

    The first time on a machine they are compiled, which takes seconds. Afterwards they come from Numba's cache, in
    NUMBA_CACHE_DIR if that is set, else in __pycache__ beside the sources or, where that cannot be written, in the
    user's cache folder. Where none of these can be written, they are compiled in every process.
    """
    started = time.perf_counter()
    from ptfast.tracking._kernels import mean_shift, merging, seeded_mean_shift, shortest_path  # noqa: F401

    return time.perf_counter() - started
