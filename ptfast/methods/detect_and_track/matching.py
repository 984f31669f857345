"""Association of detections with tracks by the LSTM matcher, which keeps a state for every track."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ptfast._json import bad_value, decode
from ptfast.models.checkpoints import check_weights, read_tensors
from ptfast.models.matcher import Observations, TrackMatcher, TrackStates
from ptfast.pipeline.weights import path_of
from ptfast.skeletons import SKELETONS
from ptfast.structures import Poses

SHIPPED = path_of("matcher")


def load_matcher(weights: str | Path | None = None) -> TrackMatcher:
    """Reads a matcher and its card, the file of the same name with .json.

    Args:
        weights: A safetensors file; None takes the one that comes with ptfast, trained on synthetic scenes.

    Returns:
        The matcher, on the CPU and in evaluation mode.

    Raises:
        FileNotFoundError: The weights or the card are missing.
        ValueError: The card names no known skeleton or no architecture, or the weights are another's.
    """
    path = SHIPPED if weights is None else Path(weights)
    place = path.with_suffix(".json")
    card = decode(place.read_bytes(), dict[str, Any], place)
    skeleton, architecture = card.get("skeleton"), card.get("architecture")
    if not isinstance(skeleton, str) or skeleton not in SKELETONS or not isinstance(architecture, dict):
        raise ValueError(
            f"{place}: expected an architecture and one of the skeletons {sorted(SKELETONS)}, found {card}"
        )
    try:
        with torch.device("meta"):
            matcher = TrackMatcher(SKELETONS[skeleton], **architecture)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise bad_value(place, "architecture", "one that can be built", error) from None
    tensors = read_tensors(path)
    check_weights(path, tensors, matcher)
    matcher.to_empty(device="cpu").load_state_dict(tensors)
    return matcher.eval()


class MatcherAssociation:
    """Association of detections with tracks by an LSTM matcher, for `ptfast.tracking.TrackLinker`.

    A pair costs 1 - the probability that the detection continues the track, which the matcher reads from all of the
    track's detections so far. Training goes up to four frames between two detections of a track.

    Args:
        matcher: The network.
        feature: Name of the column of `Poses.features` that a matcher with appearance features reads: (N, A), of
            length 1.

    Example:
        >>> linker = TrackLinker(MatcherAssociation(load_matcher()), lookback=4, max_cost=0.9)

    Source:
        Girdhar et al. 2018 (Detect-and-Track), section 3.1, "Likelihood metrics".
    """

    def __init__(self, matcher: TrackMatcher, feature: str = "appearance") -> None:
        self.matcher, self.feature = matcher, feature

    @torch.no_grad()
    def observe(self, poses: Poses) -> Observations:
        """Reads the poses of one frame; ValueError where frame_size or features are missing or do not fit."""
        if self.matcher.appearance and self.feature not in poses.features:
            raise ValueError(f"poses must have features[{self.feature!r}], got features {[*poses.features]}")
        return self.matcher.observe(poses, poses.features[self.feature] if self.matcher.appearance else None)

    @torch.no_grad()
    def costs(self, states: TrackStates, observation: Observations, unseen: np.ndarray) -> np.ndarray:
        """(N, M) float64: 1 - the probability that each detection continues each track."""
        logits = self.matcher.logits(states, observation, self._tensor(unseen))
        return torch.sigmoid(-logits.double()).cpu().numpy()  # without rounding small ones away

    @torch.no_grad()
    def advance(
        self, states: TrackStates, observation: Observations, previous: np.ndarray, steps: np.ndarray
    ) -> TrackStates:
        """The LSTM's states after a frame's detections were given to tracks."""
        return self.matcher.advance(states, observation, self._tensor(previous), self._tensor(steps))

    def start(self) -> TrackStates:
        """The states of no track at all."""
        return self.matcher.start()

    def select(self, states: TrackStates, rows: np.ndarray) -> TrackStates:
        """The states of some tracks, by their rows."""
        return states[self._tensor(rows)]

    def concatenate(self, parts: Sequence[TrackStates]) -> TrackStates:
        """The states of all parts' tracks, in order."""
        return TrackStates.concatenate(parts)

    def _tensor(self, numbers: np.ndarray) -> Tensor:
        return torch.as_tensor(numbers, device=next(self.matcher.parameters()).device)
