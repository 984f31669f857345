"""RoIAlign of tubes: each frame's box of a tube pooled from that frame's features."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from ptfast._check import Array, ArrayT, check_dtype, check_integer, check_number, check_shape, is_integral, is_tensor
from ptfast.ops._numpy.roi_align import level_arrays, roi_align_arrays

MemoryFormat = Literal["channels_last", "contiguous"]
MAX_LEVELS = 8
MAX_SAMPLING_RATIO = 4096  # along a side of a bin
_FEATURES = ("B", "C", "T", "H", "W")
_DTYPES = ("float32", "float64", "float16", "bfloat16")


def tube_roi_align(
    features: ArrayT,
    tubes: Array,
    batch_index: Array,
    *,
    output_size: int | tuple[int, int],
    spatial_scale: float,
    sampling_ratio: int = 2,
    aligned: bool = False,
    memory_format: MemoryFormat = "channels_last",
) -> ArrayT:
    """Pools a grid of features from each frame's box of each tube, as T independent RoIAligns.

    A bin is the mean of sampling_ratio x sampling_ratio bilinear samples. Frame by frame the result is equal to that of
    torchvision.ops.roi_align: a sample more than a pixel outside the map counts 0, one less far out is clamped to it.
    An empty or inverted box is a pixel wide and high (aligned=False) or sampled as it is (aligned=True). A box that is
    not finite gives zeros.

    Features of any strides are read in place, channels-last ones (channels_last_3d) the fastest. Sums are in float32
    for half-precision features. The gradient with respect to the features is deterministic on the CPU and on the GPU.
    The boxes have none.

    Args:
        features: (B, C, T, H, W) float32, float64, float16 or (torch) bfloat16, a NumPy array or torch tensor, as all
            other arguments.
        tubes: (M, T, 4) x1, y1, x2, y2 in image pixels, taken in float32 (float64 for float64 features).
        batch_index: (M,) integers, the video in 0 .. B - 1 that a tube lies in. On the GPU a tube with another index
            gives zeros.
        output_size: R, or (rows, columns), of bins.
        spatial_scale: Feature pixels an image pixel, e.g. 1 / 16.
        sampling_ratio: Samples a bin along each axis, at most 4096. 0 takes about one a feature pixel.
        aligned: Shift boxes by half a feature pixel, so that pixel centres lie at whole numbers, and let them be
            smaller than a pixel. Detect-and-Track and torchvision's default do not, detectron2 does.
        memory_format: "channels_last" lays the result out as (M, T, R, R, C) in memory, which is faster and read by
            channels-last convolutions, "contiguous" as (M, C, T, R, R).

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
    features: Sequence[ArrayT],
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
) -> ArrayT:
    """tube_roi_align from a feature pyramid in one launch, each tube from the one level that suits its size.

    A tube whose boxes have the mean area canonical_size^2 is pooled from level canonical_level, whose spatial scale is
    2^-canonical_level, one of half that size from the level below, and so on, within the levels that are there.

    Args:
        features: (B, C, T, H, W) of each level, finest first. B, C, T and dtype are the same for all.
        tubes: As in tube_roi_align, and so are all arguments that are not described here.
        batch_index: (M,).
        output_size: R, or (rows, columns).
        spatial_scales: Of each level, each half of the one before, e.g. (1 / 4, 1 / 8, 1 / 16, 1 / 32).
        sampling_ratio: Samples a bin along each axis.
        aligned: Shift boxes by half a feature pixel.
        canonical_size: Pixels, the side of ImageNet's crops.
        canonical_level: The level for that size.
        memory_format: Of the result.

    Returns:
        (M, C, T, R, R) of the features' dtype.

    Raises:
        ValueError: As in tube_roi_align, or there are no levels, or more than 8, or they do not fit each other.
        TypeError: A dtype is wrong.

    Source:
        Lin et al. 2017 (Feature Pyramid Networks), equation 1. For one frame the result equals that of torchvision's
        MultiScaleRoIAlign.
    """
    levels, scales = list(features), [float(scale) for scale in spatial_scales]
    if not 1 <= len(levels) <= MAX_LEVELS:
        raise ValueError(f"features must have 1 to {MAX_LEVELS} levels, got {len(levels)}")
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


def _levels(features: ArrayT, tubes: Array, scales: list[float], canonical_size: float, canonical_level: int) -> ArrayT:
    """(M,) int64 level of each tube, counted from the finest. A NaN area gives the first."""
    lowest = -np.log2(scales[0])
    if is_tensor(features):
        from ptfast.ops._torch.roi_align import levels

        return levels(features, tubes, float(lowest), len(scales), canonical_size, canonical_level)
    return level_arrays(tubes, lowest, len(scales), canonical_size, canonical_level)


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
) -> Any:
    """Checks shapes and numbers, and goes to the torch or the NumPy path."""
    names = ["features"] if level is None else [f"features[{i}]" for i in range(len(features))]
    t = _check_features(names, features)
    check_shape("tubes", tubes, ("M", t, 4))
    check_shape("batch_index", batch_index, (tubes.shape[0],))
    if not is_integral(batch_index):
        raise TypeError(f"batch_index must have an integer dtype, got {str(batch_index.dtype).removeprefix('torch.')}")
    rows, columns = _bins(output_size)
    ratio = check_integer("sampling_ratio", sampling_ratio, 0, MAX_SAMPLING_RATIO)
    if memory_format not in ("channels_last", "contiguous"):
        raise ValueError(f"memory_format must be 'channels_last' or 'contiguous', got {memory_format!r}")
    options = (rows, columns, ratio, bool(aligned), memory_format == "channels_last")
    if is_tensor(features[0]):
        from ptfast.ops._torch.roi_align import tube_roi_align as on_tensors

        return on_tensors(features, tubes, batch_index, level, scales, *options)
    return roi_align_arrays(features, tubes, batch_index, level, scales, *options)


def _check_features(names: list[str], features: list[Array]) -> int:
    """Raises where a level's shape or dtype is wrong or differs from the first level's. Returns T."""
    check_shape(names[0], features[0], _FEATURES)
    b, c, t, _, _ = features[0].shape
    for name, level_features in zip(names, features, strict=True):
        check_shape(name, level_features, (b, c, t, "H", "W"))
        check_dtype(name, level_features, _DTYPES)
        if level_features.dtype != features[0].dtype:
            raise TypeError(f"{name} must have dtype {features[0].dtype} as {names[0]}, got {level_features.dtype}")
    return t


def _bins(output_size: int | tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of bins."""
    size = tuple(output_size) if isinstance(output_size, tuple | list) else (output_size, output_size)
    if len(size) != 2:
        raise ValueError(f"output_size must be a number or (rows, columns), got {output_size}")
    return check_integer("output_size", size[0], 1), check_integer("output_size", size[1], 1)
