"""Training runs of the 3D Mask R-CNN."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ptfast._check import check_number
from ptfast.models.detection import Limits
from ptfast.models.mask_rcnn import Architecture
from ptfast.training.config import ClipConfig
from ptfast.training.config_files import make_config, read_document
from ptfast.training.mask_rcnn.sampling import Sampling

CONFIGS = Path(__file__).parent / "configs"


@dataclass(frozen=True)
class MaskRcnnConfig(ClipConfig):
    """A training run of the 3D Mask R-CNN. Defaults are those of Detect-and-Track's released 3D model.

    Attributes:
        short_sides: A clip's shorter side in pixels is one of these, by chance; synthetic films are drawn so.
        long_side: Largest longer side.
        validation_videos: Synthetic videos of 32 frames that a validation tracks.
        architecture: The network.
        sampling: Anchors, proposals and people of a step.
        proposals: Numbers of proposals in training.

    Raises:
        ValueError: A number is out of its range.
    """

    frames: int = 3
    short_sides: tuple[int, ...] = (128, 196, 256)
    long_side: int = 333
    validation_videos: int = 4
    architecture: Architecture = field(default_factory=Architecture)
    sampling: Sampling = field(default_factory=Sampling)
    proposals: Limits = field(default_factory=lambda: Limits(proposals_before=2000, proposals_after=2000))

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("long_side", self.long_side, 1)
        check_number("validation_videos", self.validation_videos, 0)
        if not self.short_sides or min(self.short_sides) < 1:
            raise ValueError(f"short_sides must be at least one positive number, got {self.short_sides}")

    def settings(self) -> dict[str, Any]:
        """Settings with which the method runs a network of this config."""
        return {"frames": self.frames, "short_side": max(self.short_sides), "long_side": self.long_side}


def read_config(source: str | Path) -> MaskRcnnConfig:
    """Reads a run from a TOML file, or from one of those that come with ptfast, by name.

    Args:
        source: A path, or a name such as "synthetic_3d".

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is not TOML, or an entry is unknown or of the wrong type; the message names it.
    """
    return make_config(MaskRcnnConfig, *read_document(source, CONFIGS))
