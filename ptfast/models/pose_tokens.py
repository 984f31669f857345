"""Embeddings of the joints of two poses: where each is, which it is, and how long ago."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ptfast._check import check_integer, check_number

Position = Literal["grid", "relative", "grid+relative", "linear", "fourier"]
POSITIONS = ("grid", "relative", "grid+relative", "linear", "fourier")
_FARTHEST = 4.0  # of continuous coordinates, in sizes of a person
_FINE, _COARSE = 16.0, 2.0  # slopes at 0 of the two compressed forms of a displacement


@dataclass(frozen=True)
class PoseEntailmentArchitecture:
    """Layers and tokens of a pose entailment network. The defaults are the paper's.

    Attributes:
        position: Where a joint is: "grid" is the cell of the image that it lies in, "relative" the cell of its
            offset from its pose's centre, "grid+relative" both (the paper's table 3); "linear" are x and y relative to
            the pair of poses, whose joints' mean is the origin and whose larger pose's longer side is 1, and "fourier"
            are these and their sines and cosines. The last two need no image size.
        grid: Columns and rows of cells; each has its own embedding.
        frequencies: Of "fourier": waves of 4 units, each further one half as long.
        displacements: With "linear" and "fourier": a token also has the way to its joint from the same joint of the
            other pose, and whether that is there.
        paired: With "linear" and "fourier": one token for a joint of both poses, K in all in place of 2 K.
        joint_scores: A token also has its joint's score, between 0 and 1.
        camera_shift: The common shift of the people of two frames is removed before (`ptfast.models.camera_shifts`).
        delta: Farthest frame before the current one; one segment token each.
        layers: Number of transformer layers.
        heads: Heads of each, which must divide `hidden`.
        hidden: H, width of the tokens.
        intermediate: Width between the two linear layers of each layer.
        projection: Output projection of the attention, with which the paper's table 6 counts; its table 5 and its
            0.41 million parameters have none.
        dropout: Probability, throughout.

    Raises:
        ValueError: A number is out of its range, or two settings exclude each other.
        TypeError: A number is none.

    Source:
        Snower et al. 2020 (KeyTrack), section 3.2 and the supplement's A.5.
    """

    position: Position = "grid"
    grid: tuple[int, int] = (24, 18)
    frequencies: int = 6
    displacements: bool = False
    paired: bool = False
    joint_scores: bool = False
    camera_shift: bool = False
    delta: int = 4
    layers: int = 4
    heads: int = 4
    hidden: int = 128
    intermediate: int = 128
    projection: bool = False
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.position not in POSITIONS:
            raise ValueError(f"position must be one of {', '.join(map(repr, POSITIONS))}, got {self.position!r}")
        for name in ("displacements", "paired"):
            if getattr(self, name) and not self.is_continuous:
                raise ValueError(f"{name} must be False for position {self.position!r}, got True")
        for side in self.grid:
            check_integer("grid", side, 1, 4096)
        for name in ("frequencies", "delta", "layers", "heads", "hidden", "intermediate"):
            check_integer(name, getattr(self, name), 1, 4096)
        if self.hidden % self.heads:
            raise ValueError(f"hidden must be a multiple of the {self.heads} heads, got {self.hidden}")
        check_number("dropout", self.dropout, 0, 1)

    @property
    def is_continuous(self) -> bool:
        """True where coordinates are relative to the pair, False where they are cells of the image."""
        return self.position in ("linear", "fourier")

    @property
    def shares_poses(self) -> bool:
        """True where the embeddings of a pose are the same in all pairs of one distance in time."""
        return not self.is_continuous and not self.camera_shift

    @staticmethod
    def paper() -> PoseEntailmentArchitecture:
        """The paper's network: 0.41 million parameters with 15 joints."""
        return PoseEntailmentArchitecture()

    @staticmethod
    def best() -> PoseEntailmentArchitecture:
        """Coordinates relative to the pair, displacements and scores, without the camera's shift; a token a joint.

        Chosen on a quarter of somof's training videos, after 600 steps on the others. A third layer, or a width of 128,
        is no better there.
        """
        return PoseEntailmentArchitecture(
            position="fourier", displacements=True, paired=True, joint_scores=True, camera_shift=True, layers=2,
            heads=2, hidden=64, intermediate=64,
        )  # fmt: skip


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
