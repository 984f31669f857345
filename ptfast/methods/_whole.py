"""What a method's stream gives for a whole video."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from ptfast.io import Video, open_video
from ptfast.structures import Poses


def gathered(stream: Callable[[Video], Iterator[Poses]], video: Video | str | Path | Iterable[np.ndarray]) -> Poses:
    """The poses of all frames together, under the video's name.

    Args:
        stream: Gives a video's poses, one frame each.
        video: A video, a path to one or to a folder of images, or (H, W, 3) uint8 RGB pictures.

    Raises:
        ValueError: The video has no frame.
    """
    opened = video if isinstance(video, Video) else open_video(video)
    frames = list(stream(opened))
    if not frames:
        raise ValueError(f"{opened.name}: expected at least one frame, found none")
    return replace(Poses.concatenate(frames), sequence=opened.name)
