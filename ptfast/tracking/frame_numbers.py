"""Numbers of frames as time: a gap of numbers is a gap in time, in units of the smallest step so far."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ptfast.structures import Poses


class FrameClock(NamedTuple):
    """Time of the newest frame of a stream. Frames without numbers are one step apart.

    Attributes:
        time: Steps so far, 1 at the first frame and 0 before it.
        number: The newest frame's number, None where frames have none.
        smallest: The smallest difference of two frames' numbers so far, None before the second frame.
    """

    time: int = 0
    number: int | None = None
    smallest: int | None = None

    def tick(self, poses: Poses) -> FrameClock:
        """Returns the time of the next frame.

        Args:
            poses: Poses of that one frame.

        Raises:
            ValueError: Its number does not rise, or it has a number and those before had none, or the reverse.
        """
        number = None if poses.frame_ids is None else int(poses.frame_ids[0])
        if self.time == 0:
            return FrameClock(1, number)
        if number is None and self.number is None:
            return FrameClock(self.time + 1)
        if number is None or self.number is None:
            raise ValueError(f"frame_ids must be there in every frame or in none, got {number} after {self.number}")
        if number <= self.number:
            raise ValueError(f"frame_ids must rise, got {number} after {self.number}; reset() starts another video")
        step = number - self.number
        smallest = step if self.smallest is None else min(step, self.smallest)
        whole, rest = divmod(step, smallest)
        return FrameClock(self.time + whole + (rest > smallest - rest), number, smallest)


def frame_steps(frame_ids: np.ndarray) -> np.ndarray:
    """Steps from each frame to the next, in units of the smallest so far and rounded, halves down.

    They are those of `FrameClock`. Numbers 5, 10, 15, 25 are 1, 1 and 2 steps apart.

    Args:
        frame_ids: (F,) int64 numbers.

    Returns:
        (F - 1,) uint64, none for F = 0; at least 1.

    Raises:
        ValueError: The numbers do not rise.
    """
    falls = np.flatnonzero(frame_ids[1:] <= frame_ids[:-1])
    if len(falls):
        at = int(falls[0]) + 1
        raise ValueError(f"frame_ids must rise, got {frame_ids[at]} after {frame_ids[at - 1]} at frame {at}")
    steps = np.diff(frame_ids.view(np.uint64))  # a difference of two int64 may be as large as that
    smallest = np.minimum.accumulate(steps)
    whole, rest = np.divmod(steps, smallest)
    return whole + (rest > smallest - rest)


def with_gaps(frame_offsets: np.ndarray, frame_ids: np.ndarray | None, lookback: int) -> tuple[np.ndarray, np.ndarray]:
    """A video's frames with one without anybody for each step that its numbers leave out.

    No gap gets more than `lookback` of them: as many keep its two sides apart.

    Args:
        frame_offsets: (F + 1,) int64.
        frame_ids: (F,) int64 numbers, or None where frames follow each other.
        lookback: Number of frames back that linking searches.

    Returns:
        (G + 1,) int64 offsets of the G frames, and the frame (G,) int64 of the video that each is; an added one has
        that of the frame after it.

    Raises:
        ValueError: The numbers do not rise.
    """
    frames = len(frame_offsets) - 1
    if frame_ids is None or frames < 2:
        return frame_offsets, np.arange(frames)
    missing = np.minimum(frame_steps(frame_ids) - np.uint64(1), np.uint64(lookback)).astype(np.int64)
    copies = np.concatenate([[1], missing + 1])
    return np.append(np.repeat(frame_offsets[:-1], copies), frame_offsets[-1]), np.repeat(np.arange(frames), copies)
