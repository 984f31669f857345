"""Training of the 3D Mask R-CNN of Detect-and-Track."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from ptfast.methods.detect_and_track import Config as Tracking
from ptfast.models import MaskRcnn3d, load_weights, save_weights
from ptfast.training.checkpoints import read_checkpoint
from ptfast.training.data.annotated_clips import AnnotatedClips
from ptfast.training.data.annotated_sequences import read_sequences
from ptfast.training.data.synthetic_clips import synthetic_data
from ptfast.training.mask_rcnn import validation
from ptfast.training.mask_rcnn.batches import arguments
from ptfast.training.mask_rcnn.config import MaskRcnnConfig, read_config
from ptfast.training.mask_rcnn.losses import LOSSES, MaskRcnnLoss
from ptfast.training.recipe import Recipe, Source
from ptfast.training.task import Task, Validate


def mask_rcnn_task(config: MaskRcnnConfig) -> Task[MaskRcnn3d]:
    """Training of a 3D Mask R-CNN on Clips."""
    return Task(
        config,
        network=partial(MaskRcnn3d, config.architecture),
        losses=partial(MaskRcnnLoss, sampling=config.sampling, limits=config.proposals),
        names=LOSSES,
        arguments=arguments,
    )


def clips(config: MaskRcnnConfig, source: Source) -> Dataset:
    """Clips to learn from."""
    sizes: dict[str, Any] = {"short_sides": config.short_sides, "long_side": config.long_side}
    skeleton = source.skeleton_with(config.architecture.joints)
    if source.is_synthetic:
        return synthetic_data(config.frames, seed=config.seed, **sizes)
    return AnnotatedClips(
        source.data, config.frames, skeleton=skeleton, images=source.images, seed=config.seed, **sizes
    )


def make_validation(config: MaskRcnnConfig, source: Source) -> Validate[MaskRcnn3d] | None:
    """Tracking of annotated or synthetic videos, or None."""
    # Half-trained networks are not sure of much, and mAP wants the unsure ones too.
    tracking = Tracking(**config.settings(), min_score=0.5, joint_score="logit")
    how: dict[str, Any] = {"config": tracking, "skeleton": source.skeleton_with(config.architecture.joints)}
    if source.validation is not None:
        sequences = list(read_sequences(source.validation, how["skeleton"], source.images, "val"))
        return partial(validation.validate_annotated, sequences=sequences, **how)
    if not source.is_synthetic or config.validation_videos == 0:
        return None
    return partial(validation.validate, videos=config.validation_videos, **how)


def read_weights(path: Path, config: MaskRcnnConfig) -> dict[str, Tensor]:
    """Reads a network's weights out of a .safetensors file or a checkpoint."""
    if path.suffix == ".safetensors":
        return load_weights(path)[0].state_dict()
    return read_checkpoint(path)["model"]


def card(config: MaskRcnnConfig, source: Source) -> dict[str, Any]:
    """The network's joints, and settings of the method."""
    return {"skeleton": source.skeleton_with(config.architecture.joints).name, "settings": config.settings()}


RECIPE = Recipe(
    read_config=read_config,
    task=lambda config, source: mask_rcnn_task(config),
    data=clips,
    validation=make_validation,
    read_weights=read_weights,
    card=card,
    save=save_weights,
)
