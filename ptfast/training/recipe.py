"""Recipe of a network's training, as `ptfast train` runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from torch import Tensor
from torch.utils.data import Dataset

from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.training.config import RunConfig
from ptfast.training.data.annotation_files import annotation_files, read_skeleton
from ptfast.training.task import Network, Task, Validate

Config = TypeVar("Config", bound=RunConfig)


@dataclass(frozen=True)
class Source:
    """Places of the data of a run.

    Attributes:
        data: "synthetic", or a file or folder of annotations.
        images: The folder that the annotations' image names start from; None looks in their own and those above it.
        validation: Annotations to score by, or None.
    """

    data: str | Path
    images: Path | None = None
    validation: Path | None = None

    @property
    def is_synthetic(self) -> bool:
        """True without annotations."""
        return self.data == "synthetic"

    @cached_property
    def skeleton(self) -> Skeleton:
        """The joints of the data."""
        return POSETRACK_15 if self.is_synthetic else read_skeleton(annotation_files(Path(self.data), "train")[0])

    def skeleton_with(self, joints: int) -> Skeleton:
        """Returns PoseTrack's 15 joints or, if a network learns another number, those of the data.

        Raises:
            ValueError: The data have another number of joints, too.
        """
        own = POSETRACK_15 if joints == len(POSETRACK_15) else self.skeleton
        if len(own) != joints:
            raise ValueError(f"architecture: joints must be 15 or those of the data, {len(own)}, got {joints}")
        return own


@dataclass(frozen=True)
class Recipe(Generic[Config, Network]):
    """Training of one kind of network, from a config and data to weights with a card.

    Attributes:
        read_config: Reads a config by the name of one that comes with ptfast, or from a TOML file.
        task: The network and its losses.
        data: Examples by number.
        validation: A function that scores the network after each epoch, or None.
        read_weights: Reads weights to start from, by the names of the network's tensors.
        card: Entries of the weights' card, besides those that every card has; "skeleton" among them, if it has joints.
        save: Writes the network's weights to a *.safetensors file, and their card beside it.
    """

    read_config: Callable[[str | Path], Config]
    task: Callable[[Config, Source], Task[Network]]
    data: Callable[[Config, Source], Dataset]
    validation: Callable[[Config, Source], Validate[Network] | None]
    read_weights: Callable[[Path, Config], dict[str, Tensor]]
    card: Callable[[Config, Source], dict[str, Any]]
    save: Callable[[Network, Path, dict[str, Any]], None]
