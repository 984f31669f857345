"""Affinity maps: the correlation of the surroundings of points in one embedding with all of another one."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from ptfast._check import check_shape, format_shape

Normalisation = Literal["l2", "published"]
Precision = Literal["float32", "bfloat16"]
PATCH = 3  # pixels of a descriptor's height and width


def affinity_maps(
    first: Tensor,
    second: Tensor,
    queries: Tensor,
    *,
    normalise: Normalisation = "l2",
    precision: Precision = "float32",
) -> Tensor:
    """Affinity of points in one embedding to every pixel of another.

    A point's descriptor is the 3x3 pixels around it, zeros outside. It is correlated with the other embedding, and a
    softmax runs over the whole map. All points of an image are one matrix product. Differentiable in both embeddings.

    Args:
        first: (B, C, h, w) embeddings.
        second: (B, C, h, w) embeddings in which the points are looked for.
        queries: (B, ..., 2) x and y in pixels of `first`, rounded down. One outside, or NaN, has a map of zeros.
        normalise: What each pixel's C numbers are divided by: "l2", their norm, as the paper writes, or "published",
            the square of it, as the released code does.
        precision: Of the matrix product. "bfloat16" is faster and needs half of the memory where the processor computes
            in it, and moves a map's peak where several pixels are nearly as alike.

    Returns:
        (B, ..., h, w) in the dtype of `first`, each map with a sum of 1, or of 0.

    Raises:
        ValueError: A shape or an option is wrong.

    Source:
        Rafi et al. 2020 (CorrTrack), section 4.1, equations 1 and 2.
    """
    check_pair(first, second)
    batch, _, height, width = first.shape
    if queries.ndim < 2 or queries.shape[0] != batch or queries.shape[-1] != 2:
        expected = f"(B, ..., 2) with B = {batch}"
        raise ValueError(f"queries must have shape {expected}, got {format_shape(tuple(queries.shape))}")
    if normalise not in get_args(Normalisation):
        raise ValueError(f'normalise must be "l2" or "published", got {normalise!r}')
    if precision not in get_args(Precision):
        raise ValueError(f'precision must be "float32" or "bfloat16", got {precision!r}')
    points = queries.reshape(batch, math.prod(queries.shape[1:-1]), 2)
    size = torch.tensor([width, height], device=points.device)
    inside = ((points >= 0) & (points < size)).all(2)
    points = torch.where(inside[..., None], points, 0).long()
    with torch.autocast(first.device.type, enabled=False):
        one, other = (normalised(embedding, normalise) for embedding in (first, second))
        if precision == "bfloat16":
            one, other = one.bfloat16(), other.bfloat16()
        product = torch.bmm(descriptors(one, points), surroundings(other))
        maps = product.to(first.dtype).softmax(2).flatten(0, 1)
    outside = (~inside).flatten().nonzero()[:, 0]
    # In place where no gradient needs the softmax's own output. Other maps are not gone through again.
    maps = maps.index_fill(0, outside, 0) if maps.requires_grad else maps.index_fill_(0, outside, 0)
    return maps.view(*queries.shape[:-1], height, width)


def normalised(embedding: Tensor, normalise: Normalisation) -> Tensor:
    """Embeddings (B, C, h, w) whose pixels are divided by their norm or the square of it. Pixels of zeros stay."""
    squared = embedding.square().sum(1, keepdim=True).clamp_min(torch.finfo(embedding.dtype).tiny)
    return embedding * (squared.rsqrt() if normalise == "l2" else squared.reciprocal())


def surroundings(embedding: Tensor) -> Tensor:
    """(B, 9 C, h w): each pixel's surroundings in an embedding (B, C, h, w), zeros outside."""
    height, width = embedding.shape[2:]
    padded = F.pad(embedding, (PATCH // 2,) * 4)
    rows_and_columns = ((y, x) for y in range(PATCH) for x in range(PATCH))
    shifted = [padded[..., y : y + height, x : x + width] for y, x in rows_and_columns]
    return torch.stack(shifted, 2).flatten(3).flatten(1, 2)


def descriptors(embedding: Tensor, points: Tensor) -> Tensor:
    """(B, N, 9 C): the surroundings of pixels (B, N, 2) int64 x and y, in the order that `surroundings` has."""
    padded = F.pad(embedding, (PATCH // 2,) * 4)
    batch, channels, _, width = padded.shape
    steps = torch.arange(PATCH, device=points.device)
    offsets = (steps[:, None] * width + steps).flatten()
    index = (points[..., 1] * width + points[..., 0])[..., None] + offsets
    taken = padded.flatten(2).gather(2, index.flatten(1)[:, None].expand(-1, channels, -1))
    return taken.view(batch, channels, *index.shape[1:]).transpose(1, 2).flatten(2)


def check_pair(first: Tensor, second: Tensor) -> None:
    """Raises ValueError unless two batches of embeddings (B, C, h, w) have one shape and pixels."""
    check_shape("first", first, ("B", "C", "h", "w"))
    batch, channels, height, width = first.shape
    check_shape("second", second, ("B", "C", "h", "w"), B=batch, C=channels, h=height, w=width)
    if not height * width:
        raise ValueError(f"first must have pixels, got shape {tuple(first.shape)}")
