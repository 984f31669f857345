"""oks_matrix on NumPy arrays."""

from __future__ import annotations

import numpy as np

from ptfast import _native
from ptfast._check import as_floats, core_array
from ptfast.ops._numpy.library import addresses, as_mask


def oks_arrays(
    a: np.ndarray,
    b: np.ndarray,
    area: np.ndarray | tuple[np.ndarray, np.ndarray],
    sigmas: np.ndarray,
    a_visible: np.ndarray | None,
    b_visible: np.ndarray | None,
) -> np.ndarray:
    """ptfast.ops.oks_matrix for arrays whose shapes are already checked."""
    a = as_floats("a", a)
    dtype = a.dtype
    area_a, area_b = area if isinstance(area, tuple) else (None, area)
    reals = [None if x is None else core_array(x, dtype) for x in (b, area_a, area_b, sigmas)]
    inputs = (a, *reals, as_mask(a_visible), as_mask(b_visible))
    *batch, n, k, _ = a.shape
    m = b.shape[-3]
    out = np.empty((*batch, n, m), dtype)
    if out.size:
        sizes = (out.size // (n * m), n, m, k)
        _native.cpu("oks_matrix", dtype)(addresses(inputs), sizes, _native.address(out))
    return out
