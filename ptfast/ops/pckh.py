"""The share of joints near each other (PCKh) between all poses of two sets."""

from __future__ import annotations

from ptfast._check import Array, ArrayT, check_number, check_shape, is_tensor
from ptfast.ops._numpy.pckh import pckh_arrays


def pckh_matrix(
    a: ArrayT,
    b: Array,
    *,
    head_sizes: Array,
    threshold: float = 0.5,
    a_visible: Array | None = None,
    b_visible: Array | None = None,
) -> ArrayT:
    """Share of the joints visible in both that lie within threshold times b's head size, for every pair of poses.

    A distance equal to the limit is within. Without a common joint the share is 0. A NaN coordinate of a common joint,
    or a NaN head size, makes the pair NaN. Coordinates of hidden joints do not count. The bits of the result depend on
    neither the processor nor the number of threads.

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
