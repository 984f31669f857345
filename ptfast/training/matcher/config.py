"""Training runs of the LSTM matcher."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ptfast._check import check_number
from ptfast.training.config import RunConfig
from ptfast.training.config_files import make_config, read_document

CONFIGS = Path(__file__).parent / "configs"


@dataclass(frozen=True)
class MatcherConfig(RunConfig):
    """A training run of the LSTM matcher. An example is a window of a video.

    Attributes:
        frames: Frames of a window, which starts at a random one of its video.
        batch: Windows of a step.
        hidden: Units of the LSTM.
        scenes: Synthetic scenes to cut windows from, where the data are synthetic.
        validation_videos: Synthetic scenes whose pairs a validation takes.

    Raises:
        ValueError: A number is out of its range.
    """

    frames: int = 32
    batch: int = 4
    steps: int = 1200
    optimizer: Literal["sgd", "adam", "adamw"] = "adam"
    learning_rate: float = 3e-3
    schedule: Literal["step", "cosine", "linear"] = "cosine"
    weight_decay: float = 0.0
    warm_up: int = 0
    drops: tuple[int, ...] = ()
    clip_norm: float = 1.0
    mixed_precision: bool = False
    epoch: int = 300
    hidden: int = 64
    scenes: int = 240
    validation_videos: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("hidden", "scenes"):
            check_number(name, getattr(self, name), 1)
        check_number("validation_videos", self.validation_videos, 0)


def read_config(source: str | Path) -> MatcherConfig:
    """Reads a run from a TOML file, or from one of those that come with ptfast, by name.

    Args:
        source: A path, or a name such as "synthetic_matcher".

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is not TOML, or an entry is unknown or of the wrong type; the message names it.
    """
    return make_config(MatcherConfig, *read_document(source, CONFIGS))
