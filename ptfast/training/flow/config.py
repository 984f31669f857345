"""Training runs of FlowNet2-S."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ptfast._check import check_finite_number, check_number
from ptfast.models import FlowNet2S, FlowNetArchitecture
from ptfast.training.config import RunConfig
from ptfast.training.config_files import make_config, read_document
from ptfast.training.flow.augmentation import FlowAugmentation

CONFIGS = Path(__file__).parent / "configs"


@dataclass(frozen=True)
class FlowConfig(RunConfig):
    """A training run of FlowNet2-S on pairs of successive frames.

    Attributes:
        frames: Of an example: 2.
        batch: Pairs of a step.
        size: Side in pixels of the films that pairs are cut from.
        crop: (height, width) of the pairs, multiples of 64.
        fps: Least and most frames a second of a film; the fewer, the larger the motion.
        people: Times that a pixel of a person counts; most pixels are the background's, which the camera moves as one.
        validation_videos: Films of each of which a validation takes two pairs.
        architecture: Of the network.
        augmentation: Changes of the pairs.

    Raises:
        ValueError: A number is out of its range or not finite.
    """

    frames: int = 2
    steps: int = 8000
    optimizer: Literal["sgd", "adam", "adamw"] = "adamw"
    warm_up: int = 200
    drops: tuple[int, ...] = (5500, 7200)
    mixed_precision: bool = False
    epoch: int = 500
    size: int = 256
    crop: tuple[int, int] = (192, 192)
    fps: tuple[float, float] = (8.0, 30.0)
    people: float = 5.0
    validation_videos: int = 16
    architecture: FlowNetArchitecture = field(default_factory=lambda: FlowNetArchitecture(width=0.25))
    augmentation: FlowAugmentation = field(default_factory=FlowAugmentation)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.frames != 2:
            raise ValueError(f"frames must be 2, those of a pair, got {self.frames}")
        multiple = FlowNet2S.multiple
        if any(side < 1 or side % multiple for side in self.crop):
            raise ValueError(f"crop must be multiples of {multiple} for this network, got {self.crop}")
        check_number("size", self.size, max(self.crop))
        if not 1 <= self.fps[0] <= self.fps[1] < float("inf"):
            raise ValueError(f"fps must be two finite, rising numbers of at least 1, got {self.fps}")
        check_finite_number("people", self.people, 1)
        check_number("validation_videos", self.validation_videos, 0)


def read_config(source: str | Path) -> FlowConfig:
    """Reads a run from a TOML file, or from one of those that come with ptfast, by name.

    Args:
        source: A path, or a name such as "synthetic_flow".

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is not TOML, or an entry is unknown or of the wrong type; the message names it.
    """
    return make_config(FlowConfig, *read_document(source, CONFIGS))
