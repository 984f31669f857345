"""Sliding windows over frames that come one by one, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ptfast.io import Frame


@dataclass(frozen=True, eq=False)
class Segment:
    """Consecutive frames of one size and the windows of T frames in them, each a frame after the one before.

    A frame's result is that of the window which has it in its centre. The first and the last frames of a shot, which
    are in no centre, take that of the nearest window. A shot shorter than T has its last frame again.

    Attributes:
        frames: The frames of len(frames) - T + 1 windows; one frame without an image stands alone.
        length: T.
        results: Positions of the frames that have not been given out before and are not given out after.
    """

    frames: list[Frame]
    length: int
    results: range

    @property
    def windows(self) -> int:
        """Number of windows."""
        return len(self.frames) - self.length + 1

    def place(self, frame: int) -> tuple[int, int]:
        """The window that a frame's result is taken from, and the frame's position in it."""
        window = min(max(frame - self.length // 2, 0), self.windows - 1)
        return window, frame - window


def without_padding(segment: Segment) -> list[Frame]:
    """A segment's frames, each once."""
    frames = segment.frames
    return [frame for place, frame in enumerate(frames) if place == 0 or frame.index > frames[place - 1].index]


def segments(frames: Iterable[Frame], length: int, max_windows: int) -> Iterator[Segment]:
    """Cuts a video into segments of at most `max_windows` windows.

    A frame that could not be decoded, has another size than the one before, or in windows of several frames does not
    follow that one, since frames between them are lost, begins a new shot. No window crosses the border of a shot.

    Args:
        frames: The video.
        length: T, odd.
        max_windows: Windows of a segment.

    Yields:
        Segments whose `results` are all frames of the video, once each and in order.
    """
    shot: list[Frame] = []
    first = True  # no segment of the shot has been given out
    for frame in frames:
        if shot and (frame.image is None or _is_apart(frame, shot[-1], length)):
            yield _segment(shot, length, first, True)
            shot, first = [], True
        if frame.image is None:
            yield Segment([frame], 1, range(1))
            continue
        shot.append(frame)
        # One frame more than the windows need tells that these are not the shot's last ones.
        if len(shot) == max_windows + length:
            yield _segment(shot[:-1], length, first, False)
            shot, first = shot[max_windows:], False
    if shot:
        yield _segment(shot, length, first, True)


def _is_apart(frame: Frame, before: Frame, length: int) -> bool:
    """Returns True if a frame belongs to another shot than the one before it, for windows of T = length."""
    other_size = frame.image.shape != before.image.shape  # type: ignore[union-attr]
    return other_size or (length > 1 and frame.index != before.index + 1)


def _segment(frames: list[Frame], length: int, first: bool, last: bool) -> Segment:
    """The segment of some frames of a shot, its first ones or its last ones or neither."""
    begin = 0 if first else length // 2
    end = len(frames) if last else len(frames) - length // 2
    padding = [frames[-1]] * (length - len(frames))
    return Segment([*frames, *padding], length, range(begin, end))


def frames_to_reread(sizes: Sequence[tuple[int, int]] | np.ndarray, length: int, max_windows: int) -> int:
    """Number of frames to read again so that `segments` goes on as if a video had not been interrupted.

    Reading begins with a segment of which all results are known, wherever the shot ends. What follows is then cut into
    the same segments, and so into the same batches, as without the interruption, and results are equal to the bit.

    Args:
        sizes: (F, 2) width and height of the first F frames, whose results are known; (0, 0) if not decoded.
        length: T, odd.
        max_windows: Windows of a segment.
    """
    shot, half = _last_shot(np.asarray(sizes, np.int64).reshape(-1, 2)), length // 2
    unfinished = (shot - half) // max_windows  # number of the segment that has the next frame's result
    longer = -(-half // max_windows)  # a shot's last segment has the results of so many more
    return shot - max(0, unfinished - longer - 1) * max_windows


def _last_shot(sizes: np.ndarray) -> int:
    """Number of frames of the shot that ends with the last of some frames; 0 if that was not decoded."""
    if not len(sizes) or not sizes[-1].any():
        return 0
    others = np.flatnonzero((sizes != sizes[-1]).any(1))
    return len(sizes) - 1 - int(others[-1]) if len(others) else len(sizes)


def runs(keys: Sequence[int], max_length: int) -> list[list[int]]:
    """Splits rising numbers into runs of consecutive ones, at most `max_length` long."""
    parts: list[list[int]] = []
    for key in keys:
        if parts and parts[-1][-1] + 1 == key and len(parts[-1]) < max_length:
            parts[-1].append(key)
        else:
            parts.append([key])
    return parts


def segment_around(frames: Sequence[Frame], keys: Sequence[int], length: int) -> tuple[Segment, int]:
    """The segment of windows of T = length frames around consecutive key frames, and the position of its first frame.

    Args:
        frames: Consecutive frames of one size.
        keys: Consecutive positions among them.
        length: T, odd.
    """
    first, last = max(0, keys[0] - length // 2), min(len(frames), keys[-1] + length // 2 + 1)
    first = max(0, min(first, last - length))
    last = min(len(frames), max(last, first + length))
    shown = list(frames[first:last])
    padding = [shown[-1]] * (length - len(shown))
    return Segment([*shown, *padding], length, range(keys[0] - first, keys[-1] - first + 1)), first
