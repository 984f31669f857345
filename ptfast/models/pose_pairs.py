"""Pairs of poses as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class PosePairs:
    """P pairs of poses, or single poses, as the network reads them; S is 2 or 1.

    Attributes:
        keypoints: (P, S, K, 2) pixels; the current pose comes first.
        visible: (P, S, K) bool, False where a joint is absent.
        joint_scores: (P, S, K).
        segments: (P, S) int64: 0 for the current pose, frames apart - 1 for the earlier one.
        frame_size: (P, 2) width and height, or None where they are not known.
    """

    keypoints: Tensor
    visible: Tensor
    joint_scores: Tensor
    segments: Tensor
    frame_size: Tensor | None = None

    def __len__(self) -> int:
        return len(self.keypoints)

    def to(self, device: torch.device) -> PosePairs:
        """The pairs on a device."""
        size = None if self.frame_size is None else self.frame_size.to(device)
        return PosePairs(
            self.keypoints.to(device), self.visible.to(device), self.joint_scores.to(device), self.segments.to(device),
            size,
        )  # fmt: skip

    @staticmethod
    def concatenate(parts: Sequence[PosePairs]) -> PosePairs:
        """All pairs of the parts, in order; frame_size must be there in all or in none."""
        sizes = [part.frame_size for part in parts if part.frame_size is not None]
        return PosePairs(
            torch.cat([part.keypoints for part in parts]),
            torch.cat([part.visible for part in parts]),
            torch.cat([part.joint_scores for part in parts]),
            torch.cat([part.segments for part in parts]),
            torch.cat(sizes) if sizes else None,
        )
