"""Training of the LSTM matcher on annotated tracks."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor
from torch.nn import functional as F

from ptfast.models.matcher import Observations, TrackMatcher
from ptfast.structures import Poses
from ptfast.training.track_questions import Questions, questions_of, synthetic_tracks


@dataclass(frozen=True)
class MatcherConfig:
    """How a matcher is trained.

    Attributes:
        steps: Steps of the optimiser.
        videos: Videos of a step.
        length: Frames of each that a step reads, from a random one on.
        learning_rate: Of Adam, at the start; it falls to 0 along a cosine.
        hidden: Units of the LSTM.
        seed: Of weights and sampling.
    """

    steps: int = 400
    videos: int = 4
    length: int = 32
    learning_rate: float = 3e-3
    hidden: int = 64
    seed: int = 0


def train_matcher(tracks: Sequence[Poses] | dict[str, Poses], config: MatcherConfig | None = None) -> TrackMatcher:
    """Trains a matcher to tell the same person's next detection from all others of that frame.

    Args:
        tracks: Videos of one skeleton with track ids and frame_size: annotations, or detections with the ids of
            `track_questions.identified`, which are nearer to what will be linked. Poses without an id are nobody, and only negatives.
        config: How; the default trains for about a minute on one processor core.

    Returns:
        The matcher, in evaluation mode. The same arguments give the same weights on the same machine.

    Raises:
        ValueError: No video has a track, skeletons differ, or frame_size is missing.
    """
    config = config or MatcherConfig()
    videos = [poses.numpy() for poses in (tracks.values() if isinstance(tracks, dict) else tracks)]
    videos = [poses for poses in videos if (poses.track_ids >= 0).any()]
    if not videos:
        raise ValueError("tracks must hold a pose with a track id, got none")
    if len({poses.skeleton for poses in videos}) > 1:
        raise ValueError(f"tracks must share one skeleton, got {sorted({poses.skeleton.name for poses in videos})}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        matcher = TrackMatcher(videos[0].skeleton, hidden=config.hidden)
    optimizer = torch.optim.Adam(matcher.parameters(), config.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    rng = np.random.default_rng(config.seed)
    for _ in range(config.steps):
        loss = matcher_loss(matcher, [_window(videos, config.length, rng) for _ in range(config.videos)])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(matcher.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return matcher.eval()


def matcher_loss(matcher: TrackMatcher, videos: Sequence[Poses]) -> Tensor:
    """Mean binary cross entropy of all questions that the videos pose; 0 if there are none."""
    asked = [questions_of(poses) for poses in videos]
    count = sum(len(q.answer) for q in asked)
    total = matcher.head[0].weight.new_zeros(())
    for poses, q in zip(videos, asked, strict=True):
        if len(q.answer):
            logits = answers(matcher, matcher.observe(poses), q)
            total = total + F.binary_cross_entropy_with_logits(logits, q.answer, reduction="sum")
    return total / max(count, 1)


def answers(matcher: TrackMatcher, observed: Observations, asked: Questions) -> Tensor:
    """(P,) log odds that the candidates asked about are the same person."""
    states = matcher.read(observed, asked.sequences, asked.steps).flatten(0, 1)
    last = observed[asked.sequences.flatten()[asked.place]]
    return matcher.pair_logits(states[asked.place], last, observed[asked.candidate], asked.ahead)


def save_matcher(matcher: TrackMatcher, path: Path, card: dict) -> None:
    """Writes weights as safetensors, and beside them, under the same name with .json, their card and architecture."""
    path.write_bytes(save(matcher.state_dict()))
    architecture = {"hidden": matcher.hidden, "appearance": matcher.appearance}
    card = {"skeleton": matcher.skeleton.name, "architecture": architecture, **card}
    path.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n")


def _window(videos: Sequence[Poses], length: int, rng: np.random.Generator) -> Poses:
    poses = videos[rng.integers(len(videos))]
    first = int(rng.integers(max(len(poses) - length, 0) + 1))
    return poses[first : first + length]


if __name__ == "__main__":
    SCENES = 120
    torch.set_num_threads(1)
    trained = train_matcher(synthetic_tracks(SCENES))
    save_matcher(
        trained,
        Path(sys.argv[1]),
        {
            "data": f"detections of synthetic scenes, seeds 0 to {SCENES - 1}, by ptfast.training.matcher",
            "command": "python -m ptfast.training.matcher matcher.safetensors",
            "seed": 0,
        },
    )
