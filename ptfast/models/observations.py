"""Detections as the LSTM matcher reads them, and the motion between two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

_SMALLEST = 1.0  # pixels, of a box's side


@dataclass(frozen=True)
class Observations:
    """N detections as the matcher reads them.

    Attributes:
        description: (N, D) numbers that describe a detection by itself.
        boxes: (N, 4) centre, width and height in pixels.
        keypoints: (N, K, 2) pixels, 0 where absent.
        visible: (N, K) 1 where the joint exists, else 0.
        features: (N, A) appearance features. A may be 0.
    """

    description: Tensor
    boxes: Tensor
    keypoints: Tensor
    visible: Tensor
    features: Tensor

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: Tensor) -> Observations:
        """Rows by index or mask, of any shape."""
        return Observations(*(getattr(self, field.name)[rows] for field in fields(self)))

    @staticmethod
    def concatenate(parts: Sequence[Observations]) -> Observations:
        """All rows of the parts, in order."""
        return Observations(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(parts[0])))


def compare(earlier: Observations, later: Observations, steps: Tensor) -> Tensor:
    """Motion between P pairs of detections, in shares of the earlier box.

    Args:
        earlier: P detections.
        later: P detections.
        steps: (P,) frames between them.

    Returns:
        (P, 7 + 2 K), and one more if there are appearance features: the displacement of the box's centre and the log
        ratio of its sides, the number of steps, the share of common joints, their mean distance, every common joint's
        displacement, and the cosine of the features. Displacements are compressed (asinh), so that none is huge.
    """
    size = earlier.boxes[:, 2:].amax(1).clamp(min=_SMALLEST)
    centre = torch.asinh((later.boxes[:, :2] - earlier.boxes[:, :2]) / size[:, None] * 4)
    sides = (later.boxes[:, 2:].clamp(min=_SMALLEST) / earlier.boxes[:, 2:].clamp(min=_SMALLEST)).log()
    common = earlier.visible * later.visible
    moved = (later.keypoints - earlier.keypoints) / size[:, None, None] * 4 * common[..., None]
    distance = moved.norm(dim=2).sum(1) / common.sum(1).clamp(min=1)
    numbers = torch.stack([steps.to(size.dtype) - 1, common.mean(1), torch.asinh(distance)], 1)
    parts = [centre, sides, numbers, torch.asinh(moved).flatten(1)]
    if earlier.features.shape[1]:
        parts.append((earlier.features * later.features).sum(1, keepdim=True))
    return torch.cat(parts, 1)


def describe(
    boxes: Tensor,
    keypoints: Tensor,
    visible: Tensor,
    joint_scores: Tensor,
    scores: Tensor,
    frame_size: Tensor,
    features: Tensor,
) -> Observations:
    """Observations of N detections in images of frame_size (N, 2)."""
    centre, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).clamp(min=_SMALLEST)
    keypoints = torch.where(visible[..., None] > 0, keypoints, 0)
    inside = (keypoints - centre[:, None]) / sides[:, None] * 2 * visible[..., None]
    parts = [
        boxes / frame_size.repeat(1, 2) * 2 - 1,
        (sides / frame_size).log(),
        inside.clamp(-2, 2).flatten(1),
        visible,
        (joint_scores * visible).clamp(0, 1),
        scores[:, None].clamp(0, 1),
        features,
    ]
    return Observations(torch.cat(parts, 1), torch.cat([centre, sides], 1), keypoints, visible, features)
