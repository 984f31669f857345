"""One-shot pose estimators: images in, the poses of all people in them out, without a person detector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import cv2
import numpy as np
import torch

from ptfast._check import check_integer, check_number
from ptfast.models import MoveNet, People, decode_multipose
from ptfast.ops import oks_nms
from ptfast.pipeline.images import fitted_size
from ptfast.pipeline.precision import Precision, runs_in_bfloat16
from ptfast.skeletons import COCO_17, Skeleton
from ptfast.structures import Poses

OneShot = Callable[[Sequence[np.ndarray | None]], Poses]
"""Takes images (H, W, 3) uint8 RGB, or None for one that is lost; gives Poses of as many frames."""
Found = tuple[np.ndarray, np.ndarray, np.ndarray]  # (P, K, 3) x, y and score, (P, 4) xyxy, (P,)
MULTIPLE = MoveNet.multiple
BODY_SHARE = 0.53  # of its box's area that a person covers, about; COCO's evaluation of boxes alone takes it, too


@dataclass(frozen=True)
class MultiPoseSettings:
    """Settings of `MultiPose`.

    Attributes:
        long_side: Longer side of the images that the network sees, in pixels. Smaller images are enlarged.
        max_people: People of an image, at most.
        min_center_score: Score of a person's centre under which there is nobody.
        max_oks: Of two poses that are more alike, the one with the lower score is a double of the other.
        precision: "float32", "bfloat16", or "auto": bfloat16 where the device has instructions for it, which takes less
            time and moves joints a little.

    Raises:
        ValueError: A setting is out of range.
        TypeError: long_side or max_people is no integer.
    """

    long_side: int = 640
    max_people: int = 100
    min_center_score: float = 0.05
    max_oks: float = 0.6
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        check_integer("long_side", self.long_side, 32)
        check_integer("max_people", self.max_people, 1)
        check_number("min_center_score", self.min_center_score, 0, 1)
        check_number("max_oks", self.max_oks, 0, 1)


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
        narrow = runs_in_bfloat16(self.settings.precision, self.device)
        self.model = model.to(self.device, torch.bfloat16 if narrow else torch.float32).eval()

    def __call__(self, images: Sequence[np.ndarray | None]) -> Poses:
        """Estimates the poses of all people in some images; those of one size go through the network together.

        Args:
            images: (H, W, 3) uint8 RGB, or None for one that is lost, in which there is nobody.

        Returns:
            Poses of as many frames, with the scores and boxes of people and the scores of joints, from 0 to 1, by
            descending score in a frame. Coordinates are pixels of the images.
        """
        frames = [_nobody(len(self.skeleton))] * len(images)
        for places in _by_shape(images):
            found = self._people([images[place] for place in places])  # type: ignore[misc]
            for place, people in zip(places, found, strict=True):
                frames[place] = people
        keypoints, boxes, scores = zip(*frames, strict=True) if frames else ((), (), ())
        sizes = [(0, 0) if image is None else image.shape[1::-1] for image in images]
        return Poses.from_frames(
            keypoints,
            skeleton=self.skeleton,
            scores=scores,
            boxes=boxes,
            frame_size=np.array(sizes, np.int64).reshape(-1, 2),
        )

    def depends_on(self) -> dict[str, object]:
        """Settings that the results depend on, in JSON's types."""
        return asdict(self.settings)

    @torch.inference_mode()
    def _people(self, images: Sequence[np.ndarray]) -> list[Found]:
        """The people of each of some images of one size."""
        inputs, factor = padded(images, self.settings.long_side)
        maps = self._maps(torch.from_numpy(inputs).to(self.device).permute(0, 3, 1, 2))
        limits = {"max_people": self.settings.max_people, "min_score": self.settings.min_center_score}
        return [self._without_doubles(people, factor) for people in decode_multipose(maps, **limits)]  # type: ignore[arg-type]

    def _maps(self, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
        """The network's maps of images (T, 3, H, W), on the CPU one by one: what is small stays in its caches."""
        parts = [self.model(part) for part in inputs.split(1 if self.device.type == "cpu" else len(inputs))]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def _without_doubles(self, people: People, factor: np.ndarray) -> Found:
        """An image's people in its own pixels, of which the network's have `factor` (2,) along x and y."""
        points, boxes = people.keypoints.cpu().numpy() * factor, people.boxes.cpu().numpy() * np.tile(factor, 2)
        scores, areas = people.scores.cpu().numpy(), BODY_SHARE * (boxes[:, 2:] - boxes[:, :2]).prod(1)
        keep = oks_nms(points, scores, areas, np.array(self.skeleton.sigmas, np.float32), self.settings.max_oks)
        keypoints = np.concatenate([points, people.joint_scores.cpu().numpy()[..., None]], 2)
        return keypoints[keep], boxes[keep], scores[keep]


def padded(images: Sequence[np.ndarray], long_side: int) -> tuple[np.ndarray, np.ndarray]:
    """Images at the size that the network sees, black beyond their right and lower sides up to multiples of 32.

    Args:
        images: T images (H, W, 3) uint8 of one size.
        long_side: Their longer side is to have so many pixels.

    Returns:
        (T, h, w, 3) uint8, and (2,) float32 pixels of an image in one of these, along x and y. Both are counted from
        the image's upper left corner, as the network was trained.
    """
    height, width = images[0].shape[:2]
    rows, columns = fitted_size((height, width), long_side, long_side)
    inputs = np.zeros((len(images), *(-(-side // MULTIPLE) * MULTIPLE for side in (rows, columns)), 3), np.uint8)
    interpolation = cv2.INTER_AREA if rows < height else cv2.INTER_LINEAR
    for place, image in zip(inputs, images, strict=True):
        place[:rows, :columns] = cv2.resize(image, (columns, rows), interpolation=interpolation)
    return inputs, np.array([width / columns, height / rows], np.float32)


def _by_shape(images: Sequence[np.ndarray | None]) -> list[list[int]]:
    """Positions of the images that are there, those of one shape together."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for place, image in enumerate(images):
        if image is not None:
            groups.setdefault(image.shape, []).append(place)
    return [*groups.values()]


def _nobody(joints: int) -> Found:
    return np.zeros((0, joints, 3), np.float32), np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
