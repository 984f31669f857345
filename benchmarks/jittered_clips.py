"""Hypotheses as a clip network could give them for annotated poses: in overlapping windows, with errors by a rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ptfast.structures import Poses, Tracklets, head_sizes

JITTER = 0.15
GROWTH = 0.1
UNEVEN = 0.5
SLOWNESS = 0.8
MISS = 0.1
SCORE_NOISE = 0.12
JUMP_PENALTY = 0.2
GONE_SCORES = (0.0, 0.3)
ENLARGED = 1.25  # the crop's sides, as multiples of the box's


@dataclass(frozen=True)
class _Dense:
    """A sequence by person and frame; where a person is not annotated, the nearest frame in which he is stands in."""

    keypoints: np.ndarray  # (P, F, K, 2)
    joints: np.ndarray  # (P, F, K) bool, annotated joints; for nobody's frame those of the frame that stands in
    present: np.ndarray  # (P, F) bool, annotated there
    heads: np.ndarray  # (P, F) head sizes in pixels
    boxes: np.ndarray  # (P, F, 4)


def jittered_clips(
    truth: Poses,
    seed: int = 0,
    *,
    length: int = 9,
    step: int = 1,
    jitter: float = JITTER,
    shared: float = 0.5,
    jump: float = 0.1,
    confidence: Literal["expected", "actual"] = "expected",
) -> tuple[Tracklets, np.ndarray]:
    """Makes the tracklets that a clip network with errors might give for a sequence whose people are annotated.

    Every `step`-th frame is a key frame. Each person in it is detected, save one in ten at random, with the annotated
    box, and followed over the clip's frames. His joints there are the annotated ones with these errors:

    1. Jitter: the sum of two Gaussians in x and in y. One, with the share `shared` of the variance, is the same in all
       hypotheses of a joint in a frame, as errors of one network on one image are, and changes slowly, as images do:
       its correlation from frame to frame is 0.8. The other is each hypothesis' own, drawn anew in every frame, and a
       tenth wider for each frame off the key frame. Either has spreads that differ by a factor exp(z / 2), where z is
       standard normal, and as slow as the error: some joints are hard to see, and some hypotheses poor.
    2. Entanglement: on either side of the key frame, with probability `jump` for each joint, the joint passes on to
       somebody else: from a frame drawn uniformly from the key frame on to the clip's end it is the same joint of the
       person whose joint is nearest, with the same jitter, wherever one lies inside the crop (the box in the key frame
       and 25 %), and his own elsewhere.
    3. A joint's score is one minus the length of the jitter that its spreads lead one to expect, in head sizes, plus
       Gaussian noise of 0.12, less 0.2 where it is somebody else's (a network has some doubt), cut to 0.02 and 1. With
       confidence="actual" it is one minus the length that the jitter has: more than a network can know.
    4. In frames in which the person is not annotated the joints stay where they were in the nearest frame in which he
       is, with scores uniform between 0 and 0.3. Joints that are not annotated have score 0.

    Args:
        truth: An annotated sequence, with track ids.
        seed: The same seed gives the same tracklets.
        length: |C|, odd.
        step: S.
        jitter: Standard deviation at the key frame for z = 0, in head sizes.
        shared: Share of the variance that all hypotheses have in common.
        jump: Probability of an entanglement.
        confidence: Kind of scores: they tell the expected or the actual length of the jitter.

    Returns:
        The tracklets, shuffled within each key frame, and (M,) the true track id of each.
    """
    rng = np.random.default_rng(seed)
    dense, ids = _dense(truth), np.unique(truth.track_ids)
    frames = dense.present.shape[1]
    keys = np.flatnonzero(np.arange(frames) % step == 0)
    detected = dense.present[:, keys] & (rng.random((len(ids), len(keys))) >= MISS)
    person, key = (side.ravel() for side in np.nonzero(detected))
    order = np.lexsort((rng.random(len(key)), key))
    person, key = person[order], keys[key[order]]
    at = (key[:, None] + np.arange(length) - length // 2).clip(0, frames - 1)
    off = np.abs(np.arange(length) - length // 2)
    place, jumped = _entangled(dense, person, key, at, jump, rng)
    own = person[:, None]
    common = _errors(dense.joints.shape, jitter * np.sqrt(shared), SLOWNESS, rng)
    alone = _errors(jumped.shape, jitter * np.sqrt(1 - shared) * (1 + GROWTH * off)[:, None], 0, rng)
    error, spread = common[0][own, at] + alone[0], np.hypot(common[1][own, at], alone[1])
    length_of_error = np.linalg.norm(error, axis=-1) if confidence == "actual" else np.sqrt(np.pi / 2) * spread
    scores = 1 - length_of_error - JUMP_PENALTY * jumped
    scores = (scores + SCORE_NOISE * rng.standard_normal(scores.shape)).clip(0.02, 1)
    scores = np.where(dense.present[own, at][..., None], scores, rng.uniform(*GONE_SCORES, scores.shape))
    known = dense.joints[own, at]
    tracklets = Tracklets(
        keypoints=np.where(known[..., None], place + error * dense.heads[own, at][..., None, None], 0),
        joint_scores=np.where(known, scores, 0),
        first_frame=key - length // 2,
        skeleton=truth.skeleton,
        boxes=dense.boxes[person, key],
    )
    return tracklets, ids[person]


def _dense(truth: Poses) -> _Dense:
    ids, person = np.unique(truth.track_ids, return_inverse=True)
    frame = np.repeat(np.arange(len(truth)), np.diff(truth.frame_offsets))
    row = np.full((len(ids), len(truth)), -1)
    row[person, frame] = np.arange(len(frame))
    nearest = row.copy()
    for p, seen in enumerate(row >= 0):
        where = np.flatnonzero(seen)
        nearest[p] = row[p, where[np.abs(np.arange(len(truth))[:, None] - where).argmin(1)]]
    heads = head_sizes(truth)
    return _Dense(
        keypoints=truth.keypoints[nearest].astype(np.float64),
        joints=truth.joint_visibility[nearest] > 0,
        present=row >= 0,
        heads=heads[nearest],
        boxes=truth.boxes[nearest],
    )


def _errors(
    shape: tuple[int, ...], width: float | np.ndarray, slowness: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Errors (R, F, K, 2) in F frames, Gaussian with uneven spreads about a width, and those spreads (R, F, K)."""
    numbers = rng.standard_normal((3, *shape))
    for frame in range(1, shape[1]):
        numbers[:, :, frame] *= np.sqrt(1 - slowness**2)
        numbers[:, :, frame] += slowness * numbers[:, :, frame - 1]
    spread = width * np.exp(UNEVEN * numbers[2])
    return np.stack([spread * numbers[0], spread * numbers[1]], -1), spread


