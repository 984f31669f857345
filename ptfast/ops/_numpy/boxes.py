"""iou_matrix and tube_iou_matrix on NumPy arrays."""

from __future__ import annotations

import numpy as np

from ptfast import _native
from ptfast._check import as_floats, core_array
from ptfast.ops._numpy.library import addresses, as_mask


def iou_arrays(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """ptfast.ops.iou_matrix for arrays whose shapes are already checked."""
    a = as_floats("a", a)
    dtype = a.dtype
    b = core_array(b, dtype)
    n, m = a.shape[-2], b.shape[-2]
    out = np.empty((*a.shape[:-1], m), dtype)
    if out.size:
        sizes = (out.size // (n * m), n, m)
        inputs = (_native.address(a), _native.address(b))
        _native.cpu("iou_matrix", dtype)(*inputs, *sizes, _native.address(out))
    return out


def tube_iou_arrays(a: np.ndarray, b: np.ndarray, a_valid: np.ndarray | None, b_valid: np.ndarray | None) -> np.ndarray:
    """ptfast.ops.tube_iou_matrix for arrays whose shapes are already checked."""
    a = as_floats("a", a)
    inputs = (a, core_array(b, a.dtype), as_mask(a_valid), as_mask(b_valid))
    *batch, n, t, _ = a.shape
    m = b.shape[-3]
    out = np.zeros((*batch, n, m), a.dtype)
    if out.size and t:
        sizes = (out.size // (n * m), n, m, t)
        _native.cpu("tube_iou_matrix", a.dtype)(addresses(inputs), sizes, _native.address(out))
    return out
