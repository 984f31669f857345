"""Object keypoint similarity between all poses of two sets."""

from __future__ import annotations

import numpy as np

from ptfast import _native
from ptfast._check import Array, as_floats, check_shape, is_tensor


def oks_matrix(
    a: Array,
    b: Array,
    *,
    area: Array | tuple[Array, Array],
    sigmas: Array,
    a_visible: Array | None = None,
    b_visible: Array | None = None,
) -> Array:
    """Object keypoint similarity (OKS) of every pose of `a` with every pose of `b`.

    OKS is the mean of exp(-d^2 / (2 (2 sigma)^2 area)) over the joints visible in both (COCO's definition, whose area
    is the ground truth's). No common joint: 0. An area that is not positive: 1 if all common joints coincide, else 0.
    A NaN coordinate of a visible joint makes its pairs NaN; coordinates of hidden joints do not count.

    Args:
        a: (..., N, K, 2) float32 or float64, pixels; NumPy arrays or torch tensors, as all other arguments.
        b: (..., M, K, 2), the same batch dimensions and dtype.
        area: (..., M) square pixels of b's poses, or a pair ((..., N), (..., M)) whose mean is used, as HRNet does.
        sigmas: (K,) COCO's sigmas.
        a_visible: (..., N, K), nonzero where a joint counts; default all.
        b_visible: (..., M, K).

    Returns:
        (..., N, M) of a's dtype. In torch it is differentiable with respect to a and b.

    Raises:
        ValueError: A shape is wrong.
        TypeError: A dtype is neither float32 nor float64.

    Source:
        Lin et al., COCO keypoint evaluation; Wang et al. 2020, section 3.2, for its use between tracklets.
    """
    check_oks_shapes(a, b, area, sigmas, a_visible, b_visible)
    if is_tensor(a):
        from ptfast.ops._torch.oks import oks_matrix as on_tensors

        return on_tensors(a, b, area, sigmas, a_visible, b_visible)
    a = as_floats("a", a)
    area_a, area_b = area if isinstance(area, tuple) else (None, area)
    reals = [a, *(None if x is None else np.ascontiguousarray(x, a.dtype) for x in (b, area_a, area_b, sigmas))]
    masks = [None if x is None else np.ascontiguousarray(np.not_equal(x, 0), np.uint8) for x in (a_visible, b_visible)]
    *batch, n, k, _ = a.shape
    m = reals[1].shape[-3]
    out = np.empty((*batch, n, m), a.dtype)
    if out.size:
        addresses = [_native.address(x) for x in (*reals, *masks)]
        sizes = (out.size // (n * m), n, m, k)
        _native.cpu("oks_matrix", a.dtype)(addresses, sizes, _native.address(out))
    return out


def check_oks_shapes(
    a: Array,
    b: Array,
    area: Array | tuple[Array, Array],
    sigmas: Array,
    a_visible: Array | None,
    b_visible: Array | None,
) -> None:
    """Raises ValueError where a shape of oks_matrix's arguments does not fit."""
    check_shape("a", a, ("...", "N", "K", 2))
    *batch, n, k, _ = a.shape
    check_shape("b", b, (*batch, "M", k, 2))
    m = b.shape[-3]
    if isinstance(area, tuple):
        check_shape("area[0]", area[0], (*batch, n))
        check_shape("area[1]", area[1], (*batch, m))
    else:
        check_shape("area", area, (*batch, m))
    check_shape("sigmas", sigmas, (k,))
    if a_visible is not None:
        check_shape("a_visible", a_visible, (*batch, n, k))
    if b_visible is not None:
        check_shape("b_visible", b_visible, (*batch, m, k))
