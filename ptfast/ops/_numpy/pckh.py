"""pckh_matrix on NumPy arrays."""

from __future__ import annotations

import numpy as np

from ptfast import _native
from ptfast._check import as_floats, core_array
from ptfast.ops._numpy.library import addresses, as_mask


def pckh_arrays(
    a: np.ndarray,
    b: np.ndarray,
    head_sizes: np.ndarray,
    threshold: float,
    a_visible: np.ndarray | None,
    b_visible: np.ndarray | None,
) -> np.ndarray:
    """ptfast.ops.pckh_matrix for arrays whose shapes are already checked."""
    a = as_floats("a", a)
    b, head_sizes = (core_array(x, a.dtype) for x in (b, head_sizes))
    inputs = (a, b, head_sizes, as_mask(a_visible), as_mask(b_visible))
    *batch, n, k, _ = a.shape
    m = b.shape[-3]
    out = np.empty((*batch, n, m), a.dtype)
    if out.size:
        sizes = (out.size // (n * m), n, m, k)
        _native.cpu("pckh_matrix", a.dtype)(addresses(inputs), sizes, threshold, _native.address(out))
    return out
