"""Joints from heatmaps, as torchvision's keypoint R-CNN finds them."""

from __future__ import annotations

import torch
from torch import Tensor

from ptfast._check import check_shape

CUBIC = -0.75  # the parameter of the cubic kernel, PyTorch's


@torch.no_grad()
def decode_bicubic(heatmaps: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Joints at the peaks of heatmaps that are enlarged, bicubically, to their box's size in pixels.

    A box of width w and height h takes ceil(w) columns and ceil(h) rows of w / ceil(w) and h / ceil(h) pixels each,
    at least one. The joint is the middle of the highest element, the first in row order where several are equal.

    Args:
        heatmaps: (M, K, S, S) logits, 56 x 56 by default.
        boxes: (M, 4) xyxy image pixels, finite.

    Returns:
        (M, K, 2) x and y in image pixels, and (M, K) the enlarged maps' values there: logits. Both float32.

    Raises:
        ValueError: A shape is wrong.

    Source:
        He et al. 2017 (Mask R-CNN), section 3.1 for keypoints; the enlargement is that of torchvision's code.
    """
    check_shape("heatmaps", heatmaps, ("M", "K", "R", "C"))
    check_shape("boxes", boxes, ("M", 4), M=len(heatmaps))
    heatmaps, boxes = heatmaps.float(), boxes.float()
    rows, columns = heatmaps.shape[-2:]
    places, scores = heatmaps.new_zeros(*heatmaps.shape[:2], 2), heatmaps.new_zeros(heatmaps.shape[:2])
    sides = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1)
    counts = sides.ceil()
    for index, (width, height) in enumerate(counts.int().tolist()):
        vertical = cubic_weights(rows, height, heatmaps.device)
        horizontal = cubic_weights(columns, width, heatmaps.device)
        enlarged = vertical @ heatmaps[index] @ horizontal.T
        scores[index], best = enlarged.flatten(1).max(1)
        places[index] = torch.stack([best % width, best // width], 1)
    return (places + 0.5) * (sides / counts)[:, None] + boxes[:, None, :2], scores


def cubic_weights(size: int, count: int, device: torch.device) -> Tensor:
    """(count, size) float32 weights that resample `size` values at `count` places, the ends repeated beyond them."""
    place = (torch.arange(count, dtype=torch.float64) + 0.5) * (size / count) - 0.5
    first = place.floor() - 1
    taps = first[:, None] + torch.arange(4)
    weights = torch.zeros(count, size, dtype=torch.float64)
    weights.scatter_add_(1, taps.clamp(0, size - 1).long(), cubic(taps - place[:, None]))
    return weights.float().to(device)


def cubic(distance: Tensor) -> Tensor:
    """Keys's cubic convolution kernel."""
    x = distance.abs()
    near = ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1
    far = ((x - 5) * x + 8) * x * CUBIC - 4 * CUBIC
    return torch.where(x <= 1, near, far)
