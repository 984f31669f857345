"""Linking by the LSTM matcher, which keeps a state for every track."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from ptfast._check import Array
from ptfast.models.matcher import Observations, TrackMatcher, TrackStates
from ptfast.ops import assign
from ptfast.pipeline.weights import path_of
from ptfast.skeletons import SKELETONS
from ptfast.structures import Poses
from ptfast.tracking import LinkSettings, Matcher
from ptfast.tracking.linking import filter_poses, with_ids

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
    card = json.loads(path.with_suffix(".json").read_text())
    if card.get("skeleton") not in SKELETONS or "architecture" not in card:
        wanted = f"an architecture and one of the skeletons {sorted(SKELETONS)}"
        raise ValueError(f"{path.with_suffix('.json')}: expected {wanted}, found {card}")
    matcher = TrackMatcher(SKELETONS[card["skeleton"]], **card["architecture"])
    try:
        matcher.load_state_dict(load_file(path))
    except RuntimeError as error:
        raise ValueError(f"{path}: expected the weights of {card['architecture']}, found {error}") from None
    return matcher.eval()


class MatcherLinker:
    """Gives poses track ids as frames come, by the probabilities of an LSTM matcher.

    Every frame's detections are matched with the tracks that were seen in the frame before; where `lookback` is more
    than 1 the rest are matched with those seen last two frames before, and so on. A pair costs 1 - the probability that
    the detection continues the track. A matched detection goes into its track's state; the others start tracks, with
    the next free ids in row order. It keeps the states of the last `lookback` frames' tracks and nothing else.

    Args:
        matcher: The network.
        matcher_method: "hungarian" (least total cost) or "greedy" (lowest cost first).
        lookback: How many frames back a track may have been seen last, at least 1; training goes up to 4.
        max_cost: Pairs that cost more are never made; None allows every pair.
        min_score: Poses with a lower score are dropped; None keeps all.
        min_joint_score: Joints with a lower score are marked absent; None keeps all.
        keep_filtered: Return all poses and joints as they came, those that were dropped with id -1.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> linker = MatcherLinker(load_matcher())
        >>> for frame_poses in stream:
        ...     tracked = linker.update(frame_poses)

    Source:
        Girdhar et al. 2018 (Detect-and-Track), section 3.1.
    """

    def __init__(
        self,
        matcher: TrackMatcher,
        *,
        matcher_method: Matcher = "hungarian",
        lookback: int = 1,
        max_cost: float | None = None,
        min_score: float | None = None,
        min_joint_score: float | None = None,
        keep_filtered: bool = False,
    ) -> None:
        self._settings = LinkSettings(
            cost="iou",  # unused: it is the network's
            matcher=matcher_method,
            lookback=lookback,
            motion="none",
            sigma_scale=1.0,
            max_cost=max_cost,
            min_score=min_score,
            min_joint_score=min_joint_score,
            max_tracks=None,
        )
        self._matcher, self._keep_filtered = matcher, keep_filtered
        self.reset()

    def reset(self) -> None:
        """Forgets all tracks; the next id is 0 again."""
        self._states = self._matcher.start()
        self._ids = np.zeros(0, np.int64)
        self._unseen = np.zeros(0, np.int64)  # frames since each track's newest detection, 1 for the frame before
        self._next = 0

    @torch.no_grad()
    def update(self, frame_poses: Poses, features: Array | None = None) -> Poses:
        """Links the next frame.

        Args:
            frame_poses: Poses of exactly one frame, perhaps of nobody, with frame_size.
            features: (N, A) appearance features of length 1 of all of them, for a matcher that reads some.

        Returns:
            The poses that were linked (all of them with keep_filtered), with track_ids.

        Raises:
            ValueError: It holds more or fewer frames than one, has no frame_size, or the features do not fit.
        """
        if len(frame_poses) != 1:
            raise ValueError(f"frame_poses must hold one frame, got {len(frame_poses)}")
        kept, rows = filter_poses(frame_poses.numpy(), self._settings.min_score, self._settings.min_joint_score)
        observed = self._matcher.observe(kept, None if features is None else features[rows])
        track = self._predecessors(observed)
        fresh = track < 0
        ids = np.append(self._ids, -1)[track]
        ids[fresh] = self._next + np.arange(fresh.sum())
        self._next += int(fresh.sum())
        self._remember(observed, track, ids)
        return with_ids(frame_poses, kept, rows, ids, self._keep_filtered)

    def _predecessors(self, observed: Observations) -> np.ndarray:
        """(M,) the track that each detection continues, or -1."""
        track = np.full(len(observed), -1, np.int64)
        if not len(observed) or not len(self._ids):
            return track
        logits = self._matcher.logits(self._states, observed, self._tensor(self._unseen))
        costs = torch.sigmoid(-logits.double()).cpu().numpy()  # 1 - probability, without rounding small ones away
        for distance in range(1, self._settings.lookback + 1):
            old, new = np.flatnonzero(self._unseen == distance), np.flatnonzero(track < 0)
            column = assign(costs[np.ix_(old, new)], max_cost=self._settings.max_cost, method=self._settings.matcher)
            track[new[column[column >= 0]]] = old[column >= 0]
        return track

    def _remember(self, observed: Observations, track: np.ndarray, ids: np.ndarray) -> None:
        """Keeps the states of this frame's tracks, and of those that may still be taken up."""
        steps = np.append(self._unseen, 1)[track]
        states = self._matcher.advance(self._states, observed, self._tensor(track), self._tensor(steps))
        lost = self._unseen < self._settings.lookback
        lost[track[track >= 0]] = False
        self._states = TrackStates.concatenate([states, self._states[self._tensor(np.flatnonzero(lost))]])
        self._ids = np.concatenate([ids, self._ids[lost]])
        self._unseen = np.concatenate([np.ones(len(ids), np.int64), self._unseen[lost] + 1])

    def _tensor(self, numbers: np.ndarray) -> Tensor:
        return torch.as_tensor(numbers, device=self._states.hidden.device)


def link_with_matcher(
    poses: Poses,
    matcher: TrackMatcher,
    *,
    features: Array | None = None,
    matcher_method: Matcher = "hungarian",
    lookback: int = 1,
    max_cost: float | None = None,
    min_score: float | None = None,
    min_joint_score: float | None = None,
    keep_filtered: bool = False,
) -> Poses:
    """Gives every pose of a video a track id by an LSTM matcher: `MatcherLinker` over its frames.

    Args:
        poses: The video's poses, NumPy or torch, with frame_size.
        matcher: The network.
        features: (N, A) appearance features of all poses, for a matcher that reads some.
        matcher_method: "hungarian" or "greedy".
        lookback: As in `MatcherLinker`, as are the next three.
        max_cost: Pairs that cost more are never made; None allows every pair.
        min_score: Poses with a lower score are dropped; None keeps all.
        min_joint_score: Joints with a lower score are marked absent; None keeps all.
        keep_filtered: Return all poses and joints as they came, those that were dropped with id -1.

    Returns:
        The poses that were linked (all of them with keep_filtered), with track_ids.

    Raises:
        ValueError: An argument is out of range, or frame_size is missing.
    """
    linker = MatcherLinker(
        matcher,
        matcher_method=matcher_method,
        lookback=lookback,
        max_cost=max_cost,
        min_score=min_score,
        min_joint_score=min_joint_score,
        keep_filtered=keep_filtered,
    )
    parts = []
    for frame in range(len(poses)):
        rows = slice(*poses.frame_offsets[frame : frame + 2])
        parts.append(linker.update(poses.frame(frame), None if features is None else features[rows]))
    return Poses.concatenate(parts) if parts else poses
