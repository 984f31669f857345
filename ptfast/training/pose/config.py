"""Training runs of networks for the poses of single people."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ptfast._check import check_number, check_positive
from ptfast._json import shortened
from ptfast.models import HrnetArchitecture, PoseResnetArchitecture
from ptfast.training.config import ClipConfig
from ptfast.training.config_files import make_config, read_document
from ptfast.training.data.regions import Augmentation
from ptfast.training.pose.losses import Outside

CONFIGS = Path(__file__).parent / "configs"


@dataclass(frozen=True)
class PoseConfig(ClipConfig):
    """A training run of a pose network, on single images where `frames` is 1, else on clips.

    Attributes:
        people: Tubes of a clip; a step learns from `batch` times as many.
        size: (height, width) of the crops.
        sigma: Of the target heatmaps, in their pixels, each of which is four of the crop's unless a PoseResnet has
            other than three transposed convolutions; 2 for crops of 256x192, 3 of 384x288.
        outside: "empty" teaches joints that are known to be outside the crop as empty heatmaps, "ignored" not at all.
        short_side: The images' shorter side in pixels before people are cut out; synthetic films are drawn so.
        long_side: Largest longer side.
        validation_videos: Videos of 16 frames, of each of which a validation takes two clips.
        network: "hrnet" or "pose-resnet".
        architecture: Of that network.
        augmentation: Spread of the crops' regions.

    Raises:
        ValueError: A number is out of its range.
    """

    optimizer: Literal["sgd", "adam", "adamw"] = "adam"
    weight_decay: float = 0.0
    people: int = 4
    size: tuple[int, int] = (256, 192)
    sigma: float = 2.0
    outside: Outside = "empty"
    short_side: int = 256
    long_side: int = 1333
    validation_videos: int = 16
    network: str = "hrnet"
    architecture: HrnetArchitecture | PoseResnetArchitecture = field(default_factory=HrnetArchitecture)
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("people", "short_side", "long_side"):
            check_number(name, getattr(self, name), 1)
        check_number("validation_videos", self.validation_videos, 0)
        check_positive("sigma", self.sigma)


@dataclass(frozen=True)
class HrnetConfig(PoseConfig):
    """A training run of an HRNet."""

    network: Literal["hrnet"] = "hrnet"
    architecture: HrnetArchitecture = field(default_factory=HrnetArchitecture)


@dataclass(frozen=True)
class PoseResnetConfig(PoseConfig):
    """A training run of Simple Baselines' network."""

    network: Literal["pose-resnet"] = "pose-resnet"
    architecture: PoseResnetArchitecture = field(default_factory=PoseResnetArchitecture)


NETWORKS: dict[str, type[PoseConfig]] = {"hrnet": HrnetConfig, "pose-resnet": PoseResnetConfig}


def read_config(source: str | Path) -> PoseConfig:
    """Reads a run from a TOML file, or from one of those that come with ptfast, by name.

    Args:
        source: A path, or a name such as "synthetic_pose_3d".

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is not TOML, or an entry is unknown or of the wrong type; the message names it.
    """
    document, path = read_document(source, CONFIGS)
    network = document.get("network", "hrnet")
    if network not in list(NETWORKS):
        raise ValueError(
            f"{path}: network: expected one of {', '.join(map(repr, NETWORKS))}, found {shortened(repr(network))}"
        )
    return make_config(NETWORKS[network], document, path)
