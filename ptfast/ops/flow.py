"""Optical flow at sub-pixel points."""

from __future__ import annotations

import numpy as np

from ptfast import _native
from ptfast._check import Array, as_floats, check_shape, is_tensor


def sample_flow(flow: Array, points: Array) -> tuple[Array, Array]:
    """Bilinear look-up of a flow field at points.

    A pixel's centre is at integer coordinates. A point counts as inside where 0 <= x <= W - 1 and 0 <= y <= H - 1; one
    with a NaN coordinate is outside.

    Args:
        flow: (H, W, 2) displacements (dx, dy) in pixels, float32 or float64; a NumPy array or torch tensor.
        points: (..., 2) as (x, y) in pixels; taken in flow's dtype and, in torch, on its device.

    Returns:
        values (..., 2) of flow's dtype, 0 outside, and inside (...) bool. In torch the values are differentiable with
        respect to flow and points; a point outside has no gradient, and one on a pixel's row or column has that of the
        side below or to the right of it, on the last ones that of the other side.

    Raises:
        ValueError: A shape is wrong.
        TypeError: A dtype is neither float32 nor float64.
    """
    check_shape("flow", flow, ("H", "W", 2))
    check_shape("points", points, ("...", 2))
    if is_tensor(flow):
        from ptfast.ops._torch.flow import sample_flow as on_tensors

        return on_tensors(flow, points)
    flow = as_floats("flow", flow)
    points = np.ascontiguousarray(points, flow.dtype)
    values, inside = np.empty(points.shape, flow.dtype), np.empty(points.shape[:-1], bool)
    if inside.size:
        sizes = (*flow.shape[:2], inside.size)
        addresses = [_native.address(x) for x in (flow, points, values, inside)]
        _native.cpu("sample_flow", flow.dtype)(*addresses[:2], sizes, *addresses[2:])
    return values, inside
