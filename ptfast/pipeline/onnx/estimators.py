"""Networks of ONNX files as person detectors, pose networks in boxes and one-shot estimators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from ptfast._check import check_integer, check_number
from ptfast.io import Frame
from ptfast.models.images import IMAGE_MEAN, IMAGE_STD
from ptfast.ops import box_to_crop, crop_tubes
from ptfast.pipeline.detectors import Boxes, checked
from ptfast.pipeline.images import LONGEST_SIDE
from ptfast.pipeline.onnx.letterbox import letterboxed
from ptfast.pipeline.onnx.network import OnnxNetwork
from ptfast.pipeline.onnx.simcc import joints_of
from ptfast.pipeline.people import Found, poses_of
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses

ENLARGEMENT = 1.25  # of a box, as RTMPose was trained
CROPS = 16  # at a time


@dataclass(frozen=True)
class OnnxSettings:
    """Settings of detectors and one-shot estimators.

    Attributes:
        min_score: Score under which there is nobody. Some files have a limit of their own, which may be higher.
        overlap: IoU above which a person yields to a better one, in files that leave this to the reader.
        long_side: Longer side of the images that the network sees, in pixels, in files that leave it open.

    Raises:
        ValueError: A setting is out of range.
        TypeError: long_side is no integer.
    """

    min_score: float = 0.3
    overlap: float = 0.65
    long_side: int = 640

    def __post_init__(self) -> None:
        check_number("min_score", self.min_score, 0, 1)
        check_number("overlap", self.overlap, 0, 1)
        check_integer("long_side", self.long_side, 32, LONGEST_SIDE)


@dataclass(frozen=True)
class Format:
    """How to feed a network and read its outputs.

    Attributes:
        name: Whose networks have it, for messages.
        prepare: From (h, w, 3) uint8 RGB to (3, h, w), the network's input.
        decode: From an image's outputs, the input's (height, width) and the settings to what was found, in the input's
            pixels.
        centred: The image stands in the middle of the input, not in its upper left corner.
    """

    name: str
    prepare: Callable[[np.ndarray], np.ndarray]
    decode: Callable[[Mapping[str, np.ndarray], tuple[int, int], OnnxSettings], Found]
    centred: bool = False


def people_in(
    images: Sequence[np.ndarray], network: OnnxNetwork, format: Format, settings: OnnxSettings
) -> list[Found]:
    """What a network finds in each of some images (H, W, 3) uint8 RGB of any sizes, in the images' pixels."""
    boxed = [letterboxed(image, network.size, settings.long_side, centred=format.centred) for image in images]
    outputs = network([format.prepare(image) for image, _ in boxed])
    found = []
    for output, (image, placement) in zip(outputs, boxed, strict=True):
        height, width = image.shape[:2]
        people = format.decode(output, (height, width), settings)
        keypoints, boxes = placement.to_image(people.keypoints), placement.boxes_to_image(people.boxes)
        found.append(replace(people, keypoints=keypoints, boxes=boxes))
    return found


class OnnxDetector:
    """A person detector of an ONNX file. `load_onnx` makes it.

    Args:
        network: The network.
        format: How to feed it and read its outputs.
        settings: How it runs.
    """

    def __init__(self, network: OnnxNetwork, format: Format, settings: OnnxSettings) -> None:
        self.network, self.format, self.settings = network, format, settings

    def __call__(self, frames: Sequence[Frame], keys: Sequence[int]) -> list[Boxes]:
        """Detects people in key frames.

        Args:
            frames: Decoded frames.
            keys: Positions of the key frames among them.

        Returns:
            The boxes of each key frame. They may stick out of the image.
        """
        images = [frames[key].image for key in keys]
        found = people_in(images, self.network, self.format, self.settings)  # type: ignore[arg-type]
        return [checked(people.boxes, people.scores) for people in found]

    def depends_on(self) -> dict[str, object]:
        """Settings that the results depend on, in JSON's types."""
        return asdict(self.settings)


class OnnxOneShot:
    """A one-shot estimator of an ONNX file. `load_onnx` makes it.

    Args:
        network: The network.
        format: How to feed it and read its outputs.
        skeleton: Its joints.
        settings: How it runs.
    """

    def __init__(self, network: OnnxNetwork, format: Format, skeleton: Skeleton, settings: OnnxSettings) -> None:
        self.network, self.format, self.skeleton, self.settings = network, format, skeleton, settings

    def __call__(self, images: Sequence[np.ndarray | None]) -> Poses:
        """Estimates the poses of all people in some images.

        Args:
            images: (H, W, 3) uint8 RGB, or None for one that is lost, in which there is nobody.

        Returns:
            Poses of as many frames, with the scores and boxes of people and the scores of joints. Coordinates are
            pixels of the images.
        """
        return poses_of(images, self.people, self.skeleton)

    def people(self, images: Sequence[np.ndarray]) -> list[Found]:
        """The people of each of some images."""
        return people_in(images, self.network, self.format, self.settings)

    def depends_on(self) -> dict[str, object]:
        """Settings that the results depend on, in JSON's types."""
        return asdict(self.settings)


class OnnxPersonPoses:
    """A pose network of an ONNX file that sees crops of people, RTMPose. `load_onnx` makes it.

    Args:
        network: The network.
        skeleton: Its joints.

    Raises:
        ValueError: The size of the crops is left open.
    """

    def __init__(self, network: OnnxNetwork, skeleton: Skeleton) -> None:
        height, width = network.size
        if height is None or width is None:
            raise ValueError(f"{network.path}: expected an input of a fixed height and width, found {network.size}")
        self.network, self.skeleton, self.size = network, skeleton, (height, width)

    def __call__(
        self, frames: Sequence[Frame], boxes: np.ndarray, frame_index: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Estimates the joints of M people in T frames each.

        Args:
            frames: Frames of one size, all decoded.
            boxes: (M, 4) float32 xyxy pixels.
            frame_index: (M, T) int64 positions in `frames`.

        Returns:
            (M, T, K, 2) float32 keypoints in the frames' pixels and (M, T, K) float32 scores, which may be over 1.
        """
        shape = (*frame_index.shape, len(self.skeleton))
        keypoints, scores = np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32)
        if not scores.size:
            return keypoints, scores
        images = np.stack([frame.image for frame in frames if frame.image is not None])
        height, width = self.size
        regions = box_to_crop(np.asarray(boxes, np.float32), aspect=width / height, scale=ENLARGEMENT)
        for t in range(frame_index.shape[1]):
            for first in range(0, len(boxes), CROPS):
                some = slice(first, first + CROPS)
                keypoints[some, t], scores[some, t] = self._joints(images, regions[some], frame_index[some, t])
        return keypoints, scores

    def depends_on(self) -> dict[str, object]:
        """Settings that the results depend on, in JSON's types: there are none."""
        return {}

    def _joints(self, images: np.ndarray, regions: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N, K, 2) image pixels and (N, K) scores of regions (N, 4) of images (F, H, W, 3) with numbers (N,)."""
        tubes, numbers = regions[:, None], index[:, None]
        crops = crop_tubes(images, tubes, numbers, size=self.size, mean=IMAGE_MEAN, std=IMAGE_STD)
        outputs = self.network([*crops[:, :, 0]])
        return joints_of({name: np.stack([each[name] for each in outputs]) for name in outputs[0]}, regions)
