"""Scores of a network of optical flow in training: its error on films that it has never seen."""

from __future__ import annotations

import numpy as np
from tqdm import tqdm

from ptfast.models import FlowNet2S
from ptfast.pipeline.flow import NetworkFlow
from ptfast.synthetic.splits import VALIDATION_SEEDS
from ptfast.training.flow.config import FlowConfig
from ptfast.training.flow.pairs import FRAMES, flow_film


def validate_flow(model: FlowNet2S, config: FlowConfig) -> dict[str, float]:
    """Endpoint errors of the flow between frames of synthetic validation films.

    Args:
        model: The network, in evaluation mode; it stays on its device.
        config: Of its training.

    Returns:
        Means over the pixels that can be seen in both frames, in pixels: "epe", the endpoint error, and "still", the
        length of the true flow, which is the error of no flow at all. "epe_people" and "still_people" are the same of
        people's pixels.
    """
    estimate = NetworkFlow(model, short_side=None, device=next(model.parameters()).device)
    errors, lengths, people = [np.zeros(0)], [np.zeros(0)], [np.zeros(0, bool)]
    seeds = range(VALIDATION_SEEDS, VALIDATION_SEEDS + config.validation_videos)
    for seed in tqdm(seeds, "validation", delay=1, leave=False):
        film = flow_film(seed, config)
        for frame in (0, FRAMES - 2):
            flow, known = film.flow(frame)
            found = estimate(film.image(frame), film.image(frame + 1))
            errors.append(np.linalg.norm(found - flow, axis=-1)[known])
            lengths.append(np.linalg.norm(flow, axis=-1)[known])
            people.append((film.owners(frame) >= 0)[known])
    return figures(np.concatenate(errors), np.concatenate(lengths), np.concatenate(people))


def figures(errors: np.ndarray, lengths: np.ndarray, people: np.ndarray) -> dict[str, float]:
    """Means of N pixels' errors (N,) and lengths of the true flow (N,), and of those that are people's, (N,) bool."""
    everywhere = np.ones_like(people)
    parts = {"epe": (errors, everywhere), "still": (lengths, everywhere)}
    parts |= {"epe_people": (errors, people), "still_people": (lengths, people)}
    return {
        name: round(float(values[kept].mean(dtype=np.float64)), 3) if kept.any() else 0.0
        for name, (values, kept) in parts.items()
    }
