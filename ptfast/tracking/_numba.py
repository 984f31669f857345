"""How this package compiles and runs its Numba kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numba import njit, types

from ptfast import _native

PIECES_PER_THREAD = 4  # so that no thread waits long for another's last piece

ZERO: Any = np.int64(0)  # where counting starts: for a plain 0, Numba would compile what is called with it once more
boolean, integer, real = types.boolean, types.int64, types.float64


def arrays(dtype: Any, ndim: int = 1) -> types.Array:
    """The type of a contiguous array that a kernel may write to."""
    return types.Array(dtype, ndim, "C")


def inputs(dtype: Any, ndim: int = 1) -> types.Array:
    """The type of a contiguous array that a kernel only reads: the caller's may be read-only or not."""
    return types.Array(dtype, ndim, "C", readonly=True)


def part(function: Callable) -> Callable:
    """Compiles a function that only kernels call, as a part of each of them."""
    return njit(error_model="numpy")(function)


def kernel(*signature: Any) -> Callable[[Callable], Callable]:
    """Compiles a function that Python calls, for arguments of these types alone, when its module is imported.

    It releases the GIL and is kept in Numba's cache: __pycache__ beside the source, or the user's own cache where that
    cannot be written. Where nothing can be written, each process compiles anew.
    """

    def compiled(function: Callable) -> Callable:
        function.__qualname__ += f"_{_sources()}"
        try:
            return njit(signature, nogil=True, cache=True, error_model="numpy")(function)
        except (RuntimeError, OSError):  # Numba found no folder for its cache, or could not write to the one it found
            return njit(signature, nogil=True, error_model="numpy")(function)

    return compiled


@cache
def _sources() -> str:
    """Stands for the content of all files with kernels and their parts.

    It is part of a kernel's name in the cache, since Numba looks for changes in the kernel's own file alone.
    """
    return f"{crc32(b''.join(path.read_bytes() for path in sorted(Path(__file__).parent.glob('_*.py')))):08x}"


def run_pieces(function: Callable[..., Any], pieces: Sequence[tuple[int, ...]]) -> list[Any]:
    """function(*piece) for each piece, on as many threads as ptfast may use; the results in order."""
    threads = min(_native.num_threads(), len(pieces))
    if threads <= 1:
        return [function(*piece) for piece in pieces]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda piece: function(*piece), pieces))


def even_pieces(offsets: np.ndarray, grain: int) -> list[tuple[int, int]]:
    """Ranges of rows with about equal shares of the work, in order.

    Args:
        offsets: (N + 1,) the work before each of N rows.
        grain: The least work that is worth a piece of its own.
    """
    work = int(offsets[-1] - offsets[0])
    count = max(1, min(PIECES_PER_THREAD * _native.num_threads(), work // grain))
    cuts = np.searchsorted(offsets, offsets[0] + np.arange(1, count) * (work / count))
    edges = np.unique(np.concatenate([[0], cuts, [len(offsets) - 1]]))
    return [(int(first), int(last)) for first, last in pairwise(edges)]
