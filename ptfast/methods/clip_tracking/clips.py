"""Key frames of a video and the clips around them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ptfast.io import Frame
from ptfast.pipeline.windows import Segment, without_padding


def clip_index(frames: Sequence[Frame], key: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """The frames of the clip around a key frame.

    Args:
        frames: Frames of one shot, the last perhaps repeated.
        key: The key frame's position among them.
        length: |C|.

    Returns:
        (|C|,) int64 positions, the nearest of the shot where the clip sticks out of it, and (|C|,) bool, True where it
        does not.
    """
    wanted = np.arange(key - length // 2, key + length // 2 + 1)
    taken = wanted.clip(0, len(frames) - 1)
    there = [
        frames[place].index == frames[key].index + offset for place, offset in zip(taken, wanted - key, strict=True)
    ]
    return taken, np.array(there)


def key_frames(segment: Segment, step: int, reach: int) -> list[int]:
    """The positions of a segment's key frames.

    Every frame whose number the step divides is one, and so are a shot's first and last frame where none of those
    reaches them.

    Args:
        segment: Frames of a video.
        step: S, frames from one key frame to the next.
        reach: Frames on either side of a key frame that its clip holds.
    """
    frames = without_padding(segment)
    if frames[0].image is None:
        return []
    keys = {place for place in segment.results if frames[place].index % step == 0}
    begins, ends = segment.results.start == 0, segment.results.stop == len(frames)
    first, last = frames[0].index, frames[-1].index
    earliest, latest = -(-first // step) * step, last // step * step  # of the regular ones
    if begins and (earliest > first + reach or (ends and earliest > last)):
        keys.add(0)
    if ends and latest < last - reach and not (begins and last - first <= reach and 0 in keys):
        keys.add(len(frames) - 1)
    return sorted(keys)
