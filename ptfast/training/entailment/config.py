"""Training runs of the pose entailment network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ptfast._check import check_number
from ptfast.models.entailment_architecture import PoseEntailmentArchitecture
from ptfast.training.config import RunConfig
from ptfast.training.config_files import make_config, read_document

CONFIGS = Path(__file__).parent / "configs"


@dataclass(frozen=True)
class PairAugmentation:
    """Random changes of pairs of poses.

    Attributes:
        strides: Each pair's frames are those of a video of which every s-th frame is kept; s is one of these.
        jitter: Largest standard deviation of a joint's place, in shares of its pose's longer side. Each pair draws its
            own below that, and in half of the pairs joints have scores that tell how far they have moved.
        lost: Largest share of joints that are lost. Each pair draws its own below that; a pose keeps two at least.
        cut: Share of pairs of which only the joints on one side of a line are seen.
        scale: Largest factor by which a pair is enlarged or reduced about the image's centre.
        mirror: Share of pairs that are mirrored, left and right swapped.
        camera: Standard deviation, in sizes of the current pose, of a shift of the earlier pose in half of the pairs.

    Raises:
        ValueError: A number is out of its range, or there is no stride.
    """

    strides: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    jitter: float = 0.05
    lost: float = 0.3
    cut: float = 0.4
    scale: float = 1.5
    mirror: float = 0.5
    camera: float = 0.1

    def __post_init__(self) -> None:
        check_number("strides", min(self.strides, default=0), 1)
        for name in ("jitter", "camera"):
            check_number(name, getattr(self, name), 0)
        for name in ("lost", "cut", "mirror"):
            check_number(name, getattr(self, name), 0, 1)
        check_number("scale", self.scale, 1)


@dataclass(frozen=True)
class EntailmentConfig(RunConfig):
    """A training run of the pose entailment network. An example is a number of pairs.

    Attributes:
        batch: Examples of a step.
        pairs: Pairs of an example, half of them matching.
        near: Share of the non-matching pairs whose earlier pose is one of the nearest; the others are random.
        scenes: Synthetic scenes to draw pairs from, where the data are synthetic.
        validation_videos: Synthetic scenes that a validation draws pairs from.
        validation_pairs: Pairs that a validation draws.
        augmentation: Random changes of the pairs; a validation has their strides alone.
        architecture: The network.

    Raises:
        ValueError: A number is out of its range.
    """

    batch: int = 1
    steps: int = 20000
    optimizer: Literal["sgd", "adam", "adamw"] = "adam"
    learning_rate: float = 1e-4
    schedule: Literal["step", "cosine", "linear"] = "linear"
    weight_decay: float = 0.0
    warm_up: int = 200
    drops: tuple[int, ...] = ()
    clip_norm: float = 1.0
    pairs: int = 32
    near: float = 0.8
    scenes: int = 240
    validation_videos: int = 20
    validation_pairs: int = 8192
    augmentation: PairAugmentation = field(default_factory=PairAugmentation)
    architecture: PoseEntailmentArchitecture = field(default_factory=PoseEntailmentArchitecture.paper)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("pairs", self.pairs, 2)
        check_number("near", self.near, 0, 1)
        check_number("scenes", self.scenes, 1)
        for name in ("validation_videos", "validation_pairs"):
            check_number(name, getattr(self, name), 0)


def read_config(source: str | Path) -> EntailmentConfig:
    """Reads a run from a TOML file, or from one of those that come with ptfast, by name.

    Args:
        source: A path, or a name such as "keytrack_best".

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is not TOML, or an entry is unknown or of the wrong type; the message names it.
    """
    return make_config(EntailmentConfig, *read_document(source, CONFIGS))
