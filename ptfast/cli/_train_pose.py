"""What ptfast train pose trains; ptfast.cli._train_mask_rcnn has the same functions."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from ptfast.models import PoseNetwork, load_hrnet, load_pose_network, load_pose_resnet
from ptfast.skeletons import Skeleton
from ptfast.training import pose_validation
from ptfast.training.annotated_clips import AnnotatedClips, read_sequences
from ptfast.training.checkpoints import read_checkpoint
from ptfast.training.person_tubes import PersonClips
from ptfast.training.pose_config import PoseConfig, read_pose_config
from ptfast.training.synthetic_clips import SyntheticClips
from ptfast.training.tasks import pose_task

CONFIG = "synthetic_pose_3d"  # if none is named
read, make_task = read_pose_config, pose_task


def make_data(config: PoseConfig, options: argparse.Namespace, skeleton: Skeleton) -> PersonClips:
    """Tubes to learn from."""
    how: dict[str, Any] = {"people": config.people, "augmentation": config.augmentation, "seed": config.seed}
    if options.data == "synthetic":
        films = SyntheticClips(config.frames, seed=config.seed, size=config.short_side)
        return PersonClips(films, config.size, complete=True, **how)
    clips = AnnotatedClips(
        options.data, config.frames, skeleton=skeleton, images=options.images, seed=config.seed,
        short_sides=(config.short_side,), long_side=config.long_side,
    )  # fmt: skip
    return PersonClips(clips, config.size, **how)


def make_validation(
    config: PoseConfig, options: argparse.Namespace, skeleton: Skeleton
) -> Callable[[PoseNetwork], dict[str, float]] | None:
    """What scores the network each epoch."""
    if options.validation is not None:
        sequences = list(read_sequences(options.validation, skeleton, options.images, "val"))
        return partial(pose_validation.validate_pose_annotated, sequences=sequences, config=config, skeleton=skeleton)
    if options.data != "synthetic" or config.validation_videos == 0:
        return None
    return partial(pose_validation.validate_pose, config=config, skeleton=skeleton)


def read_weights(path: Path, config: PoseConfig) -> dict[str, Tensor]:
    """A network's weights out of a .safetensors file, a published .pth or a checkpoint."""
    if path.suffix == ".safetensors":
        return load_pose_network(path)[0].state_dict()
    if path.suffix == ".pth":
        return (load_hrnet if config.network == "hrnet" else load_pose_resnet)(path).state_dict()
    return read_checkpoint(path)["model"]


def card_of(config: PoseConfig) -> dict[str, Any]:
    """What the weights' card says besides what all cards say."""
    return {"size": list(config.size)}
