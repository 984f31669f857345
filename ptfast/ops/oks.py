"""Object keypoint similarity between all poses of two sets."""

from __future__ import annotations

from ptfast._check import Array, ArrayT, check_shape, is_tensor
from ptfast.ops._numpy.oks import oks_arrays


def oks_matrix(
    a: ArrayT,
    b: Array,
    *,
    area: Array | tuple[Array, Array],
    sigmas: Array,
    a_visible: Array | None = None,
    b_visible: Array | None = None,
) -> ArrayT:
    """Object keypoint similarity (OKS) of every pose of `a` with every pose of `b`.

    OKS is the mean of exp(-d^2 / (2 (2 sigma)^2 area)) over the joints visible in both. COCO's area is that of the
    ground truth. Without a common joint OKS is 0. With an area that is not positive it is 1 if all common joints
    coincide, else 0. The term of a joint whose sigma is 0 is 1 if the joint coincides, else 0. A NaN coordinate of a
    visible joint makes its pairs NaN where their area is positive. Those of hidden joints do not count.

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
    _check_shapes(a, b, area, sigmas, a_visible, b_visible)
    if is_tensor(a):
        from ptfast.ops._torch.oks import oks_matrix as on_tensors

        return on_tensors(a, b, area, sigmas, a_visible, b_visible)
    return oks_arrays(a, b, area, sigmas, a_visible, b_visible)


def _check_shapes(
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
