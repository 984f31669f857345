"""Associations: costs between tracks, of which something is remembered, and the poses of the next frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np

from ptfast.structures import Poses

State = TypeVar("State")
Observation = TypeVar("Observation")


class Association(Protocol[State, Observation]):
    """Costs of giving poses to tracks, from a state that each track has.

    A state of this protocol is that of N tracks together, one row a track: tensors, arrays, or a list. `TrackLinker`
    only hands states on. A track's state is made of its newest pose and its state before, by `advance`; what is known
    of a frame's poses is computed once, by `observe`.
    """

    def observe(self, poses: Poses) -> Observation:
        """Reads the poses of one frame.

        Args:
            poses: M poses of one frame, of which there may be none, with whatever columns the caller's poses have.
        """
        ...

    def costs(self, states: State, observation: Observation, unseen: np.ndarray) -> np.ndarray:
        """Costs of every pair of a track and a pose.

        Args:
            states: The states of N tracks, N > 0.
            observation: M poses of one frame, M > 0.
            unseen: (N,) int64 frames since each track's newest pose, 1 where that stands in the frame before.

        Returns:
            (N, M) float32 or float64. +inf forbids a pair.
        """
        ...

    def advance(self, states: State, observation: Observation, previous: np.ndarray, steps: np.ndarray) -> State:
        """States after the poses of a frame were given to tracks.

        Args:
            states: The states of N tracks.
            observation: M poses of one frame.
            previous: (M,) int64 track that each pose continues, -1 for a new one.
            steps: (M,) int64 frames since that track's newest pose, 1 for a new one.

        Returns:
            The states of M tracks, whose newest poses are those of the frame.
        """
        ...

    def start(self) -> State:
        """Returns the states of no track at all."""
        ...

    def select(self, states: State, rows: np.ndarray) -> State:
        """Returns the states of some tracks, by their rows (R,) int64."""
        ...

    def concatenate(self, parts: Sequence[State]) -> State:
        """Returns the states of all parts' tracks, in order."""
        ...
