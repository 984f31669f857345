"""What a matcher learns from: tracks of detections, and questions about who is the same person."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ptfast.ops import assign, pckh_matrix
from ptfast.structures import Poses, head_sizes
from ptfast.synthetic import detections, scene

MOST_STEPS = 4  # frames that a track may be unseen


@dataclass(frozen=True)
class Questions:
    """What a step asks: for every detection of every track, which detections of the next frames continue it.

    Attributes:
        sequences: (B, L) rows of the tracks' detections.
        steps: (B, L) frames from each detection's predecessor.
        place: (P,) which of the B * L states is asked.
        candidate: (P,) row of the candidate.
        ahead: (P,) how many frames later it is.
        answer: (P,) 1 if it is the same person, else 0.
    """

    sequences: Tensor
    steps: Tensor
    place: Tensor
    candidate: Tensor
    ahead: Tensor
    answer: Tensor


def questions_of(poses: Poses) -> Questions:
    """The questions of one video. A track asks from each of its detections about all detections of the frames up to its
    next one, at most MOST_STEPS ahead; after a longer gap it is another track.
    """
    frame = np.repeat(np.arange(len(poses)), np.diff(poses.frame_offsets))
    tracks = _split(poses.track_ids, frame)
    length = max((len(rows) for rows in tracks), default=1)
    sequences, steps = np.zeros((len(tracks), length), np.int64), np.ones((len(tracks), length), np.int64)
    places, candidates, ahead = [], [], []
    for number, rows in enumerate(tracks):
        sequences[number, : len(rows)] = rows
        gaps = np.diff(frame[rows])
        steps[number, 1 : len(rows)] = gaps
        for index, (row, gap) in enumerate(zip(rows, [*gaps, MOST_STEPS], strict=True)):
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


def identified(found: Poses, truth: Poses) -> Poses:
    """Detections with the ids of the annotated people that they are of.

    Args:
        found: Detections.
        truth: Annotated poses of the same frames, with ids.

    Returns:
        The detections; -1 for those that lie within half a head size of fewer than 40 % of anybody's common joints.
    """
    found, truth = found.numpy(), truth.numpy()
    ids, sizes = np.full(len(found.scores), -1, np.int64), head_sizes(truth).astype(np.float32)
    for frame in range(len(truth)):
        a = slice(*found.frame_offsets[frame : frame + 2])
        b = slice(*truth.frame_offsets[frame : frame + 2])
        visible = {"a_visible": found.joint_visibility[a], "b_visible": truth.joint_visibility[b]}
        share = pckh_matrix(found.keypoints[a], truth.keypoints[b], head_sizes=sizes[b], **visible)
        person = assign(1 - share, max_cost=0.6)
        ids[a] = np.where(person >= 0, np.append(truth.track_ids[b], -1)[person], -1)
    return found.with_track_ids(ids)


def synthetic_tracks(count: int, seed: int = 0, *, frames: int = 64) -> list[Poses]:
    """Identified detections of synthetic scenes with the seeds from `seed` on: two sizes, 3 to 10 people, moving
    cameras, 12 or 25 frames a second, and detectors from nearly perfect to mediocre. In half of the videos scores tell
    nothing, as after a high threshold.
    """
    tracks = []
    for number in range(seed, seed + count):
        rng = np.random.default_rng(number)
        truth = scene(
            number,
            frames=frames,
            people=int(rng.integers(3, 11)),
            size=((640, 360), (256, 256))[number % 2],
            fps=float(rng.choice([12.0, 25.0])),
            pan=float(rng.uniform(0, 6)),
            shake=float(rng.uniform(0, 0.2)),
        )
        jitter, miss, drop = rng.uniform((0.05, 0, 0), (0.22, 0.1, 0.05))
        found = identified(detections(truth, number, jitter=jitter, miss=miss, joint_drop=drop), truth)
        tracks.append(found if number // 2 % 2 else _sure(found, rng))
    return tracks


def _split(ids: np.ndarray, frame: np.ndarray) -> list[np.ndarray]:
    """Rows of every track, cut where it is not seen for more than MOST_STEPS frames."""
    tracks = []
    for number in np.unique(ids[ids >= 0]):
        rows = np.flatnonzero(ids == number)
        tracks += np.split(rows, np.flatnonzero(np.diff(frame[rows]) > MOST_STEPS) + 1)
    return tracks


def _sure(poses: Poses, rng: np.random.Generator) -> Poses:
    present = (poses.joint_visibility > 0).astype(np.float32)
    return replace(poses, joint_scores=present, scores=rng.uniform(0.95, 1, len(poses.scores)))
