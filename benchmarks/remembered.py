"""Films with what networks have found in them, so that the rows of a study share it: only the rest is run for each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from ptfast.io import Frame
from ptfast.pipeline.detectors import Boxes, Detector
from ptfast.pipeline.flow import DenseFlow, FlowField, FlowImage
from ptfast.pipeline.person_poses import PersonPoses
from ptfast.synthetic import Film

DROPPED = 0.3  # share of the strong detector's boxes that the weak one misses


class Shown:
    """A film, drawn once, and the networks' results on it, each computed when it is first asked for.

    Args:
        film: The film.
        number: Its place among the films of a study, from which follows what the weak detector misses.
        detector: The strong one.
        person_poses: The pose network.
        frames: Number of its first frames that are shown; None for all.

    Attributes:
        images: (H, W, 3) uint8 of each frame.
        truth: Its people in these frames.
        detectors: The strong and the weak detector.
        person_poses: The pose network, which sees each box once.
    """

    def __init__(
        self, film: Film, number: int, detector: Detector, person_poses: PersonPoses, frames: int | None = None
    ) -> None:
        self._film = film
        self.truth = film.poses[:frames]
        self.images = [film.image(index) for index in range(len(self.truth))]
        strong = RememberedBoxes(detector)
        self.detectors = {"strong": strong, "weak": WithoutSome(strong, DROPPED, number)}
        self.person_poses = RememberedPoses(person_poses)

    @cached_property
    def true_flow(self) -> DenseFlow:
        """The renderer's flow from each frame to the next."""
        return DenseFlow(TrueFlow(self._film, self.images))


class RememberedBoxes:
    """A detector that looks at each frame of a video once.

    Args:
        detector: The detector.
    """

    def __init__(self, detector: Detector) -> None:
        self.frames = getattr(detector, "frames", 1)
        self._detector = detector
        self._known: dict[int, Boxes] = {}

    def __call__(self, frames: Sequence[Frame], keys: Sequence[int]) -> list[Boxes]:
        """The boxes of the key frames."""
        new = [key for key in keys if frames[key].index not in self._known]
        if new:
            found = self._detector(frames, new)
            self._known |= {frames[key].index: boxes for key, boxes in zip(new, found, strict=True)}
        return [self._known[frames[key].index] for key in keys]


class WithoutSome:
    """A detector that misses some of another one's boxes, by chance, the same ones whenever it is asked.

    Args:
        detector: The other one.
        share: How many of its boxes, 0 to 1.
        seed: Of the choice, with the frame's index.
    """

    def __init__(self, detector: Detector, share: float, seed: int) -> None:
        self.frames = getattr(detector, "frames", 1)
        self._detector, self._share, self._seed = detector, share, seed

    def __call__(self, frames: Sequence[Frame], keys: Sequence[int]) -> list[Boxes]:
        """The boxes of the key frames that are left."""
        kept = []
        for key, (boxes, scores) in zip(keys, self._detector(frames, keys), strict=True):
            chance = np.random.default_rng([self._seed, frames[key].index]).random(len(scores))
            kept.append((boxes[chance >= self._share], scores[chance >= self._share]))
        return kept


class RememberedPoses:
    """A pose network that looks into each box of a frame once.

    Args:
        person_poses: The network.
    """

    def __init__(self, person_poses: PersonPoses) -> None:
        self._person_poses = person_poses
        self._known: dict[tuple[int, bytes], tuple[np.ndarray, np.ndarray]] = {}

    def __call__(
        self, frames: Sequence[Frame], boxes: np.ndarray, frame_index: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Joints (M, 1, K, 2) and their scores (M, 1, K) in boxes (M, 4) of one frame each, frame_index (M, 1)."""
        keys = [(frames[f].index, box.tobytes()) for f, box in zip(frame_index[:, 0], boxes, strict=True)]
        new = [row for row, key in enumerate(keys) if key not in self._known]
        if new:
            found = zip(*self._person_poses(frames, boxes[new], frame_index[new]), strict=True)
            self._known |= {keys[row]: both for row, both in zip(new, found, strict=True)}
        keypoints, scores = zip(*(self._known[key] for key in keys), strict=True)
        return np.stack(keypoints), np.stack(scores)


class TrueFlow:
    """The renderer's flow as a `ptfast.pipeline.flow.Flow` of prepared images; an image is known by being the same.

    Args:
        film: The film.
        images: Its images, as they come in.
    """

    def __init__(self, film: Film, images: Sequence[np.ndarray]) -> None:
        self._film, self._images = film, images
        self._fields: dict[int, FlowField] = {}

    def prepare(self, image: np.ndarray) -> FlowImage:
        """The number of the frame."""
        number = next(number for number, own in enumerate(self._images) if own is image)
        return FlowImage(number, (image.shape[0], image.shape[1]))

    def between(self, first: FlowImage, second: FlowImage) -> FlowField:
        """The flow from a frame to the next one.

        Raises:
            ValueError: Another frame follows.
        """
        number = first.seen
        if second.seen != number + 1:
            raise ValueError(f"second must be frame {number + 1}, got {second.seen}: the flow to others is not known")
        if number not in self._fields:
            flow = self._film.frame(number, flow=True).flow
            assert flow is not None  # another frame follows
            self._fields[number] = FlowField(flow, first.size)
        return self._fields[number]
