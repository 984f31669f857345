"""Compilation of Numba kernels: argument types, decorators, cache."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numba import njit, types

ZERO: Any = np.int64(0)  # where counting starts: for a plain 0, Numba would compile what is called with it once more
boolean, integer, real = types.boolean, types.int64, types.float64


def arrays(dtype: Any, ndim: int = 1) -> types.Array:
    """The type of a contiguous array that a kernel may write to."""
    return types.Array(dtype, ndim, "C")


def inputs(dtype: Any, ndim: int = 1) -> types.Array:
    """The type of a contiguous array that a kernel only reads, as `read_only` gives it."""
    return types.Array(dtype, ndim, "C", readonly=True)


def record(kind: type, *fields: Any) -> types.BaseTuple:
    """The type of a NamedTuple whose fields have these types.

    Numba converts none of them, so each must be given as it is, an array of `inputs` as a read-only view.
    """
    return types.BaseTuple.from_types(fields, kind)


def read_only(array: np.ndarray) -> np.ndarray:
    """A view of a contiguous array that has the type `inputs`."""
    view = array.view()
    view.flags.writeable = False
    return view


# Parts are inlined and count no references to arrays. A call passes an array as seven numbers, a NamedTuple of twenty
# arrays as 140, and counts each array by an atomic operation, of which Numba removes only some. Together that takes
# longer than to cluster ten points. Numba has no public option against the counting.
_UNCOUNTED: dict[str, Any] = {"_nrt": False, "forceinline": True}


def part(function: Callable, **options: Any) -> Callable:
    """Compiles a function that only kernels and other parts call. It makes no arrays and returns numbers alone.

    It does not count references to arrays, which is safe since its caller holds them for as long as it runs.
    """
    return njit(error_model="numpy", **_UNCOUNTED, **options)(function)


def maker(function: Callable) -> Callable:
    """Compiles a function that only kernels call, and that makes arrays or calls one that does."""
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
    """A hash of all kernels' sources.

    It is part of a kernel's name in the cache, since Numba looks for changes in the kernel's own file alone.
    """
    return f"{crc32(b''.join(path.read_bytes() for path in sorted(Path(__file__).parent.glob('*.py')))):08x}"
