"""One-shot pose estimators: images in, the poses of all people in them out, without a person detector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from ptfast._check import check_integer, check_number
from ptfast.io import Frame
from ptfast.models import MoveNet, People, decode_multipose
from ptfast.pipeline.captured import CapturedNetwork
from ptfast.pipeline.cores import one_a_core
from ptfast.pipeline.detectors import Boxes, checked, settings_of
from ptfast.pipeline.images import LONGEST_SIDE, padded
from ptfast.pipeline.people import Found, merged, nobody, poses_of
from ptfast.pipeline.precision import Precision, runs_in_bfloat16
from ptfast.skeletons import COCO_17, Skeleton
from ptfast.structures import Poses

OneShot = Callable[[Sequence[np.ndarray | None]], Poses]
"""Takes images (H, W, 3) uint8 RGB, or None for one that is lost; gives Poses of as many frames."""
# Sizes, and when to look again: benchmarks/tune_sizes.py measures other values on training images.
LONG_SIDES = (256, 640)  # of images that MultiPose sees: close-ups, and people at some distance
LARGEST = 1280
ENOUGH_MORE = 1.25  # times larger, for one more look
SMALL = 96  # pixels that the network sees of a person's longer side; smaller ones it often misses
GUESS = 0.05  # the score of who may be a person


@dataclass(frozen=True)
class MultiPoseSettings:
    """Settings of `MultiPose`.

    Attributes:
        long_side: Longer side of the images that the network sees, in pixels. Smaller images are enlarged. None
            chooses by what is seen: 256, then larger sizes for images in which people look small or nobody is.
        max_people: People of an image, at most.
        min_center_score: Score of a person's centre under which there is nobody.
        max_oks: Of two poses that are more alike, the one with the lower score is a double of the other.
        min_oks: People seen at two sizes of an image who are less alike are not the same.
        precision: "float32", "bfloat16", or "auto": bfloat16 where the device has instructions for it, which takes less
            time and moves joints a little.

    Raises:
        ValueError: A setting is out of range.
        TypeError: long_side or max_people is no integer.
    """

    long_side: int | None = None
    max_people: int = 100
    min_center_score: float = 0.05
    max_oks: float = 0.6
    min_oks: float = 0.2
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        if self.long_side is not None:
            check_integer("long_side", self.long_side, 32, LONGEST_SIDE)
        check_integer("max_people", self.max_people, 1)
        check_number("min_center_score", self.min_center_score, 0, 1)
        check_number("max_oks", self.max_oks, 0, 1)
        check_number("min_oks", self.min_oks, 0, 1)


class MultiPose:
    """A MoveNet with boxes as a one-shot estimator: one pass over an image finds all people and their joints.

    Args:
        model: The network.
        skeleton: Its joints.
        settings: How it runs.
        device: Where it runs.

    Raises:
        ValueError: The network has no boxes, or other joints than the skeleton.

    Example:
        >>> estimate = MultiPose(load_movenet_weights("movenet-multipose").model)
        >>> poses = estimate([image])
    """

    def __init__(
        self,
        model: MoveNet,
        skeleton: Skeleton = COCO_17,
        settings: MultiPoseSettings | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        if not model.architecture.boxes:
            raise ValueError("model must have boxes, as MoveNet MultiPose has, got one for a single person")
        if len(skeleton) != model.architecture.joints:
            raise ValueError(f"skeleton must have the model's {model.architecture.joints} joints, got {len(skeleton)}")
        self.skeleton, self.settings, self.device = skeleton, settings or MultiPoseSettings(), torch.device(device)
        if runs_in_bfloat16(self.settings.precision, self.device):
            model = deepcopy(model).bfloat16()  # the caller's keeps its weights
        self.model = model.to(self.device).eval()
        self._captured = CapturedNetwork(self.model)

    def __call__(self, images: Sequence[np.ndarray | None]) -> Poses:
        """Estimates the poses of all people in some images; those of one size go through the network together.

        Args:
            images: (H, W, 3) uint8 RGB, or None for one that is lost, in which there is nobody.

        Returns:
            Poses of as many frames, with the scores and boxes of people and the scores of joints, from 0 to 1, by
            descending score in a frame. Coordinates are pixels of the images.
        """
        return poses_of(images, self.people, self.skeleton)

    def depends_on(self) -> dict[str, object]:
        """Settings that the results depend on, in JSON's types."""
        return asdict(self.settings)

    def people(self, images: Sequence[np.ndarray]) -> list[Found]:
        """The people of each of some images of one size, seen at one size after the other while it is of use."""
        everyone, places = [nobody(len(self.skeleton))] * len(images), [*range(len(images))]
        for side in self._long_sides(images[0].shape[:2]):
            scale, seen = side / max(images[0].shape[:2]), places
            for place, found in zip(seen, self._seen([images[place] for place in seen], side), strict=True):
                everyone[place] = merged(everyone[place], found, self.skeleton, self.settings.min_oks)
                if not wants_larger(found, scale):
                    places = [other for other in places if other != place]
            if not places:
                break
        return [found.without_doubles(self.skeleton, self.settings.max_oks) for found in everyone]

    def _long_sides(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Longer sides at which the network may see images of `shape`, by size."""
        return long_sides(max(shape)) if self.settings.long_side is None else (self.settings.long_side,)

    @torch.inference_mode()
    def _seen(self, images: Sequence[np.ndarray], long_side: int) -> list[Found]:
        """The people of each of some images of one size, in its own pixels, doubles among them."""
        inputs, factor = padded(images, long_side)
        people = self._decoded(torch.from_numpy(inputs).to(self.device).permute(0, 3, 1, 2))
        return [in_image(each, factor) for each in people]

    def _decoded(self, inputs: torch.Tensor) -> list[People]:
        """The people of images (T, 3, H, W); on the CPU each goes by itself, so that it stays in the caches."""
        limits: dict[str, Any] = {"max_people": self.settings.max_people, "min_score": self.settings.min_center_score}
        if self.device.type != "cpu":
            return decode_multipose(self._captured(inputs), **limits)
        found = one_a_core(lambda image: decode_multipose(self.model(image), **limits), inputs.split(1))
        return [people for image in found for people in image]


def in_image(people: People, factor: np.ndarray) -> Found:
    """People in the pixels of an image, of which the network's have `factor` (2,) along x and y."""
    columns = (people.keypoints, people.joint_scores, people.boxes, people.scores)
    points, joint_scores, boxes, scores = (column.cpu().numpy() for column in columns)
    return Found(points * factor, joint_scores, boxes * np.tile(factor, 2), scores)


def long_sides(own: int) -> tuple[int, ...]:
    """Longer sides at which the network sees an image whose own is `own`: the last is that, if it is worth it."""
    return (*LONG_SIDES, min(own, LARGEST)) if own > ENOUGH_MORE * LONG_SIDES[-1] else LONG_SIDES


def wants_larger(found: Found, scale: float) -> bool:
    """Returns True if there may be people who are too small for the network at this size of an image.

    Args:
        found: Whom it sees, in pixels of the image.
        scale: Pixels that it sees of one of the image.
    """
    people = found.boxes[found.scores >= GUESS]
    longer = (people[:, 2:] - people[:, :2]).max(1, initial=0) * scale
    return not len(longer) or bool((longer < SMALL).any())


@dataclass(frozen=True)
class OneShotBoxes:
    """A one-shot estimator as a person detector: the boxes and scores of the people that it finds.

    Attributes:
        estimate: The estimator.
    """

    estimate: OneShot

    def __call__(self, frames: Sequence[Frame], keys: Sequence[int]) -> list[Boxes]:
        """Detects people in key frames, as a detector of `ptfast.pipeline.detectors`."""
        poses = self.estimate([frames[key].image for key in keys]).numpy()
        return [checked(frame.boxes, frame.scores) for frame in poses]

    def depends_on(self) -> object:
        """Settings that the results depend on, in JSON's types; None if the estimator does not say."""
        return settings_of(self.estimate)
