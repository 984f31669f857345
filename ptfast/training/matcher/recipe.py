"""Training of the LSTM matcher from files or synthetic scenes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

from ptfast.models.matcher import TrackMatcher
from ptfast.models.observations import Observations
from ptfast.skeletons import Skeleton
from ptfast.synthetic.splits import VALIDATION_SEEDS
from ptfast.training.data.tracks import annotated_tracks, synthetic_tracks
from ptfast.training.matcher import validation
from ptfast.training.matcher.config import MatcherConfig, read_config
from ptfast.training.matcher.losses import MatcherLoss
from ptfast.training.matcher.pairs import Pairs
from ptfast.training.matcher.weights import read_weights, save_matcher
from ptfast.training.matcher.windows import Window, Windows
from ptfast.training.recipe import Recipe, Source
from ptfast.training.task import Task, Validate


def matcher_task(config: MatcherConfig, skeleton: Skeleton, appearance: int = 0) -> Task[TrackMatcher]:
    """Training of a matcher, which reads `appearance` features of each detection, on Windows."""
    return Task(
        config,
        network=partial(TrackMatcher, skeleton, hidden=config.hidden, appearance=appearance),
        losses=MatcherLoss,
        names=("pair",),
        arguments=arguments,
    )


def arguments(
    model: TrackMatcher, windows: list[Window], device: torch.device
) -> tuple[list[tuple[Observations, Pairs]]]:
    """Observed detections and pairs of the windows that have pairs."""
    windows = [window for window in windows if len(window.pairs.labels)]
    return ([(model.observe(window.poses, window.features), window.pairs.to(device)) for window in windows],)


def windows(config: MatcherConfig, source: Source) -> Windows:
    """Windows to learn from.

    Raises:
        ValueError: Seeds reach into those that are for validation, or the annotations are not as they should be.
    """
    if not source.is_synthetic:
        return Windows(annotated_tracks(Path(source.data), source.skeleton, source.images), config)
    if config.seed + config.scenes > VALIDATION_SEEDS:
        largest = VALIDATION_SEEDS - config.scenes
        raise ValueError(f"seed must be from 0 to {largest:,}, got {config.seed:,}; the rest is for validation")
    return Windows(synthetic_tracks(config.scenes, config.seed), config)


def make_validation(config: MatcherConfig, source: Source) -> Validate[TrackMatcher] | None:
    """Pairs of annotated videos or synthetic scenes that the matcher classifies, or None."""
    if source.validation is not None:
        tracks = annotated_tracks(source.validation, source.skeleton, source.images, "val")
    elif source.is_synthetic and config.validation_videos:
        tracks = synthetic_tracks(config.validation_videos, VALIDATION_SEEDS)
    else:
        return None
    return partial(validation.matcher_figures, tracks=tracks)


RECIPE = Recipe(
    read_config=read_config,
    task=lambda config, source: matcher_task(config, source.skeleton),
    data=windows,
    validation=make_validation,
    read_weights=lambda path, config: read_weights(path),
    card=lambda config, source: {"skeleton": source.skeleton.name},
    save=save_matcher,
)
