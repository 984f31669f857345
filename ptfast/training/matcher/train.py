"""Training of the LSTM matcher on tracks in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ptfast.models.matcher import TrackMatcher
from ptfast.structures import Poses
from ptfast.training.loop import train
from ptfast.training.matcher.config import MatcherConfig
from ptfast.training.matcher.recipe import matcher_task
from ptfast.training.matcher.windows import Windows


def train_matcher(
    tracks: Sequence[Poses] | dict[str, Poses],
    config: MatcherConfig | None = None,
    *,
    features: Sequence[np.ndarray] | None = None,
) -> TrackMatcher:
    """Trains a matcher to tell the same person's next detection from all others of that frame.

    Args:
        tracks: Videos of one skeleton with track ids and frame_size: annotations, or detections with the ids of
            `ptfast.training.matcher.identified`, which are nearer to those that will be linked. Poses without an id
            are nobody's.
        config: Settings of the run; the default trains for about a minute on one processor core.
        features: For each video in order, (N, A) appearance features of its N poses, of length 1; None trains without.

    Returns:
        The matcher, in evaluation mode. The same arguments give the same weights on the same machine.

    Raises:
        ValueError: No video has a track, skeletons differ, or frame_size is missing.
    """
    config = config or MatcherConfig()
    parts = [poses.numpy() for poses in (tracks.values() if isinstance(tracks, dict) else tracks)]
    windows = Windows(parts, config, features)
    skeletons = {poses.skeleton for poses, _ in windows.videos}
    if len(skeletons) > 1:
        raise ValueError(f"tracks must share one skeleton, got {sorted(skeleton.name for skeleton in skeletons)}")
    task = matcher_task(config, skeletons.pop(), 0 if features is None else features[0].shape[1])
    with torch.random.fork_rng(devices=[]):
        matcher, _ = train(task, windows, None, workers=0)
    return matcher.eval()
