"""tube_roi_align and the choice of pyramid levels on NumPy arrays."""

from __future__ import annotations

import numpy as np

from ptfast import _native
from ptfast._check import check_index, core_array
from ptfast.ops._numpy.library import addresses


def roi_align_arrays(
    features: list[np.ndarray],
    tubes: np.ndarray,
    batch_index: np.ndarray,
    level: np.ndarray | None,
    spatial_scales: list[float],
    rows: int,
    columns: int,
    sampling_ratio: int,
    aligned: bool,
    channels_last: bool,
) -> np.ndarray:
    """ptfast.ops.tube_roi_align and pyramid_tube_roi_align for arrays whose shapes are already checked.

    Args:
        features: (B, C, T, H, W) of each level.
        tubes: (M, T, 4).
        batch_index: (M,).
        level: (M,) int64, or None for one level.
        spatial_scales: Of each level.
        rows: Of bins.
        columns: Of bins.
        sampling_ratio: Samples a bin along each axis.
        aligned: Shift boxes by half a feature pixel.
        channels_last: Lay the result out with channels innermost.
    """
    dtype = features[0].dtype.newbyteorder("=")
    maps = [x if _readable(x) else core_array(x, dtype) for x in features]
    boxes = core_array(tubes, np.float64 if dtype == np.float64 else np.float32)
    index = core_array(batch_index, np.int64)
    b, c, t, _, _ = features[0].shape
    m = len(boxes)
    check_index("batch_index", index, b, "the features' batch")
    out = _result((m, c, t, rows, columns), dtype, channels_last)
    if out.size:
        levels = [
            (*_by_strides(x), x.shape[3], x.shape[4], scale) for x, scale in zip(maps, spatial_scales, strict=True)
        ]
        sizes = (m, b, c, t, rows, columns)
        pool = _native.cpu("tube_roi_align", dtype)
        pool(levels, addresses((boxes, index, level)), sizes, sampling_ratio, aligned, _by_strides(out))
    return out


def level_arrays(
    tubes: np.ndarray, lowest: float, count: int, canonical_size: float, canonical_level: int
) -> np.ndarray:
    """(M,) int64 pyramid level of each tube, counted from the finest. A NaN area gives the first.

    Args:
        tubes: (M, T, 4).
        lowest: -log2 of the finest level's spatial scale.
        count: The number of levels.
        canonical_size: As in pyramid_tube_roi_align.
        canonical_level: As in pyramid_tube_roi_align.
    """
    tubes = np.asarray(tubes)
    tubes = np.asarray(tubes, np.float64 if tubes.dtype == np.float64 else np.float32)
    sides = tubes[..., 2:] - tubes[..., :2]
    with np.errstate(all="ignore"):
        size = np.sqrt((sides[..., 0] * sides[..., 1]).sum(1) / max(1, sides.shape[1]))
        exact = np.floor(canonical_level + np.log2(size / canonical_size) + size.dtype.type(1e-6)) - lowest
    return np.nan_to_num(exact, nan=0.0).clip(0, count - 1).astype(np.int64)


def _result(shape: tuple[int, int, int, int, int], dtype: np.dtype, channels_last: bool) -> np.ndarray:
    """An empty array of `shape`, (M, C, T, R, R)."""
    m, c, t, rows, columns = shape
    if channels_last:
        return np.empty((m, t, rows, columns, c), dtype).transpose(0, 4, 1, 2, 3)
    return np.empty(shape, dtype)


def _readable(array: np.ndarray) -> bool:
    """True where the core can read an array by its strides."""
    return array.flags.aligned and array.dtype.isnative and all(s % array.itemsize == 0 for s in array.strides)


def _by_strides(array: np.ndarray) -> tuple[int, tuple[int, ...]]:
    """Address and strides in elements."""
    return array.ctypes.data, tuple(stride // array.itemsize for stride in array.strides)
