"""Boxes as networks regress them: shifts and log scales relative to other boxes."""

from __future__ import annotations

from math import log

import torch
from torch import Tensor

Weights = tuple[float, float, float, float]
PROPOSAL_WEIGHTS: Weights = (1.0, 1.0, 1.0, 1.0)
BOX_WEIGHTS: Weights = (10.0, 10.0, 5.0, 5.0)
MAX_GROWTH = log(1000 / 16)  # of a side, as a logarithm


def encode_boxes(boxes: Tensor, anchors: Tensor, weights: Weights) -> Tensor:
    """Shifts to be regressed from the anchors to give the boxes.

    Args:
        boxes: (..., 4) xyxy.
        anchors: (..., 4) xyxy, of sides above 0.
        weights: Factors of dx, dy, dw and dh.

    Returns:
        (..., 4): the centre's shift in widths and heights of the anchor and the logarithms of the sides' ratios.

    Source:
        Girshick et al. 2014 (R-CNN), appendix C; the weights are Fast R-CNN's inverse standard deviations.
    """
    x, y, width, height = centres_and_sides(boxes)
    anchor_x, anchor_y, anchor_width, anchor_height = centres_and_sides(anchors)
    deltas = [
        (x - anchor_x) / anchor_width,
        (y - anchor_y) / anchor_height,
        torch.log(width / anchor_width),
        torch.log(height / anchor_height),
    ]
    return torch.stack([delta * weight for delta, weight in zip(deltas, weights, strict=True)], -1)


def decode_boxes(deltas: Tensor, anchors: Tensor, weights: Weights) -> Tensor:
    """The inverse of encode_boxes. A side grows at most 62.5 times.

    Args:
        deltas: (..., 4).
        anchors: (..., 4) xyxy, broadcast against the deltas.
        weights: Those that they were encoded with.

    Returns:
        (..., 4) xyxy.
    """
    anchor_x, anchor_y, anchor_width, anchor_height = centres_and_sides(anchors)
    dx, dy, dw, dh = (delta / weight for delta, weight in zip(deltas.unbind(-1), weights, strict=True))
    x, y = dx * anchor_width + anchor_x, dy * anchor_height + anchor_y
    half_width = dw.clamp(max=MAX_GROWTH).exp() * anchor_width / 2
    half_height = dh.clamp(max=MAX_GROWTH).exp() * anchor_height / 2
    return torch.stack([x - half_width, y - half_height, x + half_width, y + half_height], -1)


def clip_boxes(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """(..., 4) boxes cut to an image of `size` = (height, width)."""
    height, width = size
    limits = torch.tensor([width, height, width, height], dtype=boxes.dtype, device=boxes.device)
    return boxes.clamp(min=0).minimum(limits)


def centres_and_sides(boxes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x and y of the centre, width and height of (..., 4) boxes."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    width, height = x2 - x1, y2 - y1
    return x1 + width / 2, y1 + height / 2, width, height
