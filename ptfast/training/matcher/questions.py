"""Questions about tracks of detections: is this detection of a later frame the same person?"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from ptfast._columns import frame_of_rows
from ptfast.structures import Poses

MAX_GAP = 4  # frames that a track may be unseen


@dataclass(frozen=True, eq=False)
class Questions:
    """For every detection of every track: which detections of the next frames continue it.

    Attributes:
        sequences: (B, L) rows of the tracks' detections.
        steps: (B, L) frames from each detection's predecessor.
        place: (P,) index of the state, out of B * L, that a question is about.
        candidate: (P,) row of the candidate.
        ahead: (P,) frames from the state's detection to the candidate.
        labels: (P,) float32 1 if it is the same person, else 0.
    """

    sequences: Tensor
    steps: Tensor
    place: Tensor
    candidate: Tensor
    ahead: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> Questions:
        """The questions on a device."""
        return Questions(*(getattr(self, field.name).to(device) for field in fields(self)))


def questions_of(poses: Poses) -> Questions:
    """Asks about one video.

    A track asks from each of its detections about all detections of the frames up to its next one, at most MAX_GAP
    ahead; after a longer gap it is another track.

    Args:
        poses: NumPy, with track ids; poses without an id are candidates alone.
    """
    frame = frame_of_rows(poses.frame_offsets)
    tracks = _split(poses.track_ids, frame)
    length = max((len(rows) for rows in tracks), default=1)
    sequences, steps = np.zeros((len(tracks), length), np.int64), np.ones((len(tracks), length), np.int64)
    places, candidates, ahead = [], [], []
    for number, rows in enumerate(tracks):
        sequences[number, : len(rows)] = rows
        gaps = np.diff(frame[rows])
        steps[number, 1 : len(rows)] = gaps
        for index, (row, gap) in enumerate(zip(rows, [*gaps, MAX_GAP], strict=True)):
            for distance in range(1, min(gap, len(poses) - 1 - frame[row]) + 1):
                first, last = poses.frame_offsets[frame[row] + distance :][:2]
                candidates.append(np.arange(first, last))
                places.append(np.full(last - first, number * length + index))
                ahead.append(np.full(last - first, distance))
    none = np.zeros(0, np.int64)
    place, candidate, distances = (np.concatenate([none, *part]) for part in (places, candidates, ahead))
    own = poses.track_ids[sequences.ravel()[place]] if len(place) else none
    same = (poses.track_ids[candidate] == own).astype(np.float32)
    return Questions(*map(torch.from_numpy, (sequences, steps, place, candidate, distances, same)))


def _split(ids: np.ndarray, frame: np.ndarray) -> list[np.ndarray]:
    """Rows of every track, cut where it is not seen for more than MAX_GAP frames."""
    tracks = []
    for number in np.unique(ids[ids >= 0]):
        rows = np.flatnonzero(ids == number)
        tracks += np.split(rows, np.flatnonzero(np.diff(frame[rows]) > MAX_GAP) + 1)
    return tracks
