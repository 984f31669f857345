"""rtmlib's models as person detectors, pose networks in boxes and one-shot pose estimators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ptfast._check import check_shape
from ptfast.interop._images import Boxes, bgr
from ptfast.interop._per_frame import PERSON
from ptfast.skeletons import COCO_17, Skeleton
from ptfast.structures import Poses

if TYPE_CHECKING:
    from ptfast.io import Frame


def detector_from_rtmlib(detector: Any) -> Callable[[Sequence[Frame], Sequence[int]], list[Boxes]]:
    """A person detector for `ptfast.pipeline`, of rtmlib's YOLOX, RTMDet or another of its detectors.

    Args:
        detector: The detector, `rtmlib.YOLOX(...)` say. Of one that tells classes, class 0 counts.

    Returns:
        A function of frames and the positions of key frames among them. It gives (N, 4) float32 xyxy pixels and (N,)
        float32 scores of each key frame. rtmlib keeps scores to itself: they are 1.
    """

    def detect(frames: Sequence[Frame], keys: Sequence[int]) -> list[Boxes]:
        found = [boxes_of(detector, bgr(frames[key].image)) for key in keys]  # type: ignore[arg-type]
        return [(boxes, np.ones(len(boxes), np.float32)) for boxes in found]

    return detect


def person_poses_from_rtmlib(
    model: Any, *, skeleton: Skeleton = COCO_17
) -> Callable[[Sequence[Frame], np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """A pose network in boxes for `ptfast.pipeline`, of rtmlib's RTMPose or ViTPose.

    Args:
        model: The model, `rtmlib.RTMPose(...)` say.
        skeleton: Its K joints.

    Returns:
        A function of frames, (M, 4) xyxy boxes and (M, T) positions among the frames. It gives (M, T, K, 2) float32
        keypoints and (M, T, K) float32 scores.

    Raises:
        ValueError: In use, if the model finds other joints than the skeleton's.
    """

    def estimate(frames: Sequence[Frame], boxes: np.ndarray, frame_index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        joints = np.zeros((*frame_index.shape, len(skeleton), 3), np.float32)
        for index in np.unique(frame_index):
            people, times = np.nonzero(frame_index == index)
            joints[people, times] = joints_in(model, bgr(frames[index].image), boxes[people], len(skeleton))
        return joints[..., :2].copy(), joints[..., 2].copy()

    return estimate


def one_shot_from_rtmlib(model: Any, *, skeleton: Skeleton = COCO_17) -> Callable[[Sequence[np.ndarray | None]], Poses]:
    """A one-shot estimator for `ptfast.pipeline` and `ptfast.methods.Online`, of rtmlib's Body or RTMO.

    A person's score is the mean of the joints', and the box is their extent, or Body's detector's. Where rtmlib's own
    call would take the whole image for a person, since the detector found none, there is nobody.

    Args:
        model: The model, `rtmlib.Body(...)` or `rtmlib.RTMO(...)` say.
        skeleton: Its K joints.

    Returns:
        A function of images (H, W, 3) uint8 RGB, or None for one that is lost. It gives `Poses` of as many frames.

    Raises:
        ValueError: In use, if the model finds other joints than the skeleton's.
    """

    def estimate(images: Sequence[np.ndarray | None]) -> Poses:
        found = [people_of(model, image, len(skeleton)) for image in images]
        return Poses.from_frames(
            [joints for joints, _ in found],
            skeleton=skeleton,
            scores=[joints[..., 2].mean(1) for joints, _ in found],
            boxes=[boxes for _, boxes in found],
            frame_size=np.array([(0, 0) if i is None else i.shape[1::-1] for i in images], np.int64).reshape(-1, 2),
        )

    return estimate


def people_of(model: Any, image: np.ndarray | None, joints: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, K, 3) x, y and score of joints, and (N, 4) xyxy boxes."""
    if image is None:
        return np.zeros((0, joints, 3), np.float32), np.zeros((0, 4), np.float32)
    detector = getattr(model, "det_model", None)
    if detector is not None:
        boxes = boxes_of(detector, bgr(image))
        return joints_in(model.pose_model, bgr(image), boxes, joints), boxes
    people = checked(model(bgr(image)), joints)
    people = people[(people[..., 2] > 0).any(1)]  # RTMO gives one person of zeros for nobody
    places = people[..., :2]
    return people, np.concatenate([places.min(1, initial=np.inf), places.max(1, initial=-np.inf)], 1)


def boxes_of(detector: Any, image: np.ndarray) -> np.ndarray:
    """(N, 4) float32 xyxy of the people in a BGR image."""
    found = detector(image)
    if isinstance(found, tuple):
        boxes, labels = found
        found = np.asarray(boxes)[np.asarray(labels) == PERSON]
    return np.asarray(found, np.float32).reshape(-1, 4)


def joints_in(model: Any, image: np.ndarray, boxes: np.ndarray, joints: int) -> np.ndarray:
    """(N, K, 3) x, y and score of joints in boxes (N, 4) of a BGR image. Without boxes, rtmlib would take all of it."""
    if len(boxes) == 0:
        return np.zeros((0, joints, 3), np.float32)
    return checked(model(image, bboxes=boxes), joints)


def checked(found: tuple[Any, Any], joints: int) -> np.ndarray:
    """(N, K, 3) of rtmlib's keypoints and scores, if there are K joints."""
    keypoints, scores = (np.asarray(part, np.float32) for part in found)
    check_shape("the model's keypoints", keypoints, ("N", "K", 2), K=joints)
    check_shape("the model's scores", scores, ("N", "K"), N=len(keypoints), K=joints)
    return np.concatenate([keypoints, scores[..., None]], 2)
