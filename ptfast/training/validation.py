"""Scoring a network in training: it tracks synthetic videos that it has never seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tqdm import tqdm

from ptfast.evaluation.posetrack import evaluate
from ptfast.methods.detect_and_track import Config, DetectAndTrack
from ptfast.models import MaskRcnn3d
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses
from ptfast.synthetic.exam import VALIDATION_SEEDS
from ptfast.training.synthetic_clips import random_film

FRAMES = 32  # of a video


def validate(model: MaskRcnn3d, videos: int, config: Config) -> dict[str, float]:
    """mAP and MOTA, in percent, of a network on synthetic validation videos of 32 frames.

    Args:
        model: The network, in evaluation mode; it stays on its device.
        videos: How many.
        config: How it tracks.
    """
    device = next(model.parameters()).device
    method = DetectAndTrack(model, POSETRACK_15, config, device)
    truth, found = {}, {}
    for seed in tqdm(range(VALIDATION_SEEDS, VALIDATION_SEEDS + videos), "validation", delay=1, leave=False):
        film = random_film(seed, FRAMES, config.short_side)
        poses = method.track(film)
        truth[film.poses.sequence] = film.poses
        found[film.poses.sequence] = replace(poses, sequence=film.poses.sequence, frame_names=film.poses.frame_names)
    return scores(truth, found)


def scores(truth: dict[str, Poses], found: dict[str, Poses]) -> dict[str, float]:
    """mAP and MOTA in percent."""
    result = evaluate(truth, found)
    return {"mAP": float(np.round(result.ap[-1], 3)), "MOTA": float(np.round(result.mota[-1], 3))}
