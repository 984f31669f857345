"""Training of the pose entailment network from files or synthetic scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from ptfast.models import PoseEntailment, load_pose_entailment, save_pose_entailment
from ptfast.skeletons import POSETRACK_15, POSETRACK_17, Skeleton
from ptfast.structures import Poses
from ptfast.synthetic.splits import VALIDATION_SEEDS
from ptfast.training.checkpoints import read_checkpoint
from ptfast.training.data.tracks import synthetic_tracks, tracks_without_images
from ptfast.training.entailment.config import EntailmentConfig, read_config
from ptfast.training.entailment.examples import LabelledPairs, PairExamples
from ptfast.training.entailment.losses import EntailmentLoss
from ptfast.training.entailment.table import PoseTable
from ptfast.training.entailment.validation import entailment_figures
from ptfast.training.recipe import Recipe, Source
from ptfast.training.task import Task, Validate


def entailment_task(config: EntailmentConfig, skeleton: Skeleton) -> Task[PoseEntailment]:
    """Training of a network on PairExamples."""
    return Task(
        config,
        network=partial(PoseEntailment, config.architecture, skeleton),
        losses=EntailmentLoss,
        names=("entropy",),
        arguments=arguments,
    )


def arguments(model: PoseEntailment, examples: list[LabelledPairs], device: torch.device) -> tuple[LabelledPairs]:
    """The pairs of all examples in one."""
    return (LabelledPairs.concatenate(examples).to(device),)


def joints_of(source: Source) -> Skeleton:
    """The joints of the data, but PoseTrack's 15 of its 17, as nobody has annotated the ears."""
    return POSETRACK_15 if source.skeleton == POSETRACK_17 else source.skeleton


def pairs_of(config: EntailmentConfig, source: Source) -> PairExamples:
    """Pairs to learn from.

    Raises:
        ValueError: Seeds reach into those that are for validation, or the annotations are not as they should be.
    """
    if not source.is_synthetic:
        tracks = tracks_without_images(Path(source.data), joints_of(source), source.images)
        return PairExamples(PoseTable.of(tracks), config)
    if config.seed + config.scenes > VALIDATION_SEEDS:
        largest = VALIDATION_SEEDS - config.scenes
        raise ValueError(f"seed must be from 0 to {largest:,}, got {config.seed:,}; the rest is for validation")
    return PairExamples(PoseTable.of(synthetic_tracks(config.scenes, config.seed)), config)


def make_validation(config: EntailmentConfig, source: Source) -> Validate[PoseEntailment] | None:
    """Pairs of annotated videos or synthetic scenes that the network classifies, or None."""
    if config.validation_pairs == 0:
        return None
    if source.validation is not None:
        tracks = tracks_without_images(source.validation, joints_of(source), source.images, "val")
    elif source.is_synthetic and config.validation_videos:
        tracks = synthetic_tracks(config.validation_videos, VALIDATION_SEEDS)
    else:
        return None
    return partial(entailment_figures, examples=validation_examples(tracks, config))


def validation_examples(tracks: Sequence[Poses], config: EntailmentConfig) -> list[LabelledPairs]:
    """config.validation_pairs pairs as they are, the same with every seed."""
    some = replace(config, seed=0, pairs=max(min(256, config.validation_pairs), 2))
    examples = PairExamples(PoseTable.of(tracks), some, augmented=False)
    return [examples[i] for i in range(-(-config.validation_pairs // some.pairs))]


def read_weights(path: Path, config: EntailmentConfig) -> dict[str, torch.Tensor]:
    """Reads a network's weights out of a .safetensors file or a checkpoint."""
    if path.suffix == ".safetensors":
        return load_pose_entailment(path)[0].state_dict()
    return read_checkpoint(path)["model"]


RECIPE = Recipe(
    read_config=read_config,
    task=lambda config, source: entailment_task(config, joints_of(source)),
    data=pairs_of,
    validation=make_validation,
    read_weights=read_weights,
    card=lambda config, source: {},  # the network knows its joints
    save=save_pose_entailment,
)
