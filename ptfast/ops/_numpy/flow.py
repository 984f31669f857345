"""sample_flow on NumPy arrays."""

from __future__ import annotations

import numpy as np

from ptfast import _native
from ptfast._check import as_floats, core_array


def sample_flow_arrays(flow: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ptfast.ops.sample_flow for arrays whose shapes are already checked."""
    flow = as_floats("flow", flow)
    points = core_array(points, flow.dtype)
    values, inside = np.empty(points.shape, flow.dtype), np.empty(points.shape[:-1], bool)
    if inside.size:
        sizes = (*flow.shape[:2], inside.size)
        inputs = (_native.address(flow), _native.address(points))
        _native.cpu("sample_flow", flow.dtype)(*inputs, sizes, _native.address(values), _native.address(inside))
    return values, inside
