"""The people that an estimator finds in images of any sizes, and the Poses made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from ptfast._check import check_dtype, check_shape
from ptfast.io import Frame
from ptfast.ops import assign, oks_matrix, oks_nms
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses

BODY_SHARE = 0.53  # of its box's area that a person covers, about; COCO's evaluation of boxes alone takes it, too


@dataclass(frozen=True, eq=False)
class Found:
    """The people of one image, in its pixels.

    Attributes:
        keypoints: (P, K, 2) float32.
        joint_scores: (P, K) float32.
        boxes: (P, 4) float32 xyxy.
        scores: (P,) float32.
    """

    keypoints: np.ndarray
    joint_scores: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray

    @property
    def areas(self) -> np.ndarray:
        """(P,) float32 square pixels that people cover, about."""
        return np.float32(BODY_SHARE) * (self.boxes[:, 2:] - self.boxes[:, :2]).prod(1)

    def select(self, rows: np.ndarray) -> Found:
        """The people of `rows`, (Q,) indices or a (P,) bool mask."""
        return Found(*(getattr(self, item.name)[rows] for item in fields(Found)))

    def without_doubles(self, skeleton: Skeleton, max_oks: float) -> Found:
        """The people by descending score, without those whose OKS with a better one is over `max_oks`."""
        sigmas = np.array(skeleton.sigmas, np.float32)
        return self.select(oks_nms(self.keypoints, self.scores, self.areas, sigmas, max_oks))


def joined(parts: Sequence[Found]) -> Found:
    """The people of all parts, of which there is at least one."""
    return Found(*(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(Found)))


def merged(first: Found, second: Found, skeleton: Skeleton, min_oks: float) -> Found:
    """The people of two looks at one image, each once.

    The most similar are matched first, one to one, so that neighbours whom both looks tell apart stay apart however
    alike they are.

    Args:
        first: P people.
        second: Q people.
        skeleton: Their joints.
        min_oks: OKS under which two poses are not matched.

    Returns:
        Of a matched pair the pose with the higher score, and all whom one look alone has.
    """
    areas, sigmas = (first.areas, second.areas), np.array(skeleton.sigmas, np.float32)
    oks = oks_matrix(first.keypoints, second.keypoints, area=areas, sigmas=sigmas)
    pair = assign(1 - oks, max_cost=1 - min_oks, method="greedy")
    rows = np.flatnonzero(pair >= 0)
    better = first.scores[rows] >= second.scores[pair[rows]]
    worse, other = rows[~better], pair[rows[better]]
    ours, theirs = np.arange(len(first.scores)), np.arange(len(second.scores))
    return joined([first.select(~np.isin(ours, worse)), second.select(~np.isin(theirs, other))])


def nobody(joints: int) -> Found:
    """The people of an empty image."""
    shapes = ((0, joints, 2), (0, joints), (0, 4), (0,))
    return Found(*(np.zeros(shape, np.float32) for shape in shapes))


def poses_of(
    images: Sequence[np.ndarray | None], find: Callable[[list[np.ndarray]], list[Found]], skeleton: Skeleton
) -> Poses:
    """Poses of images of any sizes, by a function of images of one size.

    Args:
        images: (H, W, 3) uint8 RGB, or None for one that is lost, in which there is nobody.
        find: Gives the people of each of some images of one size.
        skeleton: Their joints.

    Raises:
        TypeError: An image is no NumPy array of uint8.
        ValueError: An image has another shape or no pixels.
    """
    check_images(images)
    frames = [nobody(len(skeleton))] * len(images)
    for places in by_shape(images):
        found = find([images[place] for place in places])  # type: ignore[misc]
        for place, people in zip(places, found, strict=True):
            frames[place] = people
    sizes = [(0, 0) if image is None else image.shape[1::-1] for image in images]
    return Poses.from_frames(
        [np.concatenate([frame.keypoints, frame.joint_scores[..., None]], 2) for frame in frames],
        skeleton=skeleton,
        scores=[frame.scores for frame in frames],
        boxes=[frame.boxes for frame in frames],
        frame_size=np.array(sizes, np.int64).reshape(-1, 2),
    )


def as_poses(found: Found, skeleton: Skeleton, features: Mapping[str, np.ndarray], visibility: int = 2) -> Poses:
    """The people of an image as Poses of a frame without a name.

    Args:
        found: P people.
        skeleton: Their joints.
        features: (P, ...) columns by name.
        visibility: Of all joints.
    """
    return Poses(
        keypoints=found.keypoints,
        frame_offsets=np.array([0, len(found.scores)]),
        skeleton=skeleton,
        joint_scores=found.joint_scores,
        joint_visibility=np.full(found.joint_scores.shape, visibility, np.uint8),
        boxes=found.boxes,
        scores=found.scores,
        features=features,
    )


def unlooked(boxes: np.ndarray, scores: np.ndarray, joints: int) -> Found:
    """Boxes (B, 4) with scores (B,) in which nobody looks for joints: all of these are 0."""
    return Found(
        np.zeros((len(boxes), joints, 2), np.float32), np.zeros((len(boxes), joints), np.float32), boxes, scores
    )


def is_seen(detected: np.ndarray, joint_scores: np.ndarray, min_propagated_score: float | None) -> np.ndarray:
    """(P,) bool, True for people whom the detector has found, or whose joints score enough in the mean.

    Args:
        detected: (P,) bool.
        joint_scores: (P, K) of all joints that the pose network gives.
        min_propagated_score: The mean score; None for any.
    """
    low = -np.inf if min_propagated_score is None else min_propagated_score
    seen: np.ndarray = detected | (joint_scores.mean(1) >= low)
    return seen


def as_frame(parts: Sequence[Poses], frame: Frame) -> Poses:
    """The poses of all parts, none of which names a frame, as those of a frame, under its name and number."""
    everyone = Poses.concatenate(parts)
    return replace(
        everyone,
        frame_offsets=np.array([0, len(everyone.scores)]),
        frame_names=(frame.name,),
        frame_ids=np.array([frame.index]),
        frame_size=np.array([frame.size]),
    )


def check_images(images: Sequence[np.ndarray | None]) -> None:
    """Raises TypeError or ValueError unless there are images (H, W, 3) uint8 with pixels, or None, in a sequence."""
    if isinstance(images, np.ndarray) and images.ndim < 4:
        raise TypeError(f"images must be a list of images (H, W, 3), got one array of shape {images.shape}")
    for place, image in enumerate(images):
        if image is None:
            continue
        name = f"images[{place}]"
        if not isinstance(image, np.ndarray):
            raise TypeError(f"{name} must be a NumPy array, got {type(image).__name__}")
        check_shape(name, image, ("H", "W", 3))
        check_dtype(name, image, ("uint8",))
        if not image.size:
            raise ValueError(f"{name} must have pixels, got shape {image.shape}")


def by_shape(images: Sequence[np.ndarray | None]) -> list[list[int]]:
    """Positions of the images that are there, those of one shape together."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for place, image in enumerate(images):
        if image is not None:
            groups.setdefault(image.shape, []).append(place)
    return [*groups.values()]
