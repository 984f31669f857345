"""Tracklets as joining compares them, and its settings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast._check import check_finite, check_number, check_positive, check_threshold
from ptfast.ops.assignment import Matcher
from ptfast.structures import Tracklets


@dataclass(frozen=True)
class JoinSettings:
    """The arguments of `join_tracklets` and `OnlineJoiner`, checked."""

    min_similarity: float | None
    sigma_scale: float
    min_joint_score: float | None
    matcher: Matcher

    def __post_init__(self) -> None:
        if self.min_similarity is not None:
            check_number("min_similarity", self.min_similarity, 0, 1)
        check_positive("sigma_scale", self.sigma_scale)
        check_threshold("min_joint_score", self.min_joint_score)
        if self.matcher not in ("hungarian", "greedy"):
            raise ValueError(f"matcher must be 'hungarian' or 'greedy', got {self.matcher!r}")


@dataclass(frozen=True)
class Clips:
    """Tracklets as they are compared. Entry m * T + t is frame t of tracklet m.

    Attributes:
        keypoints: (M * T, K, 2) float32.
        visible: (M * T, K) bool, the joints that count, or None where all do.
        seen: (M * T,) float32, 1 where any joint counts, or None where that is so everywhere.
        areas: (M,) float32, the boxes' areas.
        sigmas: (K,) float32, scaled.
        length: T.
    """

    keypoints: np.ndarray
    visible: np.ndarray | None
    seen: np.ndarray | None
    areas: np.ndarray
    sigmas: np.ndarray
    length: int

    @staticmethod
    def of(tracklets: Tracklets, frames: int | None, settings: JoinSettings) -> Clips:
        """Tracklets of a video with so many frames, or of any number for None.

        Raises:
            ValueError: A box, or a joint that counts, is NaN or infinite.
        """
        m, t, k = tracklets.joint_scores.shape
        visible = _visible(tracklets, frames, settings.min_joint_score)
        keypoints = np.ascontiguousarray(tracklets.keypoints)
        # A sum is finite only if all its terms are, and needs no memory; joints that do not count may hold anything.
        with np.errstate(over="ignore", invalid="ignore"):
            finite = np.isfinite(keypoints.sum())
        if not finite:
            check_finite("keypoints", keypoints if visible is None else np.where(visible[..., None], keypoints, 0))
        check_finite("boxes", tracklets.boxes)
        size = tracklets.boxes[:, 2:] - tracklets.boxes[:, :2]
        seen = None if visible is None else _any_joint(visible.reshape(-1, k))
        return Clips(
            keypoints=keypoints.reshape(m * t, k, 2),
            visible=None if visible is None else visible.reshape(m * t, k),
            seen=None if seen is None or seen.all() else seen.astype(np.float32),
            areas=size[:, 0] * size[:, 1],
            sigmas=np.array(tracklets.skeleton.sigmas, np.float32) * np.float32(settings.sigma_scale),
            length=t,
        )


def _visible(tracklets: Tracklets, frames: int | None, min_joint_score: float | None) -> np.ndarray | None:
    """(M, T, K) bool, the joints of sufficient score inside the video, or None where all joints are."""
    shape = tracklets.joint_scores.shape
    frame = tracklets.first_frame[:, None] + np.arange(shape[1])
    inside = (frame >= 0) & (frame < (np.iinfo(np.int64).max if frames is None else frames))
    if min_joint_score is None:
        return None if inside.all() else np.broadcast_to(inside[..., None], shape)
    visible = np.ascontiguousarray(tracklets.joint_scores) >= np.float32(min_joint_score)
    if not inside.all():
        visible &= inside[..., None]
    return None if visible.all() else visible


def _any_joint(visible: np.ndarray) -> np.ndarray:
    """(E,) bool, entries with a visible joint, of (E, K). NumPy goes down long columns faster than along short rows."""
    seen = visible[:, 0].copy()
    for joint in range(1, visible.shape[1]):
        seen |= visible[:, joint]
    return seen
