"""The frames of a video, each with the boxes that a detector finds in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ptfast.io import Frame, Video
from ptfast.pipeline.detectors import Boxes, Detector, checked
from ptfast.pipeline.windows import frames_to_reread, segments, without_padding


def detected_frames(video: Video, detector: Detector, batch: int) -> Iterator[tuple[Frame, Boxes]]:
    """The frames one by one with the detector's boxes, of which a frame that is lost has none.

    Args:
        video: The video.
        detector: Finds people.
        batch: Frames that it sees at a time.

    Raises:
        ValueError: In use, if the detector gives boxes for another number of frames.
    """
    for segment in segments(video, window_of(detector), batch):
        frames, keys = without_padding(segment), [*segment.results]
        found: Sequence[Boxes] = [([], [])] if frames[0].image is None else detector(frames, keys)  # type: ignore[list-item]
        if len(found) != len(keys):
            raise ValueError(f"detector must give boxes for each of {len(keys)} frames, got {len(found)}")
        for key, boxes in zip(keys, found, strict=True):
            yield frames[key], checked(*boxes)


def detected_to_reread(sizes: np.ndarray, detector: Detector, batch: int, decoded: int) -> int:
    """Number of frames to read again so that the detector sees the same batches as without an interruption.

    Args:
        sizes: (F, 2) width and height of the first F frames, whose results are known; (0, 0) if not decoded.
        detector: Finds people.
        batch: Frames that it sees at a time.
        decoded: How many of the frames must have been decoded, where there are so many.
    """
    start = len(sizes) - frames_to_reread(sizes, window_of(detector), batch)
    while start and sizes[start:].any(1).sum() < decoded:
        start -= max(1, frames_to_reread(sizes[:start], window_of(detector), batch))
    return len(sizes) - start


def window_of(detector: Detector) -> int:
    """Number of frames that a detector looks at for the boxes of one."""
    return getattr(detector, "frames", 1)