def _entangled(
    dense: _Dense, person: np.ndarray, key: np.ndarray, at: np.ndarray, jump: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(M, T, K, 2) joints without jitter, of the person or of somebody else, and (M, T, K) bool whose they are."""
    reach, joints = at.shape[1] // 2, dense.joints.shape[2]
    own = dense.keypoints[person[:, None], at]
    starts = rng.integers(0, reach + 1, (2, len(person), 1, joints))
    happens = rng.random(starts.shape) < jump
    time = np.arange(-reach, reach + 1)[:, None]
    away = (happens[0] & (time >= starts[0])) | (happens[1] & (-time >= starts[1]))
    box = dense.boxes[person, key].astype(np.float64)
    centre, half = (box[:, :2] + box[:, 2:]) / 2, ENLARGED * (box[:, 2:] - box[:, :2]) / 2
    best, place = np.full(away.shape, np.inf), own.copy()
    for other in range(len(dense.present)):
        theirs = dense.keypoints[other][at]
        inside = (np.abs(theirs - centre[:, None, None]) <= half[:, None, None]).all(-1)
        there = dense.joints[other][at] & dense.present[other][at][..., None] & (person != other)[:, None, None]
        distance = np.where(inside & there & away, np.linalg.norm(theirs - own, axis=-1), np.inf)
        nearer = distance < best
        best, place = np.where(nearer, distance, best), np.where(nearer[..., None], theirs, place)
    return place, np.isfinite(best)
