"""Sliding windows over frames that come one by one, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ptfast.io import Frame


@dataclass(frozen=True, eq=False)
class Segment:
    """Consecutive frames of one size and the windows of T frames in them, each a frame after the one before.

    A frame's result is that of the window which has it in its centre; the first and the last frames of a shot, which
    are in no centre, take that of the nearest window. A shot shorter than T has its last frame again.

    Attributes:
        frames: The frames of len(frames) - T + 1 windows; one frame without an image stands alone.
        length: T.
        results: Which of the frames have not been given out before and are not given out after.
    """

    frames: list[Frame]
    length: int
    results: range

    @property
    def windows(self) -> int:
        """How many windows there are."""
        return len(self.frames) - self.length + 1

    def place(self, frame: int) -> tuple[int, int]:
        """The window that a frame's result is taken from, and its place in it."""
        window = min(max(frame - self.length // 2, 0), self.windows - 1)
        return window, frame - window


def segments(frames: Iterable[Frame], length: int, most: int) -> Iterator[Segment]:
    """Cuts a video into segments of at most `most` windows.

    A frame that could not be decoded, or has another size than the one before, begins a new shot; no window goes
    across.

    Args:
        frames: The video.
        length: T, odd.
        most: Windows of a segment.

    Yields:
        Segments whose `results` are all frames of the video, once each and in order.
    """
    shot: list[Frame] = []
    first = True  # no segment of the shot has been given out
    for frame in frames:
        cut = bool(shot) and (frame.image is None or frame.image.shape != shot[-1].image.shape)  # type: ignore[union-attr]
        if cut:
            yield segment(shot, length, first, True)
            shot, first = [], True
        if frame.image is None:
            yield Segment([frame], 1, range(1))
            continue
        shot.append(frame)
        # One frame more than the windows need tells that these are not the shot's last ones.
        if len(shot) == most + length:
            yield segment(shot[:-1], length, first, False)
            shot, first = shot[most:], False
    if shot:
        yield segment(shot, length, first, True)


def segment(frames: list[Frame], length: int, first: bool, last: bool) -> Segment:
    """The segment of some frames of a shot, its first ones or its last ones or neither."""
    begin = 0 if first else length // 2
    end = len(frames) if last else len(frames) - length // 2
    padding = [frames[-1]] * (length - len(frames))
    return Segment([*frames, *padding], length, range(begin, end))
