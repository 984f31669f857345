"""Person detectors for the methods that want boxes first: ours, boxes of a file, or the caller's own function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ptfast._check import check_shape
from ptfast.io import Frame
from ptfast.methods._windows import Segment
from ptfast.methods.detect_and_track import DetectAndTrack
from ptfast.structures import Poses

Boxes = tuple[np.ndarray, np.ndarray]
"""(N, 4) float32 xyxy pixels and (N,) float32 scores."""

Detector = Callable[[Sequence[Frame], Sequence[int]], Sequence[Boxes]]
"""Takes consecutive frames of one size, all decoded, and which of them are key frames; gives the boxes of those.

One that looks at several frames has their number as `frames`, and is shown half of them on either side of a key frame,
if there are so many in the shot.
"""


def each_image(function: Callable[[np.ndarray], Boxes]) -> Detector:
    """A detector that looks at one picture at a time.

    Args:
        function: Takes (H, W, 3) uint8 red, green, blue; gives (N, 4) xyxy pixels and (N,) scores.

    Raises:
        ValueError: In use, if the function gives other shapes or boxes that are not finite.
    """

    def detect(frames: Sequence[Frame], keys: Sequence[int]) -> list[Boxes]:
        return [checked(*function(frames[key].image)) for key in keys]  # type: ignore[arg-type]

    return detect


def given_boxes(poses: Poses, *, sparse: bool = False) -> Detector:
    """A detector that knows the boxes already, such as those of `ptfast.read_poses` of a detections file.

    Args:
        poses: The video's boxes and scores. Frame f is the frame whose index in the video is f, also where reading
            begins later.
        sparse: There is nobody in frames after the last, which files that list detections alone, as MOT's, do not have.

    Raises:
        ValueError: In use, if the video has a frame that `poses` lacks, unless they are sparse.
    """
    host = poses.numpy()

    def boxes_of(index: int) -> Boxes:
        if index >= len(host) and not sparse:
            raise ValueError(f"poses must have boxes for every frame of the video, got {len(host)} frames")
        if index >= len(host):
            return checked([], [])
        rows = slice(host.frame_offsets[index], host.frame_offsets[index + 1])
        return checked(host.boxes[rows], host.scores[rows])

    return lambda frames, keys: [boxes_of(frames[key].index) for key in keys]


@dataclass(frozen=True)
class MaskRcnnDetector:
    """What `mask_rcnn` makes of a method."""

    method: DetectAndTrack

    @property
    def frames(self) -> int:
        """T, of the windows that it looks at."""
        return self.method.config.frames

    def __call__(self, frames: Sequence[Frame], keys: Sequence[int]) -> list[Boxes]:
        """The boxes of the key frames."""
        if self.frames == 1:  # then key frames far apart can go through the network together
            frames, keys = [frames[key] for key in keys], range(len(keys))
        found = []
        for part in runs(keys, self.method.config.batch):
            segment, first = around(frames, part, self.frames)
            windows = self.method.boxes(segment)
            for key in part:
                window, place = segment.place(key - first)
                boxes, scores = windows[window]
                found.append((boxes[:, place], scores))
        return found


def mask_rcnn(method: DetectAndTrack) -> MaskRcnnDetector:
    """The 2D or 3D Mask R-CNN of Detect-and-Track, without its joints and tracks.

    A key frame's boxes are those of the window that has it in its centre or, at the ends of a shot, of the nearest.
    """
    return MaskRcnnDetector(method)


def around(frames: Sequence[Frame], keys: Sequence[int], length: int) -> tuple[Segment, int]:
    """The segment of windows of T = length frames about consecutive key frames, and the index of its first frame."""
    first, last = max(0, keys[0] - length // 2), min(len(frames), keys[-1] + length // 2 + 1)
    first = max(0, min(first, last - length))
    last = min(len(frames), max(last, first + length))
    shown = list(frames[first:last])
    padding = [shown[-1]] * (length - len(shown))
    return Segment([*shown, *padding], length, range(keys[0] - first, keys[-1] - first + 1)), first


def runs(keys: Sequence[int], most: int) -> list[list[int]]:
    """Key frames in runs of consecutive ones, at most so many."""
    parts: list[list[int]] = []
    for key in keys:
        if parts and parts[-1][-1] + 1 == key and len(parts[-1]) < most:
            parts[-1].append(key)
        else:
            parts.append([key])
    return parts


def checked(boxes: ArrayLike, scores: ArrayLike) -> Boxes:
    """Boxes and scores as float32, if they fit together; without boxes that have no area, in which nobody can be."""
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
    there = (sides > 0).all(1)
    return boxes[there], scores[there]
