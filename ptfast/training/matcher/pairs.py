"""Pairs of a track and a detection of a later frame, labelled as the same person or not."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from ptfast._columns import frame_of_rows
from ptfast.structures import Poses

MAX_GAP = 4  # frames that a track may be unseen


@dataclass(frozen=True, eq=False)
class Pairs:
    """Tracks of a video and, after each detection of each of them, the detections of the next frames.

    Attributes:
        sequences: (B, L) int64 rows of the tracks' detections.
        steps: (B, L) int64 frames from each detection's predecessor.
        state: (P,) int64 index, out of B * L, of the detection after which the track is compared.
        candidate: (P,) int64 row of the detection that it is compared with.
        ahead: (P,) int64 frames from one to the other.
        labels: (P,) float32 1 for the same person, else 0.
    """

    sequences: Tensor
    steps: Tensor
    state: Tensor
    candidate: Tensor
    ahead: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> Pairs:
        """The pairs on a device."""
        return Pairs(*(getattr(self, field.name).to(device) for field in fields(self)))


def pairs_of(poses: Poses) -> Pairs:
    """Pairs of one video.

    A track is compared, after each of its detections, with all detections of the frames up to its next one, at most
    MAX_GAP ahead. After a longer gap it is another track.

    Args:
        poses: NumPy, with track ids; poses without an id are candidates alone.
    """
    frame = frame_of_rows(poses.frame_offsets)
    tracks = _split(poses.track_ids, frame)
    length = max((len(rows) for rows in tracks), default=1)
    sequences, steps = np.zeros((len(tracks), length), np.int64), np.ones((len(tracks), length), np.int64)
    states, candidates, ahead = [], [], []
    for number, rows in enumerate(tracks):
        sequences[number, : len(rows)] = rows
        gaps = np.diff(frame[rows])
        steps[number, 1 : len(rows)] = gaps
        for index, (row, gap) in enumerate(zip(rows, [*gaps, MAX_GAP], strict=True)):
            for distance in range(1, min(gap, len(poses) - 1 - frame[row]) + 1):
                first, last = poses.frame_offsets[frame[row] + distance :][:2]
                candidates.append(np.arange(first, last))
                states.append(np.full(last - first, number * length + index))
                ahead.append(np.full(last - first, distance))
    none = np.zeros(0, np.int64)
    state, candidate, distances = (np.concatenate([none, *part]) for part in (states, candidates, ahead))
    own = poses.track_ids[sequences.ravel()[state]] if len(state) else none
    same = (poses.track_ids[candidate] == own).astype(np.float32)
    return Pairs(*map(torch.from_numpy, (sequences, steps, state, candidate, distances, same)))


def _split(ids: np.ndarray, frame: np.ndarray) -> list[np.ndarray]:
    """Rows of every track, cut where it is not seen for more than MAX_GAP frames."""
    tracks = []
    for number in np.unique(ids[ids >= 0]):
        rows = np.flatnonzero(ids == number)
        tracks += np.split(rows, np.flatnonzero(np.diff(frame[rows]) > MAX_GAP) + 1)
    return tracks
