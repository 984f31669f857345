"""A one-shot estimator and a top-down one together: who is found by both is looked at twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ptfast._check import check_number
from ptfast.ops import assign, iou_matrix, oks_matrix
from ptfast.pipeline.detectors import Boxes, Detector, settings_of
from ptfast.pipeline.one_shot import MultiPose
from ptfast.pipeline.onnx import OnnxOneShot
from ptfast.pipeline.people import Found, joined, poses_of
from ptfast.pipeline.person_poses import PersonPoses
from ptfast.pipeline.top_down import frames_of, in_boxes
from ptfast.structures import Poses


@dataclass(frozen=True)
class FusedSettings:
    """Settings of `Fused`.

    Attributes:
        min_score: People whom the first look finds with a lower score are left to the detector.
        min_overlap: A person and a detector's box of less IoU are not the same.
        max_overlap: A detector's box of more IoU with a person is theirs, even if another is more so.
        same: OKS from which on both networks' poses are of one person.
        other: OKS under which a pose of the second network is no neighbour's.
        max_oks: Of two poses that are more alike, the one with the lower score is a double of the other.

    Raises:
        ValueError: A setting is out of range.
    """

    min_score: float = 0.15
    min_overlap: float = 0.4
    max_overlap: float = 0.7
    same: float = 0.4
    other: float = 0.3
    max_oks: float = 0.6

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            check_number(name, value, 0, 1)


class Fused:
    """A one-shot network on the image, then a pose network on the box of everyone whom it or a person detector finds.

    The second look finds people that the first missed, and places joints better. Where it went for a neighbour, the
    first one's joints stay.

    Args:
        multipose: The first look: MultiPose, or another network of an ONNX file.
        detector: Finds people whom it misses.
        person_poses: The second look, with the same joints.
        settings: How both become one.
    """

    def __init__(
        self,
        multipose: MultiPose | OnnxOneShot,
        detector: Detector,
        person_poses: PersonPoses,
        settings: FusedSettings | None = None,
    ) -> None:
        self.multipose, self.detector, self.person_poses = multipose, detector, person_poses
        self.skeleton, self.settings = multipose.skeleton, settings or FusedSettings()

    def __call__(self, images: Sequence[np.ndarray | None]) -> Poses:
        """Estimates the poses of all people in some images, as `MultiPose` does."""
        return poses_of(images, self.people, self.skeleton)

    def depends_on(self) -> dict[str, object]:
        """Settings that the results depend on, in JSON's types."""
        parts = {"detector": settings_of(self.detector), "person_poses": settings_of(self.person_poses)}
        return self.multipose.depends_on() | parts | {"fusion": vars(self.settings)}

    def people(self, images: Sequence[np.ndarray]) -> list[Found]:
        """The people of each of some images of one size."""
        frames = frames_of(images)
        first = [people.select(people.scores >= self.settings.min_score) for people in self.multipose.people(images)]
        pairs = zip(first, self.detector(frames, range(len(frames))), strict=True)
        second = in_boxes(self.person_poses, frames, [boxes_to_see(*pair, self.settings) for pair in pairs])
        sigmas = np.array(self.skeleton.sigmas, np.float32)
        return [
            fused(seen, again, sigmas, self.settings).without_doubles(self.skeleton, self.settings.max_oks)
            for seen, again in zip(first, second, strict=True)
        ]


def boxes_to_see(seen: Found, boxes: Boxes, settings: FusedSettings) -> Boxes:
    """Boxes for the second look: one of each person of the first, in their order, then those that nobody has.

    A person's box is the detector's where it found them, else the first look's, with score 0.

    Args:
        seen: P people.
        boxes: The detector's.
        settings: Their overlaps.
    """
    corners, scores = boxes
    overlap = iou_matrix(seen.boxes, corners)
    pair = assign(1 - overlap, max_cost=1 - settings.min_overlap, method="greedy")  # (P,)
    paired = pair >= 0
    own, own_scores = seen.boxes.copy(), np.zeros(len(pair), np.float32)
    own[paired], own_scores[paired] = corners[pair[paired]], scores[pair[paired]]
    free = np.logical_and(~np.isin(np.arange(len(scores)), pair), overlap.max(0, initial=0) <= settings.max_overlap)
    return np.concatenate([own, corners[free]]), np.concatenate([own_scores, scores[free]])


def fused(seen: Found, again: Found, sigmas: np.ndarray, settings: FusedSettings) -> Found:
    """Both looks as one.

    A person whom the second look found again has the mean of both poses, weighted by the scores of the joints. Where
    it found nobody whom the first knows, and is surer, its pose counts. In a box that nobody has, it may have gone for
    somebody who is known by then; that pose does not count.

    Args:
        seen: P people.
        again: Q poses in the boxes of `boxes_to_see`, the first P in those of the same people.
        sigmas: (K,) of the joints.
        settings: What counts as the same person.
    """
    count = len(seen.scores)
    theirs, more = again.select(np.arange(count)), again.select(np.arange(count, len(again.scores)))
    near = oks_matrix(theirs.keypoints, seen.keypoints, area=theirs.areas, sigmas=sigmas)  # (P, P)
    own = near.diagonal().copy()
    np.fill_diagonal(near, 0)
    other = near.max(1, initial=0)
    same = (own >= settings.same) & (own >= other)
    surer = theirs.joint_scores.mean(1) > seen.joint_scores.mean(1)
    moved = ~same & (other < settings.other) & surer
    weight = theirs.joint_scores / np.maximum(theirs.joint_scores + seen.joint_scores, 1e-6)
    weight = np.where(same[:, None], weight, moved[:, None]).astype(np.float32)[..., None]
    best = np.maximum(seen.joint_scores, theirs.joint_scores)
    known = Found(
        keypoints=weight * theirs.keypoints + (1 - weight) * seen.keypoints,
        joint_scores=np.select([same[:, None], moved[:, None]], [best, theirs.joint_scores], seen.joint_scores),
        boxes=theirs.boxes,
        scores=np.maximum(seen.scores, theirs.scores),
    )
    new = oks_matrix(more.keypoints, known.keypoints, area=(more.areas, known.areas), sigmas=sigmas)
    return joined([known, more.select(new.max(1, initial=0) < settings.same)])
