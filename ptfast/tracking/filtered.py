"""Numbers of what the thresholds of linking drop."""

from __future__ import annotations

from dataclasses import dataclass

from ptfast.structures import Poses
from ptfast.tracking.linking import filter_poses
from ptfast.tracking.settings import MIN_JOINT_SCORE, MIN_SCORE


@dataclass(frozen=True)
class Filtered:
    """Numbers of the poses and joints that `link` drops before it links the rest.

    Attributes:
        poses: All poses.
        low_scores: Poses with joints and a score under min_score.
        low_joints: Poses all of whose joints are under min_joint_score.
        without_joints: Poses without joints from the start.
        joints: Joints of the poses that are left, those under min_joint_score among them.
        weak_joints: Those of them under min_joint_score.
    """

    poses: int
    low_scores: int
    low_joints: int
    without_joints: int
    joints: int
    weak_joints: int

    @property
    def left(self) -> int:
        """Number of poses that are linked."""
        return self.poses - self.low_scores - self.low_joints - self.without_joints


def count_filtered(
    poses: Poses, *, min_score: float | None = MIN_SCORE, min_joint_score: float | None = MIN_JOINT_SCORE
) -> Filtered:
    """Counts what `link` drops of a video's poses.

    Args:
        poses: The poses, NumPy or torch.
        min_score: As given to `link`.
        min_joint_score: As given to `link`.

    Example:
        >>> dropped = count_filtered(poses)
        >>> print(f"{dropped.left} of {dropped.poses} poses are linked")
    """
    _, with_joints = filter_poses(poses, None, None)
    _, high = filter_poses(poses, min_score, None)
    kept, keep = filter_poses(poses, min_score, min_joint_score)
    joints = int((poses.joint_visibility[keep] > 0).sum())
    with_joints, high, left = int(with_joints.sum()), int(high.sum()), int(keep.sum())
    return Filtered(
        poses=len(poses.scores),
        low_scores=with_joints - high,
        low_joints=high - left,
        without_joints=len(poses.scores) - with_joints,
        joints=joints,
        weak_joints=joints - int((kept.joint_visibility > 0).sum()),
    )
