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
        (len(ratios) * len(sizes), 4) float32 xyxy; the size changes fastest.

    Source:
        Ren et al. 2015 (Faster R-CNN), section 3.1; order and rounding as in torchvision.
    """
    scale = torch.tensor(ratios, dtype=torch.float32).sqrt()
    size = torch.tensor(sizes, dtype=torch.float32)
    width, height = (size / scale[:, None]).flatten(), (size * scale[:, None]).flatten()
    return (torch.stack([-width, -height, width, height], 1) / 2).round()


def grid_anchors(base: Tensor, stride: int, height: int, width: int) -> Tensor:
    """The base anchors at every position of a feature map, centred at stride * (column, row).

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
