"""Person detectors for the methods that want boxes first: boxes of a file, or the caller's own function."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from ptfast._check import check_shape
from ptfast.io import Frame
from ptfast.structures import Poses

Boxes = tuple[np.ndarray, np.ndarray]
"""(N, 4) float32 xyxy pixels and (N,) float32 scores."""

Detector = Callable[[Sequence[Frame], Sequence[int]], Sequence[Boxes]]
"""Takes consecutive frames of one size, all decoded, and the positions of the key frames; gives the boxes of those.

One that looks at several frames has their number as `frames`, and is shown half of them on either side of a key frame,
if there are so many in the shot. `ptfast.pipeline.mask_rcnn.MaskRcnn` is one.
"""


def each_image(function: Callable[[np.ndarray], Boxes]) -> Detector:
    """A detector that looks at one image at a time.

    Args:
        function: Takes (H, W, 3) uint8 red, green, blue; gives (N, 4) xyxy pixels and (N,) scores.

    Raises:
        ValueError: In use, if the function gives other shapes or boxes that are not finite.
    """

    def detect(frames: Sequence[Frame], keys: Sequence[int]) -> list[Boxes]:
        return [checked(*function(frames[key].image)) for key in keys]  # type: ignore[arg-type]

    return detect


def each_batch(function: Callable[[list[np.ndarray]], Sequence[Boxes]]) -> Detector:
    """A detector that looks at several images at a time.

    Args:
        function: Takes a list of images (H, W, 3) uint8 red, green, blue, of one size; gives (N, 4) xyxy pixels and
            (N,) scores of each.

    Raises:
        ValueError: In use, if the function gives results for another number of images, other shapes or boxes that are
            not finite.
    """

    def detect(frames: Sequence[Frame], keys: Sequence[int]) -> list[Boxes]:
        images = [frames[key].image for key in keys]
        found = [checked(*boxes) for boxes in function(images)] if images else []  # type: ignore[arg-type]
        if len(found) != len(images):
            raise ValueError(f"function must give boxes for each of {len(images)} images, got {len(found)}")
        return found

    return detect


class GivenBoxes:
    """A detector that knows the boxes already, as `given_boxes` makes it.

    Attributes:
        total: Number of boxes in all frames.
    """

    def __init__(self, poses: Poses, *, sparse: bool = False) -> None:
        self._poses, self._sparse = poses.numpy(), sparse
        ids = self._poses.frame_ids
        indices = np.arange(len(self._poses)) if ids is None or not sparse else ids - 1
        self._place = {index: f for f, index in enumerate(indices.tolist())}
        self.total = len(self._poses.boxes)

    def __call__(self, frames: Sequence[Frame], keys: Sequence[int]) -> list[Boxes]:
        """The boxes and scores of the key frames."""
        return [self._boxes_of(frames[key].index) for key in keys]

    def _boxes_of(self, index: int) -> Boxes:
        if index not in self._place:
            if not self._sparse:
                known = len(self._poses)
                raise ValueError(f"poses must have boxes for every frame of the video, got {known} frames")
            return checked([], [])
        start, end = self._poses.frame_offsets[self._place[index] :][:2]
        return checked(self._poses.boxes[start:end], self._poses.scores[start:end])


def given_boxes(poses: Poses, *, sparse: bool = False) -> GivenBoxes:
    """A detector that knows the boxes already, such as those of `ptfast.read_poses` of a detections file.

    Args:
        poses: The video's boxes and scores. Frame f is the frame whose index in the video is f, also where reading
            begins later.
        sparse: There is nobody in frames that are not there, as in MOT's files, which list detections alone and number
            frames from 1.

    Raises:
        ValueError: In use, if the video has a frame that `poses` lacks, unless they are sparse.
    """
    return GivenBoxes(poses, sparse=sparse)


def checked(boxes: ArrayLike, scores: ArrayLike) -> Boxes:
    """Boxes and scores as float32, if they fit together."""
    boxes, scores = np.asarray(boxes, np.float32), np.asarray(scores, np.float32)
    if boxes.size == 0:
        boxes = boxes.reshape(0, 4)
    check_shape("boxes", boxes, ("N", 4))
    check_shape("scores", scores, ("N",), N=len(boxes))
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        raise ValueError("boxes and scores must be finite, got NaN or infinity")
    sides = boxes[:, 2:] - boxes[:, :2]
    if (sides < 0).any():
        raise ValueError(f"boxes must be xyxy with x2 >= x1 and y2 >= y1, got {boxes[(sides < 0).any(1)][0].tolist()}")
    return boxes, scores


def settings_of(part: object) -> object:
    """What a part says that its results depend on; of a function of the caller's own nothing is known."""
    said = getattr(part, "depends_on", None)
    return None if said is None else said()
