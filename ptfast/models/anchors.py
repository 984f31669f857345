"""Anchors: the boxes that proposals start from."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def base_anchors(sizes: Sequence[float], ratios: Sequence[float]) -> Tensor:
    """Boxes about the origin, one for each size and ratio, their coordinates rounded to pixels.

    Args:
        sizes: Square roots of the areas, in pixels.
        ratios: Heights over widths.

    Returns:
        (len(ratios) * len(sizes), 4) float32 xyxy. The size changes fastest.

    Source:
        Ren et al. 2015 (Faster R-CNN), section 3.1; order and rounding as in torchvision.
    """
    scale = torch.tensor(ratios, dtype=torch.float32).sqrt()
    size = torch.tensor(sizes, dtype=torch.float32)
    width, height = (size / scale[:, None]).flatten(), (size * scale[:, None]).flatten()
    return (torch.stack([-width, -height, width, height], 1) / 2).round()


def detectron_anchors(sizes: Sequence[float], ratios: Sequence[float], stride: int) -> Tensor:
    """Boxes as Detectron's, for which weights of its networks are trained, in continuous coordinates.

    They are centred half a stride from the origin. The sides of a square of the stride are rounded to pixels for each
    ratio, and then scaled.

    Args:
        sizes: Square roots of the areas, in pixels.
        ratios: Heights over widths.
        stride: Image pixels a feature pixel.

    Returns:
        (len(ratios) * len(sizes), 4) float32 xyxy. The size changes fastest.

    Source:
        Girdhar et al. 2018 (Detect-and-Track), released code, modeling/generate_anchors.py.
    """
    ratio = torch.tensor(ratios, dtype=torch.float64)
    base_width = (stride**2 / ratio).sqrt().round()
    base_height = (base_width * ratio).round()
    scale = torch.tensor(sizes, dtype=torch.float64) / stride
    width, height = (base_width[:, None] * scale).flatten(), (base_height[:, None] * scale).flatten()
    return ((torch.stack([-width, -height, width, height], 1) + stride) / 2).float()


def grid_anchors(base: Tensor, stride: int, height: int, width: int) -> Tensor:
    """The base anchors at every position of a feature map, moved by stride * (column, row).

    Args:
        base: (A, 4) xyxy.
        stride: Image pixels a feature pixel.
        height: Rows of the feature map.
        width: Columns of the feature map.

    Returns:
        (height * width * A, 4) on the device of `base`: rows, then columns, then anchors.
    """
    y, x = torch.meshgrid(
        torch.arange(height, device=base.device) * stride,
        torch.arange(width, device=base.device) * stride,
        indexing="ij",
    )
    corners = torch.stack([x, y, x, y], -1).to(base.dtype)
    return (corners[:, :, None] + base).flatten(0, 2)
