"""Layers and tokens of a pose entailment network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ptfast._check import check_integer, check_number

Position = Literal["grid", "relative", "grid+relative", "linear", "fourier"]
POSITIONS = ("grid", "relative", "grid+relative", "linear", "fourier")


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
        """Coordinates relative to the pair, displacements and scores, the camera's shift removed; a token a joint.

        No command compares sizes yet.
        """
        return PoseEntailmentArchitecture(
            position="fourier", displacements=True, paired=True, joint_scores=True, camera_shift=True, layers=2,
            heads=2, hidden=64, intermediate=64,
        )  # fmt: skip
