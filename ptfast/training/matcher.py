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

from ptfast.models.matcher import TrackMatcher
from ptfast.structures import Poses
from ptfast.training.track_questions import questions_of, synthetic_tracks


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

    steps: int = 1200
    videos: int = 4
    length: int = 32
    learning_rate: float = 3e-3
    hidden: int = 64
    seed: int = 0


@dataclass(frozen=True)
class Example:
    """A video's tracks and, perhaps, appearance features (N, A)."""

    poses: Poses
    features: np.ndarray | None = None

    def window(self, length: int, rng: np.random.Generator) -> Example:
        """`length` frames from a random one on, or all of a shorter video."""
        first = int(rng.integers(max(len(self.poses) - length, 0) + 1))
        poses = self.poses[first : first + length]
        start = self.poses.frame_offsets[first]
        return Example(poses, None if self.features is None else self.features[start : start + len(poses.scores)])


def train_matcher(
    tracks: Sequence[Poses] | dict[str, Poses],
    config: MatcherConfig | None = None,
    *,
    features: Sequence[np.ndarray] | None = None,
) -> TrackMatcher:
    """Trains a matcher to tell the same person's next detection from all others of that frame.

    Args:
        tracks: Videos of one skeleton with track ids and frame_size: annotations, or detections with the ids of
            `track_questions.identified`, which are nearer to what will be linked. Poses without an id are nobody's.
        config: How; the default trains for about a minute on one processor core.
        features: For each video in order, (N, A) appearance features of its N poses, of length 1; None trains without.

    Returns:
        The matcher, in evaluation mode. The same arguments give the same weights on the same machine.

    Raises:
        ValueError: No video has a track, skeletons differ, or frame_size is missing.
    """
    config = config or MatcherConfig()
    parts = list(tracks.values()) if isinstance(tracks, dict) else list(tracks)
    looks = [None] * len(parts) if features is None else features
    videos = [Example(poses.numpy(), look) for poses, look in zip(parts, looks, strict=True)]
    videos = [video for video in videos if (video.poses.track_ids >= 0).any()]
    if not videos:
        raise ValueError("tracks must hold a pose with a track id, got none")
    skeletons = {video.poses.skeleton for video in videos}
    if len(skeletons) > 1:
        raise ValueError(f"tracks must share one skeleton, got {sorted(skeleton.name for skeleton in skeletons)}")
    appearance = 0 if videos[0].features is None else videos[0].features.shape[1]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        matcher = TrackMatcher(*skeletons, hidden=config.hidden, appearance=appearance)
    optimizer = torch.optim.Adam(matcher.parameters(), config.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    rng = np.random.default_rng(config.seed)
    for _ in range(config.steps):
        chosen = [videos[number] for number in rng.integers(len(videos), size=config.videos)]
        loss = matcher_loss(matcher, [video.window(config.length, rng) for video in chosen])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(matcher.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return matcher.eval()


def matcher_loss(matcher: TrackMatcher, videos: Sequence[Example]) -> Tensor:
    """Mean binary cross entropy of all questions that the videos pose; 0 if there are none."""
    logits, truth = zip(*(answers(matcher, video) for video in videos), strict=True)
    total = F.binary_cross_entropy_with_logits(torch.cat(logits), torch.cat(truth), reduction="sum")
    return total / max(sum(map(len, truth)), 1)


def answers(matcher: TrackMatcher, video: Example) -> tuple[Tensor, Tensor]:
    """Log odds (P,) that the candidates asked about are the same person, and (P,) 1 where they are, else 0."""
    asked = questions_of(video.poses)
    if not len(asked.answer):
        return asked.answer, asked.answer
    observed = matcher.observe(video.poses, video.features)
    states = matcher.read(observed, asked.sequences, asked.steps).flatten(0, 1)
    last = observed[asked.sequences.flatten()[asked.place]]
    return matcher.pair_logits(states[asked.place], last, observed[asked.candidate], asked.ahead), asked.answer


@torch.no_grad()
def matcher_figures(matcher: TrackMatcher, tracks: Sequence[Poses]) -> dict[str, float]:
    """Share of the videos' questions, the right answer to which is no, and that of those answered right, in percent."""
    logits, truth = zip(*(answers(matcher, Example(poses)) for poses in tracks), strict=True)
    same = torch.cat(truth) > 0
    right = (torch.cat(logits) > 0) == same
    return {name: round(100 * share.double().mean().item(), 2) for name, share in {"no": ~same, "right": right}.items()}


def save_matcher(matcher: TrackMatcher, path: Path, card: dict) -> None:
    """Writes weights as safetensors, and beside them, under the same name with .json, their card and architecture."""
    path.write_bytes(save(matcher.state_dict()))
    architecture = {"hidden": matcher.hidden, "appearance": matcher.appearance}
    card = {"skeleton": matcher.skeleton.name, "architecture": architecture, **card}
    path.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n")


if __name__ == "__main__":
    SCENES = 240
    torch.set_num_threads(1)
    trained = train_matcher(synthetic_tracks(SCENES))
    save_matcher(
        trained,
        Path(sys.argv[1]),
        {
            "data": f"detections of synthetic scenes, seeds 0 to {SCENES - 1}, by ptfast.training.matcher",
            "command": "python -m ptfast.training.matcher ptfast/pipeline/weights/matcher.safetensors",
            "seed": MatcherConfig().seed,
            "validation": {
                "data": "the same, 20 scenes, seeds from 8000000",
                "percent": matcher_figures(trained, synthetic_tracks(20, 8_000_000)),
            },
        },
    )
