"""Training of FlowNet2-S on synthetic films."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from ptfast.models import FlowNet2S, save_weights
from ptfast.pipeline.weights import load_flow_weights
from ptfast.training.data.batches import tensor
from ptfast.training.flow import validation
from ptfast.training.flow.augmentation import FlowPair
from ptfast.training.flow.config import FlowConfig, read_config
from ptfast.training.flow.losses import LEVELS, FlowLoss
from ptfast.training.flow.pairs import FilmPairs
from ptfast.training.recipe import Recipe, Source
from ptfast.training.task import Task, Validate


def flow_task(config: FlowConfig) -> Task[FlowNet2S]:
    """Training of a network of optical flow on FlowPairs."""
    return Task(
        config,
        network=partial(FlowNet2S, config.architecture),
        losses=FlowLoss,
        names=LEVELS,
        arguments=arguments,
    )


def arguments(model: FlowNet2S, pairs: list[FlowPair], device: torch.device) -> tuple[Tensor, ...]:
    """All pairs' images (B, 3, H, W) uint8, first and second, flow (B, H, W, 2), and weights (B, H, W)."""
    columns = [tensor(np.stack([getattr(pair, name) for pair in pairs]), device) for name in vars(pairs[0])]
    return columns[0].permute(0, 3, 1, 2), columns[1].permute(0, 3, 1, 2), *columns[2:]


def film_pairs(config: FlowConfig, source: Source) -> FilmPairs:
    """Pairs to learn from.

    Raises:
        ValueError: Other data than synthetic ones are given, or the seed is one of validation.
    """
    if not source.is_synthetic or source.images is not None or source.validation is not None:
        given = [str(value) for value in (source.data, source.images, source.validation) if value is not None]
        expected = "data must be synthetic, without images or validation, as annotations have no flow"
        raise ValueError(f"{expected}, got {', '.join(given)}")
    return FilmPairs(config)


def make_validation(config: FlowConfig, source: Source) -> Validate[FlowNet2S] | None:
    """The error on synthetic validation films, or None."""
    return partial(validation.validate_flow, config=config) if config.validation_videos else None


RECIPE = Recipe(
    read_config=read_config,
    task=lambda config, source: flow_task(config),
    data=film_pairs,
    validation=make_validation,
    read_weights=lambda path, config: load_flow_weights(path).state_dict(),
    card=lambda config, source: {},
    save=save_weights,
)
