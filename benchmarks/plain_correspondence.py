"""Affinity maps in the form of CorrTrack's released code, to compare with: person by person, one joint at a time."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def plain_affinity_maps(first: Tensor, second: Tensor, queries: Tensor, squared: bool = False) -> Tensor:
    """Affinity maps (P, K, h, w) of joints, each by a convolution of its own.

    Args:
        first: (C, h, w) embedding.
        second: (C, h, w) embedding in which the joints are looked for.
        queries: (P, K, 2) int64 x and y. One outside has a map of zeros.
        squared: Divides by the squared norm, as the released code does, and not by the norm.
    """
    return torch.stack([plain_maps_of_person(first, second, person, squared) for person in queries])


def plain_maps_of_person(first: Tensor, second: Tensor, joints: Tensor, squared: bool) -> Tensor:
    """Affinity maps (K, h, w) of one person's joints (K, 2); the embeddings are normalised anew for each person."""
    _, height, width = first.shape
    norms = [(embedding * embedding).sum(0).repeat(len(first), 1, 1) for embedding in (first, second)]
    one, other = (
        embedding / (norm if squared else norm.sqrt()) for embedding, norm in zip((first, second), norms, strict=True)
    )
    maps = torch.zeros(len(joints), height, width, dtype=first.dtype)
    for joint, (x, y) in enumerate(joints.tolist()):
        if not (0 <= x < width and 0 <= y < height):
            continue
        top, bottom, left, right = max(y - 1, 0), min(y + 2, height), max(x - 1, 0), min(x + 2, width)
        kernel = torch.zeros(len(first), 3, 3, dtype=first.dtype)
        inside = slice(top - y + 1, bottom - y + 1), slice(left - x + 1, right - x + 1)
        kernel[:, inside[0], inside[1]] = one[:, top:bottom, left:right]
        correlation = F.conv2d(other[None], kernel[None], padding=1)
        maps[joint] = correlation.flatten().softmax(0).view(height, width)
    return maps
