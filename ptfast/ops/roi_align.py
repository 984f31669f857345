"""RoIAlign of tubes: each frame's box of a tube pooled from that frame's features."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from ptfast import _native
from ptfast._check import Array, check_dtype, check_integer, check_number, check_shape, is_integral, is_tensor

MemoryFormat = Literal["channels_last", "contiguous"]
MOST_LEVELS = 8
MOST_SAMPLES = 4096  # along a side of a bin
_FEATURES = ("B", "C", "T", "H", "W")
_DTYPES = ("float32", "float64", "float16", "bfloat16")


def tube_roi_align(
    features: Array,
    tubes: Array,
    batch_index: Array,
    *,
    output_size: int | tuple[int, int],
    spatial_scale: float,
    sampling_ratio: int = 2,
    aligned: bool = False,
    memory_format: MemoryFormat = "channels_last",
) -> Array:
    """Pools a grid of features from each frame's box of each tube: T independent RoIAligns.

    A bin is the mean of sampling_ratio x sampling_ratio bilinear samples, as in torchvision.ops.roi_align, to which the
    result is equal frame by frame: a sample over a pixel outside the map counts 0, one less far out is clamped to it.
    An empty or inverted box is a pixel wide and high (aligned=False) or sampled as it is (aligned=True). A box that is
    not finite gives zeros.

    Features of any strides are read where they stand; channels-last ones (channels_last_3d) are the fastest. Sums are
    in float32 for half-precision features. The gradient with respect to the features is deterministic on the CPU and
    on the GPU; the boxes have none.

    Args:
        features: (B, C, T, H, W) float32, float64, float16 or (torch) bfloat16; a NumPy array or torch tensor, as all
            other arguments.
        tubes: (M, T, 4) x1, y1, x2, y2 in image pixels, taken in float32 (float64 for float64 features).
        batch_index: (M,) integers, the video in 0 .. B - 1 that a tube lies in. On the GPU a tube with another index
            gives zeros.
        output_size: R, or (rows, columns), of bins.
        spatial_scale: Feature pixels an image pixel, e.g. 1 / 16.
        sampling_ratio: Samples a bin along each axis, at most 4096; 0 takes about one a feature pixel.
        aligned: Whether boxes are shifted by half a feature pixel, so that pixel centres lie at whole numbers, and may
            be smaller than a pixel. Detect-and-Track and torchvision's default do not, detectron2 does.
        memory_format: "channels_last" lays the result out as (M, T, R, R, C) in memory, which is faster and what
            channels-last convolutions read; "contiguous" as (M, C, T, R, R).

    Returns:
        (M, C, T, R, R) of the features' dtype.

    Raises:
        ValueError: A shape is wrong, a number is out of range, or (on the CPU) a batch index is.
        TypeError: A dtype is wrong.

    Source:
        He et al. 2017 (Mask R-CNN), section 3; Girdhar et al. 2018 (Detect-and-Track), section 3.1, for tubes.
    """
    check_number("spatial_scale", spatial_scale, 0)
    return _pool(
        [features], tubes, batch_index, None, [spatial_scale], output_size, sampling_ratio, aligned, memory_format
    )


def pyramid_tube_roi_align(
    features: Sequence[Array],
    tubes: Array,
    batch_index: Array,
    *,
    output_size: int | tuple[int, int],
    spatial_scales: Sequence[float],
    sampling_ratio: int = 2,
    aligned: bool = False,
    canonical_size: float = 224,
    canonical_level: int = 4,
    memory_format: MemoryFormat = "channels_last",
) -> Array:
    """tube_roi_align from a feature pyramid, in one launch: each tube from the one level that suits its size.

    A tube whose boxes have the mean area canonical_size^2 is pooled from level canonical_level, whose spatial scale is
    2^-canonical_level, one of half that size from the level below, and so on, within the levels that are there.

    Args:
        features: (B, C, T, H, W) of each level, finest first; B, C, T and dtype are the same for all.
        tubes: As in tube_roi_align, and so are all arguments that are not described here.
        batch_index: (M,).
        output_size: R, or (rows, columns).
        spatial_scales: Of each level, each half of the one before, e.g. (1 / 4, 1 / 8, 1 / 16, 1 / 32).
        sampling_ratio: Samples a bin along each axis.
        aligned: Whether boxes are shifted by half a feature pixel.
        canonical_size: Pixels, the side of ImageNet's crops.
        canonical_level: The level for that size.
        memory_format: Of the result.

    Returns:
        (M, C, T, R, R) of the features' dtype.

    Raises:
        ValueError: As tube_roi_align; also where there are no levels, or more than 8, or they do not fit each other.
        TypeError: A dtype is wrong.

    Source:
        Lin et al. 2017 (Feature Pyramid Networks), equation 1; for one frame it equals torchvision's
        MultiScaleRoIAlign.
    """
    levels, scales = list(features), [float(scale) for scale in spatial_scales]
    if not 1 <= len(levels) <= MOST_LEVELS:
        raise ValueError(f"features must have 1 to {MOST_LEVELS} levels, got {len(levels)}")
    if len(scales) != len(levels):
        raise ValueError(f"spatial_scales must have one number a level, {len(levels)}, got {len(scales)}")
    for i, scale in enumerate(scales):
        check_number(f"spatial_scales[{i}]", scale, 1e-9)
    check_shape("tubes", tubes, ("M", "T", 4))
    check_number("canonical_size", canonical_size, 1e-9)
    for i, (finer, coarser) in enumerate(pairwise(scales)):
        if coarser != finer / 2:
            raise ValueError(f"spatial_scales[{i + 1}] must be half of spatial_scales[{i}], {finer / 2}, got {coarser}")
    level = _levels(levels[0], tubes, scales, canonical_size, canonical_level)
    return _pool(levels, tubes, batch_index, level, scales, output_size, sampling_ratio, aligned, memory_format)


def _levels(features: Array, tubes: Array, scales: list[float], canonical_size: float, canonical_level: int) -> Array:
    """(M,) int64 level of each tube, counted from the finest; the first where the area is NaN. As `features` are."""
    lowest = -np.log2(scales[0])
    if is_tensor(features):
        from ptfast.ops._torch.roi_align import levels

        return levels(features, tubes, float(lowest), len(scales), canonical_size, canonical_level)
    tubes = np.asarray(tubes)
    tubes = np.asarray(tubes, np.float64 if tubes.dtype == np.float64 else np.float32)
    sides = tubes[..., 2:] - tubes[..., :2]
    with np.errstate(all="ignore"):
        size = np.sqrt((sides[..., 0] * sides[..., 1]).sum(1) / max(1, sides.shape[1]))
        exact = np.floor(canonical_level + np.log2(size / canonical_size) + size.dtype.type(1e-6)) - lowest
    return np.nan_to_num(exact, nan=0.0).clip(0, len(scales) - 1).astype(np.int64)


def _pool(
    features: list[Array],
    tubes: Array,
    batch_index: Array,
    level: Array | None,
    scales: list[float],
    output_size: int | tuple[int, int],
    sampling_ratio: int,
    aligned: bool,
    memory_format: MemoryFormat,
) -> Array:
    """Checks shapes and numbers, and goes to the torch or the NumPy path."""
    names = ["features"] if level is None else [f"features[{i}]" for i in range(len(features))]
    check_shape(names[0], features[0], _FEATURES)
    b, c, t, _, _ = features[0].shape
    for name, level_features in zip(names, features, strict=True):
        check_dtype(name, level_features, _DTYPES)
        check_shape(name, level_features, (b, c, t, "H", "W"))
        if level_features.dtype != features[0].dtype:
            raise TypeError(f"{name} must have dtype {features[0].dtype} as {names[0]}, got {level_features.dtype}")
    check_shape("tubes", tubes, ("M", t, 4))
    check_shape("batch_index", batch_index, (tubes.shape[0],))
    if not is_integral(batch_index):
        raise TypeError(f"batch_index must have an integer dtype, got {str(batch_index.dtype).removeprefix('torch.')}")
    size = tuple(output_size) if isinstance(output_size, tuple | list) else (output_size, output_size)
    if len(size) != 2:
        raise ValueError(f"output_size must be a number or (rows, columns), got {output_size}")
    rows, columns = (check_integer("output_size", n, 1) for n in size)
    ratio = check_integer("sampling_ratio", sampling_ratio, 0, MOST_SAMPLES)
    if memory_format not in ("channels_last", "contiguous"):
        raise ValueError(f"memory_format must be 'channels_last' or 'contiguous', got {memory_format!r}")
    options = (rows, columns, ratio, bool(aligned), memory_format == "channels_last")
    if is_tensor(features[0]):
        from ptfast.ops._torch.roi_align import tube_roi_align as on_tensors

        return on_tensors(features, tubes, batch_index, level, scales, *options)
    return _on_arrays(features, tubes, batch_index, level, scales, *options)


def _on_arrays(
    features: list[np.ndarray],
    tubes: np.ndarray,
    batch_index: np.ndarray,
    level: np.ndarray | None,
    scales: list[float],
    rows: int,
    columns: int,
    sampling_ratio: int,
    aligned: bool,
    channels_last: bool,
) -> np.ndarray:
    dtype = features[0].dtype
    maps = [x if all(s % x.itemsize == 0 for s in x.strides) else np.ascontiguousarray(x) for x in features]
    boxes = np.ascontiguousarray(tubes, np.float64 if dtype == np.float64 else np.float32)
    index = np.ascontiguousarray(batch_index, np.int64)
    b, c, t, _, _ = features[0].shape
    m = len(boxes)
    check_index(index, b)
    if channels_last:
        out = np.empty((m, t, rows, columns, c), dtype).transpose(0, 4, 1, 2, 3)
    else:
        out = np.empty((m, c, t, rows, columns), dtype)
    if out.size:
        levels = [
            (x.ctypes.data, _element_strides(x), x.shape[3], x.shape[4], scale)
            for x, scale in zip(maps, scales, strict=True)
        ]
        addresses = (_native.address(boxes), _native.address(index), _native.address(level), out.ctypes.data)
        sizes = (m, b, c, t, rows, columns, sampling_ratio)
        _native.cpu("tube_roi_align", dtype)(levels, addresses, _element_strides(out), sizes, aligned)
    return out


def _element_strides(array: np.ndarray) -> tuple[int, ...]:
    return tuple(stride // array.itemsize for stride in array.strides)


def check_index(batch_index: np.ndarray, batch: int) -> None:
    """Raises ValueError for a batch index (M,) out of range."""
    if batch_index.size and not 0 <= batch_index.min() <= batch_index.max() < batch:
        position = int(np.argmax((batch_index < 0) | (batch_index >= batch)))
        raise ValueError(
            f"batch_index must be at least 0 and below {batch}, the features' batch, got {batch_index[position]} at "
            f"({position},)"
        )
