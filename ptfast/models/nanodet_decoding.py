"""From NanoDet's maps to boxes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ptfast._check import check_integer, check_number
from ptfast.models.nanodet import BINS
from ptfast.ops import nms

STRIDES = (8, 16, 32)
PERSON = 0  # in COCO's 80 classes


@torch.no_grad()
def decode_nanodet(
    maps: Sequence[Tensor],
    *,
    label: int = PERSON,
    min_score: float = 0.3,
    overlap: float = 0.6,
    max_detections: int = 100,
) -> list[tuple[Tensor, Tensor]]:
    """Objects of one class in the maps of a NanoDet.

    Args:
        maps: The network's maps of B images.
        label: The class. Of COCO's, 0 is a person.
        min_score: Probability under which a box is dropped.
        overlap: IoU above which a box yields to a better one.
        max_detections: Boxes of an image, at most.

    Returns:
        (N, 4) xyxy image pixels and (N,) probabilities of each image, best first. Boxes may stick out of the image.

    Raises:
        ValueError: An option is out of range.
    """
    classes = maps[0].shape[1] - 4 * BINS
    label = check_integer("label", label, 0, classes - 1)
    check_number("min_score", min_score, 0, 1)
    max_detections = check_integer("max_detections", max_detections, 1)
    scores = torch.cat([level[:, label].flatten(1) for level in maps], 1).sigmoid()
    image, cell = (scores >= min_score).nonzero(as_tuple=True)
    scores, boxes = scores[image, cell], decode_cells(maps, classes, image, cell)
    counts = torch.bincount(image, minlength=len(maps[0])).tolist()
    found = []
    for boxes_, scores_ in zip(boxes.split(counts), scores.split(counts), strict=True):
        kept = nms(boxes_, scores_, overlap)[:max_detections]
        found.append((boxes_[kept], scores_[kept]))
    return found


def decode_cells(maps: Sequence[Tensor], classes: int, image: Tensor, cell: Tensor) -> Tensor:
    """(N, 4) boxes of cells, which are numbered through all strides, row by row.

    A distance is the mean of its distribution.
    """
    logits = torch.cat([level[:, classes:].flatten(2) for level in maps], 2)[image, :, cell].unflatten(1, (4, BINS))
    bins = torch.arange(BINS, dtype=logits.dtype, device=logits.device)
    centers, strides = cells(maps)
    away = (logits.softmax(2) * bins).sum(2) * strides[cell, None]
    return torch.cat([centers[cell] - away[:, :2], centers[cell] + away[:, 2:]], 1)


def cells(maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """(A, 2) x and y of the centres of all cells, and (A,) their strides, in image pixels."""
    centers, strides = [], []
    for level, stride in zip(maps, STRIDES, strict=True):
        rows, columns = (torch.arange(side, device=level.device) + 0.5 for side in level.shape[2:])
        y, x = torch.meshgrid(rows * stride, columns * stride, indexing="ij")
        centers.append(torch.stack([x.flatten(), y.flatten()], 1))
        strides.append(torch.full((y.numel(),), float(stride), device=level.device))
    return torch.cat(centers), torch.cat(strides)
