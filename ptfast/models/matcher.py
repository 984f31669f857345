"""LSTM that reads a track's history and gives the probability that a new detection continues it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ptfast._check import check_finite, check_integer, check_shape, is_tensor
from ptfast.models.observations import Observations, compare, describe
from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.structures import Poses


@dataclass(frozen=True)
class TrackStates:
    """States of N tracks.

    Attributes:
        hidden: (N, H) hidden state of the LSTM.
        cell: (N, H) cell state.
        last: The newest detection of each.
    """

    hidden: Tensor
    cell: Tensor
    last: Observations

    def __len__(self) -> int:
        return len(self.hidden)

    def __getitem__(self, rows: Tensor) -> TrackStates:
        """Rows by index or mask."""
        return TrackStates(self.hidden[rows], self.cell[rows], self.last[rows])

    @staticmethod
    def concatenate(parts: Sequence[TrackStates]) -> TrackStates:
        """All rows of the parts, in order."""
        columns = (torch.cat([part.hidden for part in parts]), torch.cat([part.cell for part in parts]))
        return TrackStates(*columns, Observations.concatenate([part.last for part in parts]))


class TrackMatcher(nn.Module):
    """Gives the probability that a detection continues a track, from all detections of the track so far.

    A detection is described by its box's coordinates in shares of the image, its joints relative to the box, its
    scores and, if wanted, appearance features. The LSTM reads, detection by detection, that and the displacement from
    the one before, in shares of the box. The head reads its state and the same of the candidate.

    Args:
        skeleton: The K joints that it reads. Poses of other skeletons are mapped by name.
        hidden: Units of the LSTM.
        appearance: Length A of the appearance features, 0 for none.

    Raises:
        ValueError: hidden is not positive, or appearance is negative.

    Source:
        Girdhar et al. 2018 (Detect-and-Track), section 3.1, "Likelihood metrics", whose LSTM reads the box alone.
    """

    def __init__(self, skeleton: Skeleton = POSETRACK_15, *, hidden: int = 64, appearance: int = 0) -> None:
        super().__init__()
        self.skeleton, self.joints = skeleton, len(skeleton)
        self.hidden = check_integer("hidden", hidden, 1)
        self.appearance = check_integer("appearance", appearance, 0)
        described = 7 + 4 * self.joints + self.appearance
        compared = 7 + 2 * self.joints + (self.appearance > 0)
        self.lstm = nn.LSTM(described + compared, self.hidden, batch_first=True)
        self.head = nn.Sequential(
            nn.Linear(self.hidden + described + compared, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1)
        )

    def observe(self, poses: Poses, features: Any = None) -> Observations:
        """Reads poses.

        Args:
            poses: N poses with frame_size. Scores count between 0 and 1.
            features: (N, A) appearance features of length 1, NumPy or torch, which are needed if A is not 0.

        Returns:
            Their observations, on the network's device.

        Raises:
            ValueError: frame_size is missing, the features do not fit, or a number is NaN or infinite.
        """
        poses = poses.numpy().to_skeleton(self.skeleton)
        count, device = len(poses.scores), next(self.parameters()).device
        if poses.frame_size is None:
            raise ValueError("poses must have frame_size, got None")
        if features is None:
            features = np.zeros((count, 0), np.float32)
        elif is_tensor(features):
            features = features.detach().cpu().numpy()
        check_shape("features", features, ("N", "A"), N=count, A=self.appearance)
        visible = poses.joint_visibility > 0
        keypoints = np.where(visible[..., None], poses.keypoints, np.float32(0))
        sizes = np.repeat(poses.frame_size, np.diff(poses.frame_offsets), axis=0)
        columns = {"boxes": poses.boxes, "keypoints": keypoints, "visible": visible, "joint_scores": poses.joint_scores}
        columns |= {"scores": poses.scores, "frame_size": sizes, "features": features}
        for name, column in columns.items():
            check_finite(name, column)
        return describe(
            **{name: torch.tensor(column, dtype=torch.float32, device=device) for name, column in columns.items()}
        )

    def start(self) -> TrackStates:
        """The states of no track at all."""
        nothing = next(self.parameters()).new_zeros((0, self.hidden))
        empty = [nothing.new_zeros(0, *shape) for shape in ((4,), (self.joints, 2), (self.joints,), (self.appearance,))]
        description = nothing.new_zeros(0, 7 + 4 * self.joints + self.appearance)
        return TrackStates(nothing, nothing, Observations(description, *empty))

    def logits(self, states: TrackStates, candidates: Observations, steps: Tensor) -> Tensor:
        """Log odds that each candidate continues each track.

        Args:
            states: N tracks.
            candidates: M detections of one frame.
            steps: (N,) frames since each track was last seen, at least 1.

        Returns:
            (N, M).
        """
        n, m = len(states), len(candidates)
        track = torch.arange(n, device=steps.device).repeat_interleave(m)
        one = torch.arange(m, device=steps.device).repeat(n)
        pairs = self.pair_logits(states.hidden[track], states.last[track], candidates[one], steps[track])
        return pairs.reshape(n, m)

    def pair_logits(self, hidden: Tensor, last: Observations, candidates: Observations, steps: Tensor) -> Tensor:
        """(P,) log odds of P pairs: states (P, H), the tracks' newest detections, candidates, steps (P,) between."""
        compared = compare(last, candidates, steps)
        return self.head(torch.cat([hidden, candidates.description, compared], 1)).squeeze(1)

    def advance(self, states: TrackStates, matched: Observations, previous: Tensor, steps: Tensor) -> TrackStates:
        """States after the detections of a frame were given to tracks.

        Args:
            states: N tracks.
            matched: M detections.
            previous: (M,) int64 the track that each continues, -1 for a new one.
            steps: (M,) frames since that track's newest detection; any number for a new one.

        Returns:
            The states of M tracks, whose newest detections are `matched`.
        """
        if len(matched) == 0:
            return self.start()
        known = (previous >= 0).unsqueeze(1)
        compared, hidden, cell = (
            states.hidden.new_zeros(len(matched), width)
            for width in (self.lstm.input_size - matched.description.shape[1], self.hidden, self.hidden)
        )
        if len(states):
            before = states[previous.clamp(min=0)]
            compared = torch.where(known, compare(before.last, matched, steps), compared)
            hidden, cell = torch.where(known, before.hidden, hidden), torch.where(known, before.cell, cell)
        inputs = torch.cat([matched.description, compared], 1).unsqueeze(1)
        _, (hidden, cell) = self.lstm(inputs, (hidden.unsqueeze(0), cell.unsqueeze(0)))
        return TrackStates(hidden[0], cell[0], matched)

    def read(self, observations: Observations, sequences: Tensor, steps: Tensor) -> Tensor:
        """The LSTM's states after every detection of whole tracks, for training.

        Args:
            observations: N detections.
            sequences: (B, L) int64 rows of each track's detections in order, and any row after a track's end.
            steps: (B, L) frames from each detection's predecessor. That of the first is not read.

        Returns:
            (B, L, H).
        """
        tracks, length = sequences.shape
        flat = sequences[:, :-1].flatten(), sequences[:, 1:].flatten()
        compared = compare(observations[flat[0]], observations[flat[1]], steps[:, 1:].flatten())
        compared = compared.reshape(tracks, length - 1, compared.shape[1])
        first = compared.new_zeros(tracks, 1, compared.shape[2])
        inputs = torch.cat([observations.description[sequences], torch.cat([first, compared], 1)], 2)
        return self.lstm(inputs)[0]
