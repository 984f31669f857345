"""Intersection over union between all boxes, or tubes of boxes, of two sets."""

from __future__ import annotations

from ptfast._check import Array, ArrayT, check_shape, is_tensor
from ptfast.ops._numpy.boxes import iou_arrays, tube_iou_arrays


def iou_matrix(a: ArrayT, b: Array) -> ArrayT:
    """Intersection over union (IoU) of every box of `a` with every box of `b`.

    A box is x1, y1, x2, y2 with width = x2 - x1. A side that is not positive makes the area 0, and a union of 0 makes
    the IoU 0. A NaN coordinate makes its pairs NaN. The bits of the result depend on neither the processor nor the
    number of threads.

    Args:
        a: (..., N, 4) float32 or float64, pixels; NumPy arrays or torch tensors.
        b: (..., M, 4), the same batch dimensions; taken in a's dtype.

    Returns:
        (..., N, M) of a's dtype; in torch, detached.

    Raises:
        ValueError: A shape is wrong.
        TypeError: A dtype is neither float32 nor float64.
    """
    check_shape("a", a, ("...", "N", 4))
    check_shape("b", b, (*a.shape[:-2], "M", 4))
    if is_tensor(a):
        from ptfast.ops._torch.boxes import iou_matrix as on_tensors

        return on_tensors(a, b)
    return iou_arrays(a, b)


def tube_iou_matrix(a: ArrayT, b: Array, a_valid: Array | None = None, b_valid: Array | None = None) -> ArrayT:
    """Mean IoU over the frames of every tube of `a` with every tube of `b`.

    The mean runs over all T frames. A frame that is invalid in either tube counts 0, whatever its coordinates. A
    frame's IoU is that of iou_matrix. Without frames the result is 0.

    Args:
        a: (..., N, T, 4) float32 or float64, a box x1, y1, x2, y2 in pixels for each frame.
        b: (..., M, T, 4), the same batch dimensions; taken in a's dtype.
        a_valid: (..., N, T), nonzero where a frame counts; default all.
        b_valid: (..., M, T).

    Returns:
        (..., N, M) of a's dtype; in torch, detached.

    Raises:
        ValueError: A shape is wrong.
        TypeError: A dtype is neither float32 nor float64.

    Source:
        Girdhar et al. 2018 (Detect-and-Track), section 3.1, there with one pixel more on each side.
    """
    check_shape("a", a, ("...", "N", "T", 4))
    *batch, n, t, _ = a.shape
    check_shape("b", b, (*batch, "M", t, 4))
    m = b.shape[-3]
    if a_valid is not None:
        check_shape("a_valid", a_valid, (*batch, n, t))
    if b_valid is not None:
        check_shape("b_valid", b_valid, (*batch, m, t))
    if is_tensor(a):
        from ptfast.ops._torch.boxes import tube_iou_matrix as on_tensors

        return on_tensors(a, b, a_valid, b_valid)
    return tube_iou_arrays(a, b, a_valid, b_valid)
