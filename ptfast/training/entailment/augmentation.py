"""Random changes of pairs of poses."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ptfast.skeletons import Skeleton
from ptfast.training.entailment.config import PairAugmentation

_NOISE = 0.12  # of scores, as `ptfast.synthetic.detections` has it
_WORST = 0.15  # move of a joint, in sizes of its pose, that leaves no score


@dataclass(frozen=True)
class PairArrays:
    """P pairs, the current pose first.

    Attributes:
        keypoints: (P, 2, K, 2) float32 pixels.
        visible: (P, 2, K) bool.
        joint_scores: (P, 2, K) float32.
        sizes: (P, 2) float32 longer side of each pose.
        frame_size: (P, 2) float32.
    """

    keypoints: np.ndarray
    visible: np.ndarray
    joint_scores: np.ndarray
    sizes: np.ndarray
    frame_size: np.ndarray


def augment(pairs: PairArrays, how: PairAugmentation, skeleton: Skeleton, rng: np.random.Generator) -> PairArrays:
    """Changes pairs at random: jitter and scores, lost joints, a shift, scale, mirror."""
    pairs = jitter(pairs, how.jitter, rng)
    pairs = lose_joints(cut(pairs, rng.random(len(pairs.sizes)) < how.cut, rng), how.lost, rng)
    pairs = shift(pairs, how.camera, rng)
    pairs = resize(pairs, np.exp(rng.uniform(-1, 1, len(pairs.sizes)) * np.log(how.scale)).astype(np.float32))
    return mirror(pairs, rng.random(len(pairs.sizes)) < how.mirror, skeleton)


def jitter(pairs: PairArrays, most: float, rng: np.random.Generator) -> PairArrays:
    """Moves joints. In half of the pairs their scores fall with the way that they have moved."""
    if most == 0:
        return pairs
    spread = rng.uniform(0, most, (len(pairs.sizes), 1, 1, 1)) * pairs.sizes[..., None, None]
    moves = (rng.standard_normal(pairs.keypoints.shape, np.float32) * spread).astype(np.float32)
    far = np.linalg.norm(moves, axis=3) / pairs.sizes[..., None]
    told = 1 - far / _WORST + rng.normal(0, _NOISE, far.shape)
    scored = (rng.random(len(told)) < 0.5)[:, None, None]
    scores = np.where(scored, pairs.joint_scores * np.clip(told, 0.02, 1), pairs.joint_scores)
    return replace(pairs, keypoints=pairs.keypoints + moves, joint_scores=scores.astype(np.float32))


def cut(pairs: PairArrays, which: np.ndarray, rng: np.random.Generator) -> PairArrays:
    """Hides, in the pairs where `which` (P,) is True, what lies beyond a line through one of the current pose's joints.

    The line stands still, as the image's edge or an obstacle does. A pose that would keep fewer than two joints keeps
    all.
    """
    angle = rng.uniform(0, 2 * np.pi, len(which))
    along = (pairs.keypoints * np.stack([np.cos(angle), np.sin(angle)], 1)[:, None, None]).sum(3)  # (P, 2, K)
    chosen = np.argmax(pairs.visible[:, 0] * rng.uniform(0.1, 1, pairs.visible[:, 0].shape), axis=1)
    level = along[np.arange(len(which)), 0, chosen]
    hidden = which[:, None, None] & (along > level[:, None, None])
    return replace(pairs, visible=_enough(pairs.visible & ~hidden, pairs.visible))


def lose_joints(pairs: PairArrays, most: float, rng: np.random.Generator) -> PairArrays:
    """Takes joints away; a pose that would keep fewer than two keeps all."""
    if most == 0:
        return pairs
    share = rng.uniform(0, most, (len(pairs.visible), 1, 1))
    kept = pairs.visible & (rng.random(pairs.visible.shape) >= share)
    return replace(pairs, visible=_enough(kept, pairs.visible))


def _enough(kept: np.ndarray, before: np.ndarray) -> np.ndarray:
    """(P, 2, K) bool: the joints kept, or those before of a pose that would keep fewer than two."""
    enough: np.ndarray = np.where(kept.sum(2, keepdims=True) < 2, before, kept)
    return enough


def shift(pairs: PairArrays, spread: float, rng: np.random.Generator) -> PairArrays:
    """Moves the earlier pose in half of the pairs, as a camera does."""
    moved = rng.normal(0, 1, (len(pairs.sizes), 2)) * (rng.random((len(pairs.sizes), 1)) < 0.5)
    keypoints = pairs.keypoints.copy()
    keypoints[:, 1] += (moved * spread * pairs.sizes[:, :1]).astype(np.float32)[:, None]
    return replace(pairs, keypoints=keypoints)


def resize(pairs: PairArrays, factor: np.ndarray) -> PairArrays:
    """Enlarges each pair by its factor (P,) about the image's centre."""
    centre = pairs.frame_size[:, None, None] / 2
    keypoints = centre + (pairs.keypoints - centre) * factor[:, None, None, None]
    return replace(pairs, keypoints=keypoints, sizes=pairs.sizes * factor[:, None])


def mirror(pairs: PairArrays, which: np.ndarray, skeleton: Skeleton) -> PairArrays:
    """Mirrors the pairs where `which` (P,) is True: x is turned round in the image, left and right joints swap."""
    order = np.arange(len(skeleton))
    for a, b in skeleton.flip_pairs:
        order[a], order[b] = b, a
    turned = pairs.keypoints[:, :, order]
    turned[..., 0] = pairs.frame_size[:, None, None, 0] - 1 - turned[..., 0]
    flat = which[:, None, None]
    return replace(
        pairs,
        keypoints=np.where(flat[..., None], turned, pairs.keypoints),
        visible=np.where(flat, pairs.visible[:, :, order], pairs.visible),
        joint_scores=np.where(flat, pairs.joint_scores[:, :, order], pairs.joint_scores),
    )
