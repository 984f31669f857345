"""Pairs of poses out of the rows of two Poses, checked, for the pose entailment network."""

from __future__ import annotations

import numpy as np
import torch

from ptfast._check import check_finite, check_index, check_shape
from ptfast._columns import frame_of_rows
from ptfast.models.camera_shift import camera_shifts
from ptfast.models.entailment_architecture import PoseEntailmentArchitecture
from ptfast.models.pose_pairs import PosePairs
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses


class PairColumns:
    """Columns of two Poses, and the pairs of their rows.

    Args:
        architecture: Of the network that reads them.
        skeleton: Its joints.
        earlier: N poses.
        current: M poses.
        pairs: (P, 2) int64 rows of the two.
        frames_apart: (P,) int64.
        shifts: (P, 2) by which the earlier poses are moved, or None.

    Attributes:
        pairs: (P, 2) int64.
        shifts: (P, 2) float32, or None.

    Raises:
        ValueError: As `PoseEntailment.match_scores`.
    """

    def __init__(
        self,
        architecture: PoseEntailmentArchitecture,
        skeleton: Skeleton,
        earlier: Poses,
        current: Poses,
        pairs: np.ndarray,
        frames_apart: np.ndarray,
        shifts: np.ndarray | None,
    ) -> None:
        earlier, current = earlier.numpy(), current.numpy()
        self.pairs, self.apart = checked_pairs(pairs, frames_apart, (earlier, current), architecture.delta)
        self.first = len(earlier.scores)  # row of the first current pose among those of both
        both = (("earlier", earlier), ("current", current))
        parts = [_columns(name, poses, skeleton) for name, poses in both]
        self.keypoints, self.visible, self.scores = (np.concatenate(column) for column in zip(*parts, strict=True))
        self.sizes = None if architecture.is_continuous else np.concatenate([_sizes(*each) for each in both])
        self.shifts = self._shifts(current, shifts) if architecture.camera_shift or shifts is not None else None

    def some(self, rows: slice) -> PosePairs:
        """The pairs of a slice."""
        poses = self.pairs[rows, ::-1] + [self.first, 0]  # the current one first
        keypoints = self.keypoints[poses]
        if self.shifts is not None:
            keypoints[:, 1] += self.shifts[rows, None]
        segments = np.stack([np.zeros_like(self.apart[rows]), self.apart[rows] - 1], 1)
        return self._tensors(keypoints, poses, segments, poses[:, 0])

    def distinct(self, rows: slice) -> tuple[PosePairs, np.ndarray]:
        """The distinct poses of a slice of pairs, and (R, 2) int64 which of them are current and earlier in each.

        A pose is another one at each distance in time.
        """
        count = len(self.keypoints)
        keys = self.pairs[rows, ::-1] + [self.first, 0]
        keys[:, 1] += (self.apart[rows] - 1) * count
        poses, index = np.unique(keys, return_inverse=True)
        alone = (poses % count)[:, None]
        segments = (poses // count)[:, None]
        return self._tensors(self.keypoints[alone], alone, segments, alone[:, 0]), index.reshape(keys.shape)

    def _tensors(self, keypoints: np.ndarray, poses: np.ndarray, segments: np.ndarray, sized: np.ndarray) -> PosePairs:
        columns = (keypoints, self.visible[poses], self.scores[poses], segments)
        places, visible, scores, ahead = map(torch.from_numpy, columns)
        size = None if self.sizes is None else torch.from_numpy(self.sizes[sized])
        return PosePairs(places, visible, scores, ahead, size)

    def _shifts(self, current: Poses, given: np.ndarray | None) -> np.ndarray:
        if given is not None:
            check_shape("shifts", given, ("P", 2), P=len(self.pairs))
            check_finite("shifts", given)
            return np.asarray(given, np.float32)
        centres = pose_centres(self.keypoints, self.visible)
        rows = self.pairs[:, 1]
        ways = centres[rows + self.first] - centres[self.pairs[:, 0]]
        frames = frame_of_rows(current.frame_offsets)[rows]
        return camera_shifts(ways, rows, frames * (self.apart.max(initial=0) + 1) + self.apart)


def checked_pairs(
    pairs: np.ndarray, frames_apart: np.ndarray, both: tuple[Poses, Poses], delta: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs and their distances in time, int64, whose rows exist in the two Poses."""
    pairs, frames_apart = np.asarray(pairs), np.asarray(frames_apart)
    for name, array in (("pairs", pairs), ("frames_apart", frames_apart)):
        if array.size and array.dtype.kind not in "iu":
            raise ValueError(f"{name} must be whole numbers, got {array.dtype}")
    check_shape("pairs", pairs, ("P", 2))
    check_shape("frames_apart", frames_apart, ("P",), P=len(pairs))
    for column, (name, poses) in enumerate(zip(("earlier", "current"), both, strict=True)):
        check_index(f"pairs[:, {column}]", pairs[:, column], len(poses.scores), f"the number of {name} poses")
    wrong = (frames_apart < 1) | (frames_apart > delta)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ValueError(
            f"frames_apart must be from 1 to the network's delta, {delta}, got {frames_apart[place]} at {place}"
        )
    return pairs.astype(np.int64), frames_apart.astype(np.int64)


def check_joints(name: str, found: Skeleton, wanted: Skeleton) -> None:
    """Raises ValueError unless two skeletons have the same joints in the same order."""
    if found.joints != wanted.joints:
        raise ValueError(
            f"{name} must have the network's joints, {wanted.name} ({', '.join(wanted.joints)}), "
            f"got {found.name} ({', '.join(found.joints)})"
        )


def pose_centres(keypoints: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """(N, 2) float32 means of the joints (N, K, 2) that are there; 0 where none is."""
    total = (keypoints * visible[..., None]).sum(1, dtype=np.float32)
    return total / np.maximum(visible.sum(1, keepdims=True), 1).astype(np.float32)


def _columns(name: str, poses: Poses, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joints (N, K, 2), 0 where absent, which of them are there (N, K), and their scores (N, K)."""
    check_joints(name, poses.skeleton, skeleton)
    visible = poses.joint_visibility > 0
    keypoints = np.where(visible[..., None], poses.keypoints, np.float32(0))
    scores = np.where(visible, poses.joint_scores, np.float32(0))
    check_finite(f"{name}.keypoints", keypoints)
    check_finite(f"{name}.joint_scores", scores)
    return keypoints, visible, scores


def _sizes(name: str, poses: Poses) -> np.ndarray:
    """(N, 2) float32 width and height of the frame of each pose."""
    if poses.frame_size is None:
        raise ValueError(
            f"{name} must have frame_size, as the network's positions are cells of the image, got None; "
            "dataclasses.replace(poses, frame_size=np.tile([width, height], (len(poses), 1))) gives it"
        )
    return np.repeat(poses.frame_size, np.diff(poses.frame_offsets), axis=0).astype(np.float32)
