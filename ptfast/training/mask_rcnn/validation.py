"""Scores of a network in training, which tracks videos that it has never seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from ptfast.evaluation.posetrack import evaluate
from ptfast.methods.detect_and_track import Config, DetectAndTrack
from ptfast.models import MaskRcnn3d
from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.structures import Poses
from ptfast.synthetic.splits import VALIDATION_SEEDS
from ptfast.training.data.annotated_sequences import AnnotatedSequence, read_image
from ptfast.training.data.synthetic_clips import random_film

FRAMES = 32  # of a video


def validate(
    model: MaskRcnn3d, videos: int, config: Config, skeleton: Skeleton = POSETRACK_15, *, frames: int = FRAMES
) -> dict[str, float]:
    """mAP and MOTA, in percent, of a network on synthetic validation videos.

    Args:
        model: The network; it stays on its device, and is in evaluation mode afterwards.
        videos: Number of videos.
        config: Settings of the method that tracks.
        skeleton: The network's joints.
        frames: Of each video.
    """
    method = DetectAndTrack(model, skeleton, config, next(model.parameters()).device)
    truth, found = {}, {}
    for seed in tqdm(range(VALIDATION_SEEDS, VALIDATION_SEEDS + videos), "validation", delay=1, leave=False):
        film = random_film(seed, frames, config.short_side)
        truth[film.poses.sequence] = film.poses
        found[film.poses.sequence] = tracked(method, film, film.poses)
    return scores(truth, found)


def validate_annotated(
    model: MaskRcnn3d, sequences: list[AnnotatedSequence], config: Config, skeleton: Skeleton
) -> dict[str, float]:
    """mAP and MOTA, in percent, of a network on annotated videos; arguments otherwise as in `validate`.

    Args:
        model: The network.
        sequences: Of `ptfast.training.data.annotated_sequences.read_sequences`.
        config: Settings of the method that tracks.
        skeleton: The network's joints.
    """
    method = DetectAndTrack(model, skeleton, config, next(model.parameters()).device)
    truth, found = {}, {}
    for number, sequence in enumerate(tqdm(sequences, "validation", delay=1, leave=False)):
        name = f"{number:06d}"
        truth[name] = replace(sequence.poses, sequence=name)
        found[name] = tracked(method, (read_image(path) for path in sequence.paths), truth[name])
    return scores(truth, found)


def tracked(method: DetectAndTrack, frames: Iterable[np.ndarray], truth: Poses) -> Poses:
    """Tracks a video; the result has the names that the truth has."""
    return replace(method.track(frames), sequence=truth.sequence, frame_names=truth.frame_names)


def scores(truth: dict[str, Poses], found: dict[str, Poses]) -> dict[str, float]:
    """mAP and MOTA in percent."""
    result = evaluate(truth, found)
    return {"mAP": float(np.round(result.ap[-1], 3)), "MOTA": float(np.round(result.mota[-1], 3))}
