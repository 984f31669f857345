"""Optical flow at sub-pixel points."""

from __future__ import annotations

from ptfast._check import Array, ArrayT, check_shape, is_tensor
from ptfast.ops._numpy.flow import sample_flow_arrays


def sample_flow(flow: ArrayT, points: Array) -> tuple[ArrayT, ArrayT]:
    """Bilinear look-up of a flow field at points.

    A pixel's centre is at integer coordinates. A point counts as inside where 0 <= x <= W - 1 and 0 <= y <= H - 1. One
    with a NaN coordinate is outside.

    Args:
        flow: (H, W, 2) displacements (dx, dy) in pixels, float32 or float64; a NumPy array or torch tensor.
        points: (..., 2) as (x, y) in pixels; taken in flow's dtype and, in torch, on its device.

    Returns:
        Values (..., 2) of flow's dtype, 0 outside, and inside (...) bool. In torch the values are differentiable with
        respect to flow and points. A point outside has no gradient. One on a pixel's row or column has the gradient of
        the side below or to the right of it, on the last row or column that of the other side.

    Raises:
        ValueError: A shape is wrong.
        TypeError: A dtype is neither float32 nor float64.
    """
    check_shape("flow", flow, ("H", "W", 2))
    check_shape("points", points, ("...", 2))
    if is_tensor(flow):
        from ptfast.ops._torch.flow import sample_flow as on_tensors

        return on_tensors(flow, points)
    return sample_flow_arrays(flow, points)
