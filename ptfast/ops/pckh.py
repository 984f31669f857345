"""The share of joints near each other (PCKh) between all poses of two sets."""

from __future__ import annotations

import numpy as np

from ptfast import _native
from ptfast._check import Array, as_floats, check_number, check_shape, is_tensor


def pckh_matrix(
    a: Array,
    b: Array,
    *,
    head_sizes: Array,
    threshold: float = 0.5,
    a_visible: Array | None = None,
    b_visible: Array | None = None,
) -> Array:
    """Share of the joints visible in both that lie within threshold times b's head size, for every pair of poses.

    A distance equal to the limit is within. No common joint: 0. A NaN coordinate of a common joint, or a NaN head size,
    makes the pair NaN; coordinates of hidden joints do not count. The bits of the result depend on neither the
    processor nor the number of threads.

    Args:
        a: (..., N, K, 2) float32 or float64, pixels; NumPy arrays or torch tensors, as all other arguments.
        b: (..., M, K, 2), the same batch dimensions; taken in a's dtype.
        head_sizes: (..., M) pixels, b's.
        threshold: In head sizes, at least 0.
        a_visible: (..., N, K), nonzero where a joint counts; default all.
        b_visible: (..., M, K).

    Returns:
        (..., N, M) of a's dtype; in torch, detached.

    Raises:
        ValueError: A shape is wrong, or threshold is negative.
        TypeError: A dtype is neither float32 nor float64.

    Source:
        Andriluka et al. 2014 (MPII), for the measure; PoseTrack's evaluation matches poses by it.
    """
    check_shape("a", a, ("...", "N", "K", 2))
    *batch, n, k, _ = a.shape
    check_shape("b", b, (*batch, "M", k, 2))
    m = b.shape[-3]
    check_shape("head_sizes", head_sizes, (*batch, m))
    if a_visible is not None:
        check_shape("a_visible", a_visible, (*batch, n, k))
    if b_visible is not None:
        check_shape("b_visible", b_visible, (*batch, m, k))
    check_number("threshold", threshold, 0)
    if is_tensor(a):
        from ptfast.ops._torch.pckh import pckh_matrix as on_tensors

        return on_tensors(a, b, head_sizes, threshold, a_visible, b_visible)
    return pckh_arrays(a, b, head_sizes, threshold, a_visible, b_visible)


def pckh_arrays(
    a: np.ndarray,
    b: np.ndarray,
    head_sizes: np.ndarray,
    threshold: float,
    a_visible: np.ndarray | None,
    b_visible: np.ndarray | None,
) -> np.ndarray:
    """pckh_matrix of NumPy arrays whose shapes are already checked."""
    a = as_floats("a", a)
    b, head_sizes = (np.ascontiguousarray(x, a.dtype) for x in (b, head_sizes))
    masks = [None if x is None else np.ascontiguousarray(np.not_equal(x, 0), np.uint8) for x in (a_visible, b_visible)]
    *batch, n, k, _ = a.shape
    m = b.shape[-3]
    out = np.empty((*batch, n, m), a.dtype)
    if out.size:
        addresses = [_native.address(x) for x in (a, b, head_sizes, *masks)]
        sizes = (out.size // (n * m), n, m, k)
        _native.cpu("pckh_matrix", a.dtype)(addresses, threshold, sizes, _native.address(out))
    return out
