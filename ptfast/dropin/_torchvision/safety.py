"""Boxes for which torchvision's roi_align would read memory that is not its own, or end the process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ptfast.dropin._torchvision.common import is_eager

# The place of a sample overflows beyond the first, and the number of a box's samples, where it is not given, beyond the
# second. Both are in feature pixels.
_FARTHEST, _FARTHEST_COUNTED = 1e30, 1 << 14
_FLOATS = (torch.float32, torch.float64)
_FEW = 8  # boxes that Python reads in less time than NumPy takes for its extremes


def is_safe(rois: Tensor, features: Tensor, spatial_scale: Any) -> bool:
    """Tells whether torchvision pools boxes safely and in little time, in some microseconds.

    Args:
        rois: (K, 5) on the CPU.
        features: (B, C, H, W).
        spatial_scale: Feature pixels a pixel of the boxes, a number.

    Returns:
        True where shapes and dtypes are right, all images there, all numbers finite, and no box is far larger than the
        map.
    """
    count, dtype = len(rois), rois.dtype
    if features.dim() != 4 or rois.dim() != 2 or not rois.is_cpu or dtype not in _FLOATS or dtype != features.dtype:
        return False
    images, channels, height, width = features.shape
    if not (count and images and channels and height and width):
        return not count
    limit = 4 * max(height, width)
    high = limit / abs(spatial_scale) if spatial_scale else limit
    low = -high
    for image, x1, y1, x2, y2 in rois.tolist() if count <= _FEW else _extremes(rois):
        if not (-1 < image < images and low < x1 < high and low < y1 < high and low < x2 < high and low < y2 < high):
            return False
    return True


def _extremes(rois: Tensor) -> list[list[float]]:
    """The least and the largest number of each column of (K, 5), NaN where there is one."""
    array = rois.detach().numpy()
    return [array.min(0).tolist(), array.max(0).tolist()]


def check_images(rois: Tensor, images: int) -> None:
    """Raises ValueError where a box (K, 5) on the CPU is of no image."""
    index = rois[:, 0].detach().double()
    wrong = (~((index > -1) & (index < images))).nonzero().flatten().tolist()
    if wrong:
        got = f"got image {index[wrong[0]].item():g} in row {wrong[0]}"
        raise ValueError(f"boxes must be of the input's {images} images, counted from 0, {got}")


def pool_safely(
    torchvisions: Callable[..., Tensor], features: Tensor, rois: Tensor, size: tuple[int, int], scale: float,
    ratio: int, aligned: bool,
) -> Tensor:  # fmt: skip
    """Pools by torchvision, and gives zeros for boxes that are not finite.

    So it does for boxes so large that torchvision's counts overflow and, where numbers cannot be looked at (on a GPU,
    within a transform), for those of no image.

    Args:
        torchvisions: torchvision's roi_align.
        features: (B, C, H, W).
        rois: (K, 5).
        size: Bins, rows and columns.
        scale: Feature pixels a pixel of the boxes.
        ratio: Samples a bin along each axis, counted by the box's size if it is not positive.
        aligned: Shifts boxes by half a feature pixel.

    Raises:
        ValueError: A box on the CPU is of no image.
    """
    values = rois.dequantize() if rois.is_quantized else rois
    is_known = values.is_cpu and is_eager(values)
    if features.dim() < 4 or values.dim() != 2 or not values.is_floating_point():
        return torchvisions(features, rois, size, scale, ratio, aligned)  # which is an error
    if is_known:
        check_images(values, len(features))
    far = _FARTHEST if ratio > 0 else _FARTHEST_COUNTED
    index, corners = values[:, 0], values[:, 1:].double() * scale
    sound = (index > -1) & (index < len(features)) & (corners.abs() < far).all(1)
    if rois.is_quantized or (is_known and features.numel() and sound.all()):
        return torchvisions(features, rois, size, scale, ratio, aligned)
    images, _, height, width = features.shape
    some = torch.nn.functional.pad(features, (0, width == 0, 0, height == 0, 0, 0, 0, images == 0))  # for it to read
    pooled = torchvisions(some, torch.where(sound[:, None], rois, 0), size, scale, ratio, aligned)
    return pooled.masked_fill(~sound[:, None, None, None], 0)
