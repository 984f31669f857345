"""Training of networks for the poses of single people."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ptfast.models import (
    Hrnet,
    HrnetArchitecture,
    PoseNetwork,
    PoseResnet,
    load_hrnet,
    load_pose_network,
    load_pose_resnet,
    save_weights,
)
from ptfast.models.adapters import read_state_dict
from ptfast.models.images import normalise_clips
from ptfast.training.checkpoints import read_checkpoint
from ptfast.training.data.annotated_clips import AnnotatedClips
from ptfast.training.data.annotated_sequences import read_sequences
from ptfast.training.data.batches import tensor
from ptfast.training.data.person_tubes import PersonClips, PersonTubes
from ptfast.training.data.synthetic_clips import SyntheticClips
from ptfast.training.pose import validation
from ptfast.training.pose.config import PoseConfig, read_config
from ptfast.training.pose.losses import PoseLoss
from ptfast.training.recipe import Recipe, Source
from ptfast.training.task import Task, Validate


def pose_task(config: PoseConfig) -> Task[PoseNetwork]:
    """Training of a pose network on PersonTubes."""
    return Task(
        config,
        network=partial(pose_network, config),
        losses=partial(PoseLoss, sigma=config.sigma, outside=config.outside),
        names=("heatmap",),
        arguments=arguments,
    )


def pose_network(config: PoseConfig) -> PoseNetwork:
    """Makes the network of a config, with random weights.

    Raises:
        ValueError: The architecture cannot be built, or takes no crops of that size.
    """
    a = config.architecture
    model = Hrnet(a) if isinstance(a, HrnetArchitecture) else PoseResnet(a)
    if any(side < 1 or side % model.multiple for side in config.size):
        raise ValueError(f"size must be multiples of {model.multiple} for this network, got {config.size}")
    return model


def arguments(model: PoseNetwork, examples: list[PersonTubes], device: torch.device) -> tuple[Tensor, ...]:
    """All examples' normalised crops (N, 3, T, h, w), joints (N, T, K, 2), and labelled and known ones (N, T, K)."""
    names = ("crops", "keypoints", "labelled", "known")
    columns = [tensor(np.concatenate([getattr(one, name) for one in examples]), device) for name in names]
    return normalise_clips(columns[0], mean=model.architecture.image_mean), *columns[1:]


def person_clips(config: PoseConfig, source: Source) -> PersonClips:
    """Tubes to learn from."""
    how: dict[str, Any] = {"people": config.people, "augmentation": config.augmentation, "seed": config.seed}
    skeleton = source.skeleton_with(config.architecture.joints)
    if source.is_synthetic:
        films = SyntheticClips(config.frames, seed=config.seed, size=config.short_side)
        return PersonClips(films, config.size, complete=True, **how)
    clips = AnnotatedClips(
        source.data, config.frames, skeleton=skeleton, images=source.images, seed=config.seed,
        short_sides=(config.short_side,), long_side=config.long_side,
    )  # fmt: skip
    return PersonClips(clips, config.size, **how)


def make_validation(config: PoseConfig, source: Source) -> Validate[PoseNetwork] | None:
    """The joints that a network finds in annotated or synthetic videos, or None."""
    skeleton = source.skeleton_with(config.architecture.joints)
    if source.validation is not None:
        sequences = list(read_sequences(source.validation, skeleton, source.images, "val"))
        return partial(validation.validate_pose_annotated, sequences=sequences, config=config, skeleton=skeleton)
    if not source.is_synthetic or config.validation_videos == 0:
        return None
    return partial(validation.validate_pose, config=config, skeleton=skeleton)


def read_weights(path: Path, config: PoseConfig) -> dict[str, Tensor]:
    """Reads a network's weights out of a .safetensors file, a checkpoint of training, or a published one."""
    if path.suffix == ".safetensors":
        return load_pose_network(path)[0].state_dict()
    if {"config", "optimizer"} <= read_state_dict(path).keys():
        return read_checkpoint(path)["model"]
    return (load_hrnet if config.network == "hrnet" else load_pose_resnet)(path).state_dict()


def card(config: PoseConfig, source: Source) -> dict[str, Any]:
    """The network's joints, and the size of its crops."""
    return {"skeleton": source.skeleton_with(config.architecture.joints).name, "size": list(config.size)}


RECIPE = Recipe(
    read_config=read_config,
    task=lambda config, source: pose_task(config),
    data=person_clips,
    validation=make_validation,
    read_weights=read_weights,
    card=card,
    save=save_weights,
)
