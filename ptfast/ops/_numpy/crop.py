"""crop_tubes on NumPy arrays, and the arithmetic of box_to_crop."""

from __future__ import annotations

from typing import Any

import numpy as np

from ptfast import _native
from ptfast._check import Array, check_index, core_array
from ptfast.ops._numpy.library import addresses


def crop_tube_arrays(
    frames: np.ndarray,
    tubes: np.ndarray,
    frame_index: np.ndarray,
    height: int,
    width: int,
    colours: list[float],
    unbiased: bool,
) -> np.ndarray:
    """ptfast.ops.crop_tubes for arrays whose shapes and dtypes are already checked; colours are mean, then std."""
    frames, frame_index = core_array(frames, frames.dtype.newbyteorder("=")), core_array(frame_index, np.int64)
    check_index("frame_index", frame_index, len(frames), "the number of frames")
    (m, t), dtype = frame_index.shape, np.float64 if frames.dtype == np.float64 else np.float32
    tubes, out = core_array(tubes, dtype), np.empty((m, 3, t, height, width), dtype)
    if out.size:
        sizes = (*frames.shape[:3], m, t, height, width)
        inputs = addresses((frames, tubes, frame_index))
        _native.cpu("crop_tubes", frames.dtype)(inputs, sizes, colours, unbiased, _native.address(out))
    return out


def enlarged(library: Any, boxes: Array, aspect: float, scale: float) -> Array:
    """Boxes of box_to_crop, computed by `library`, NumPy or torch."""
    low, high = boxes[..., :2], boxes[..., 2:]
    centre, sides = (low + high) / 2, high - low
    width = library.maximum(sides[..., 0], sides[..., 1] * aspect) * (scale / 2)
    result = library.empty_like(boxes)
    result[..., 0], result[..., 2] = centre[..., 0] - width, centre[..., 0] + width
    result[..., 1], result[..., 3] = centre[..., 1] - width / aspect, centre[..., 1] + width / aspect
    return result
