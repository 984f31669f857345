"""What the training loop trains: a network, its losses, and what they take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from ptfast.models import Hrnet, HrnetArchitecture, MaskRcnn3d, PoseNetwork, PoseResnet
from ptfast.models.images import normalise_clips
from ptfast.training.batches import tensor, tensors
from ptfast.training.clips import Clip
from ptfast.training.config import Config, RunConfig
from ptfast.training.losses import LOSSES, MaskRcnnLoss, Targets
from ptfast.training.person_tubes import PersonTubes
from ptfast.training.pose_config import PoseConfig
from ptfast.training.pose_losses import PoseLoss

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Task(Generic[Network]):
    """A network to train.

    Attributes:
        config: For how long, by which optimizer, ...
        network: Makes the network, of random weights.
        losses: Makes a module that holds the network, for gradients of several processes to be joined around; it takes
            `arguments` and gives L losses, float32, each a mean over the examples. Their sum is what falls.
        names: Of the L losses.
        arguments: Turns the network and a list of examples into the module's arguments, on a device.
    """

    config: RunConfig
    network: Callable[[], Network]
    losses: Callable[[Network], nn.Module]
    names: tuple[str, ...]
    arguments: Callable[[Network, list, torch.device], tuple]


def mask_rcnn_task(config: Config) -> Task[MaskRcnn3d]:
    """Training of a 3D Mask R-CNN on Clips."""
    return Task(
        config,
        network=partial(MaskRcnn3d, config.architecture),
        losses=partial(MaskRcnnLoss, sampling=config.sampling, limits=config.proposals),
        names=LOSSES,
        arguments=mask_rcnn_arguments,
    )


def mask_rcnn_arguments(model: MaskRcnn3d, clips: list[Clip], device: torch.device) -> tuple[Tensor, list[Targets]]:
    """Padded pictures and each clip's people."""
    return tensors(clips, max(model.strides), device, model.architecture.image_mean)


def pose_task(config: PoseConfig) -> Task[PoseNetwork]:
    """Training of a pose network on PersonTubes."""
    return Task(
        config,
        network=partial(pose_network, config),
        losses=partial(PoseLoss, sigma=config.sigma, outside=config.outside),
        names=("heatmap",),
        arguments=pose_arguments,
    )


def pose_network(config: PoseConfig) -> PoseNetwork:
    """The network of a config.

    Raises:
        ValueError: The architecture cannot be built, or takes no crops of that size.
    """
    a = config.architecture
    model = Hrnet(a) if isinstance(a, HrnetArchitecture) else PoseResnet(a)
    if any(side < 1 or side % model.multiple for side in config.size):
        raise ValueError(f"size must be multiples of {model.multiple} for this network, got {config.size}")
    return model


def pose_arguments(model: PoseNetwork, examples: list[PersonTubes], device: torch.device) -> tuple[Tensor, ...]:
    """All examples' normalised crops (N, 3, T, h, w), joints, and which are labelled and known."""
    names = ("crops", "keypoints", "labelled", "known")
    columns = [tensor(np.concatenate([getattr(one, name) for one in examples]), device) for name in names]
    return normalise_clips(columns[0], mean=model.architecture.image_mean), *columns[1:]
