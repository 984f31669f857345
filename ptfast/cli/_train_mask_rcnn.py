"""What ptfast train detect-and-track trains; ptfast.cli._train_pose has the same functions."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from ptfast.methods.detect_and_track import Config as Tracking
from ptfast.models import MaskRcnn3d, load_weights
from ptfast.skeletons import Skeleton
from ptfast.training import validation
from ptfast.training.annotated_clips import AnnotatedClips, read_sequences
from ptfast.training.checkpoints import read_checkpoint
from ptfast.training.config import Config, read_config
from ptfast.training.synthetic_clips import synthetic_data
from ptfast.training.tasks import mask_rcnn_task

CONFIG = "synthetic_3d"  # if none is named
read, make_task = read_config, mask_rcnn_task


def make_data(config: Config, options: argparse.Namespace, skeleton: Skeleton) -> Dataset:
    """Clips to learn from."""
    sizes: dict[str, Any] = {"short_sides": config.short_sides, "long_side": config.long_side}
    if options.data == "synthetic":
        return synthetic_data(config.frames, seed=config.seed, **sizes)
    return AnnotatedClips(
        options.data, config.frames, skeleton=skeleton, images=options.images, seed=config.seed, **sizes
    )


def make_validation(
    config: Config, options: argparse.Namespace, skeleton: Skeleton
) -> Callable[[MaskRcnn3d], dict[str, float]] | None:
    """What scores the network each epoch."""
    # Half-trained networks are not sure of much, and mAP wants the unsure ones too.
    tracking = Tracking(**settings_of(config), min_score=0.5, joint_score="logit")
    if options.validation is not None:
        sequences = list(read_sequences(options.validation, skeleton, options.images, "val"))
        return partial(validation.validate_annotated, sequences=sequences, config=tracking, skeleton=skeleton)
    if options.data != "synthetic" or config.validation_videos == 0:
        return None
    return partial(validation.validate, videos=config.validation_videos, config=tracking, skeleton=skeleton)


def read_weights(path: Path, config: Config) -> dict[str, Tensor]:
    """A network's weights out of a .safetensors file or a checkpoint."""
    if path.suffix == ".safetensors":
        return load_weights(path)[0].state_dict()
    return read_checkpoint(path)["model"]


def settings_of(config: Config) -> dict[str, Any]:
    """How the method runs a network of this config."""
    return {"frames": config.frames, "short_side": max(config.short_sides), "long_side": config.long_side}


def card_of(config: Config) -> dict[str, Any]:
    """What the weights' card says besides what all cards say."""
    return {"settings": settings_of(config)}
