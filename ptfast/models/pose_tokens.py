"""Embeddings of the joints of two poses: where each is, which it is, and how long ago."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ptfast.models.entailment_architecture import PoseEntailmentArchitecture
from ptfast.models.pose_pairs import PosePairs

_FARTHEST = 4.0  # of continuous coordinates, in sizes of a person
_FINE, _COARSE = 16.0, 2.0  # slopes at 0 of the two compressed forms of a displacement


class GridPlaces(nn.Module):
    """Embeddings of the cells of a grid over the image.

    Args:
        architecture: Which cells count, and the grid.
    """

    def __init__(self, architecture: PoseEntailmentArchitecture) -> None:
        super().__init__()
        columns, rows = self.grid = architecture.grid
        kinds = architecture.position.split("+")
        self.absolute = nn.Embedding(columns * rows, architecture.hidden) if "grid" in kinds else None
        self.relative = nn.Embedding(columns * rows, architecture.hidden) if "relative" in kinds else None

    def forward(self, poses: PosePairs) -> Tensor:
        """(P, S, K, H) of poses with frame_size."""
        if poses.frame_size is None:
            raise ValueError("poses must have frame_size, got None")
        size = poses.frame_size[:, None, None]
        embedded = []
        if self.absolute is not None:
            embedded.append(self.absolute(self.cells(poses.keypoints / size)))
        if self.relative is not None:
            present = poses.visible[..., None]
            centre = masked_mean(poses.keypoints, present, 2)
            embedded.append(self.relative(self.cells((poses.keypoints - centre) / size + 0.5)))
        return torch.stack(embedded).sum(0)

    def cells(self, shares: Tensor) -> Tensor:
        """(...) int64 cells, row by row, of places (..., 2) in shares of the image; those outside are at its edge."""
        columns, rows = self.grid
        limit = shares.new_tensor([columns, rows])
        cell = torch.minimum((shares * limit).floor().clamp(min=0), limit - 1).long()
        return cell[..., 1] * columns + cell[..., 0]


class PairPlaces(nn.Module):
    """A linear embedding of coordinates relative to the pair, of their waves, and of displacements.

    Args:
        architecture: Which of these, and whether a joint's two places are one token's.
    """

    def __init__(self, architecture: PoseEntailmentArchitecture) -> None:
        super().__init__()
        self.waves = architecture.frequencies if architecture.position == "fourier" else 0
        self.displacements, self.paired = architecture.displacements, architecture.paired
        width = 2 + 4 * self.waves + 5 * self.displacements
        self.linear = nn.Linear(2 * (width + 1) if self.paired else width, architecture.hidden)

    def forward(self, poses: PosePairs) -> Tensor:
        """(P, 2, K, H) of pairs, or (P, 1, K, H) of paired tokens."""
        described = self.describe(poses)
        if self.paired:
            described = torch.cat([described, poses.visible[..., None]], -1) * poses.visible[..., None]
            described = described.transpose(1, 2).flatten(2)[:, None]
        return self.linear(described.to(self.linear.weight.dtype))

    def describe(self, poses: PosePairs) -> Tensor:
        """(P, 2, K, D) numbers of each joint."""
        present = poses.visible[..., None]
        centre = masked_mean(poses.keypoints.flatten(1, 2), present.flatten(1, 2), 1)[:, None]
        size = pair_sizes(poses)[:, None, None, None]
        places = ((poses.keypoints - centre) / size).clamp(-_FARTHEST, _FARTHEST)
        parts = [places]
        for number in range(self.waves):
            angles = places * (torch.pi / 2 * 2**number)
            parts += [angles.sin(), angles.cos()]
        if self.displacements:
            common = poses.visible.all(1, keepdim=True)[..., None].expand_as(present).to(places.dtype)
            ways = (poses.keypoints - poses.keypoints.flip(1)) / size * common
            parts += [torch.asinh(ways * _FINE), torch.asinh(ways * _COARSE), common]
        return torch.cat(parts, -1)


class TokenEmbedding(nn.Module):
    """The sum of the embeddings of a joint's place, type, segment and, if wanted, score; layer norm and dropout.

    Args:
        architecture: The tokens.
        joints: K.
    """

    def __init__(self, architecture: PoseEntailmentArchitecture, joints: int) -> None:
        super().__init__()
        hidden, self.paired = architecture.hidden, architecture.paired
        self.places = PairPlaces(architecture) if architecture.is_continuous else GridPlaces(architecture)
        self.types = nn.Embedding(joints, hidden)
        self.segments = nn.Embedding(architecture.delta, hidden)
        self.scores = nn.Linear(1 + self.paired, hidden, bias=False) if architecture.joint_scores else None
        self.norm = nn.LayerNorm(hidden, eps=1e-12)
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(self, poses: PosePairs) -> Tensor:
        """(P, S K, H) tokens, pose by pose, or (P, K, H) paired ones. An absent joint has no place and no score."""
        about, segments = self.places(poses), poses.segments[:, 1:] if self.paired else poses.segments
        if self.scores is not None:
            scores = (poses.joint_scores.clamp(0, 1) * poses.visible)[..., None].to(about.dtype)
            about = about + self.scores(scores.movedim(1, -1).flatten(-2)[:, None] if self.paired else scores)
        there = self.there(poses).view(about.shape[:-1])[..., None]
        tokens = torch.where(there, about, 0) + self.types.weight + self.segments(segments)[:, :, None]
        return self.dropout(self.norm(tokens)).flatten(1, 2)

    def there(self, poses: PosePairs) -> Tensor:
        """(P, S K) bool, or (P, K) of paired tokens, False for tokens of absent joints."""
        return poses.visible.any(1) if self.paired else poses.visible.flatten(1)


def masked_mean(values: Tensor, mask: Tensor, dim: int) -> Tensor:
    """Mean of values where a mask is True, 0 where it nowhere is; the dimension stays, of length 1."""
    return (values * mask).sum(dim, keepdim=True) / mask.sum(dim, keepdim=True).clamp(min=1)


def pair_sizes(poses: PosePairs) -> Tensor:
    """(P,) longer side, in pixels and at least 1, of the larger of each pair's poses."""
    present = poses.visible[..., None]
    low = torch.where(present, poses.keypoints, torch.inf).amin(2)
    high = torch.where(present, poses.keypoints, -torch.inf).amax(2)
    return (high - low).amax((1, 2)).clamp(min=1)
