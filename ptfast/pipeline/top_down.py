"""Top-down pose estimation: a person detector, a pose network in every box, and no person twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ptfast._check import check_number
from ptfast.io import Frame
from ptfast.pipeline.detectors import Boxes, Detector, settings_of
from ptfast.pipeline.people import Found, poses_of
from ptfast.pipeline.person_poses import PersonPoses
from ptfast.skeletons import COCO_17, Skeleton
from ptfast.structures import Poses

SEEN = 0.2  # a joint's score above which it counts for its person's (HRNet's public code)


class TopDown:
    """A person detector and a pose network as a one-shot estimator.

    A person's score is the box's times the mean score of the joints that are seen.

    Args:
        detector: Finds people.
        person_poses: Finds their joints.
        skeleton: Its joints.
        max_oks: Of two poses that are more alike, the one with the lower score is a double of the other.

    Raises:
        ValueError: max_oks is out of range.

    Example:
        >>> estimate = TopDown(load_detector("nanodet-g"), load_person_poses("movenet-thunder"))
        >>> poses = estimate([image])
    """

    def __init__(
        self, detector: Detector, person_poses: PersonPoses, skeleton: Skeleton = COCO_17, *, max_oks: float = 0.6
    ) -> None:
        check_number("max_oks", max_oks, 0, 1)
        self.detector, self.person_poses, self.skeleton, self.max_oks = detector, person_poses, skeleton, max_oks

    def __call__(self, images: Sequence[np.ndarray | None]) -> Poses:
        """Estimates the poses of all people in some images, as `MultiPose` does."""
        return poses_of(images, self.people, self.skeleton)

    def depends_on(self) -> dict[str, object]:
        """Settings that the results depend on, in JSON's types."""
        return {
            "detector": settings_of(self.detector),
            "person_poses": settings_of(self.person_poses),
            "max_oks": self.max_oks,
        }

    def people(self, images: Sequence[np.ndarray]) -> list[Found]:
        """The people of each of some images of one size."""
        frames = frames_of(images)
        found = in_boxes(self.person_poses, frames, self.detector(frames, range(len(frames))))
        return [people.without_doubles(self.skeleton, self.max_oks) for people in found]


def frames_of(images: Sequence[np.ndarray]) -> list[Frame]:
    """Images as the frames that detectors and pose networks take."""
    return [Frame(image, "", place) for place, image in enumerate(images)]


def in_boxes(person_poses: PersonPoses, frames: Sequence[Frame], boxes: Sequence[Boxes]) -> list[Found]:
    """The people of the boxes of each frame, all of which the pose network sees together."""
    counts = [len(scores) for _, scores in boxes]
    corners, scores = (np.concatenate(column).astype(np.float32) for column in zip(*boxes, strict=True))
    index = np.repeat(np.arange(len(frames)), counts)
    keypoints, joint_scores = (array[:, 0] for array in person_poses(frames, corners, index[:, None]))
    scores = scores * mean_seen(joint_scores)
    parts = np.split(np.arange(len(index)), np.cumsum(counts)[:-1])
    everyone = Found(keypoints, joint_scores, corners, scores.astype(np.float32))
    return [everyone.select(rows) for rows in parts]


def mean_seen(joint_scores: np.ndarray) -> np.ndarray:
    """(P,) mean scores of the joints that are seen, of (P, K)."""
    seen = joint_scores > SEEN
    return (joint_scores * seen).sum(1) / np.maximum(seen.sum(1), 1)
