"""The protocol of a method: what a published system has, so that the command can run, interrupt and resume it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from ptfast.io import Video, open_video
from ptfast.pipeline.records import Record
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses

AHEAD = 8  # frames that are decoded while a method computes
R = TypeVar("R", bound=Record)


class Method(Protocol[R]):
    """A system in two stages: `detect` learns a record of each frame from its pixels, `link` makes tracks of records.

    R is the kind of its records: `Poses`, perhaps with feature columns, or `FrameTracklets`. What a method learns of a
    frame may depend on the records of the frames before it: on boxes that optical flow carries on, on poses that were
    recovered. README.md beside this file says how to add a method.
    """

    @property
    def skeleton(self) -> Skeleton:
        """The joints that it finds."""

    def detect(self, frames: Video | Iterable[np.ndarray], before: Sequence[R] = ()) -> Iterator[R]:
        """Stage 1: the records of a video's frames, one frame each, in order.

        Args:
            frames: A video, or (H, W, 3) uint8 RGB images.
            before: The records of the first len(before) frames, one frame each, which are known and not given again.
                Those that follow are equal to the ones of an uninterrupted run if there are as many as
                `frames_to_reread` says.
        """

    def link(self, records: Iterable[R]) -> Poses:
        """Stage 2: the poses of a whole video with track ids.

        Args:
            records: All records of the video in order, each of one frame or of several consecutive ones.
        """

    def stream(self, frames: Video | Iterable[np.ndarray]) -> Iterator[Poses]:
        """Both stages, frame by frame and in constant memory; gives what `link` gives of all records."""

    def track(self, video: Video | str | Path | Iterable[np.ndarray]) -> Poses:
        """`stream` of a whole video: `gathered` does it."""

    def frames_to_reread(self, sizes: np.ndarray) -> int:
        """Number of frames, of those whose records are stored, whose pixels are to be read again to go on after them.

        Args:
            sizes: (F, 2) width and height of all frames whose records are stored, from the video's first on; (0, 0)
                where a frame could not be decoded.
        """

    def depends_on(self) -> dict[str, object]:
        """The settings that records depend on, in JSON's types."""

    def count(self, record: R) -> int:
        """Number of people that there seem to be in a frame, for the progress bar."""


def gathered(stream: Callable[[Video], Iterator[Poses]], video: Video | str | Path | Iterable[np.ndarray]) -> Poses:
    """The poses of all frames together, under the video's name.

    Args:
        stream: Gives a video's poses, one frame each.
        video: A video, a path to one or to a folder of images, or (H, W, 3) uint8 RGB images.

    Raises:
        ValueError: The video has no frame.
    """
    opened = video if isinstance(video, Video) else open_video(video, ahead=AHEAD if _is_path(video) else 0)
    frames = list(stream(opened))
    if not frames:
        raise ValueError(f"{opened.name}: expected at least one frame, found none")
    return replace(Poses.concatenate(frames), sequence=opened.name)


def opened_video(frames: Video | Iterable[np.ndarray]) -> Video:
    """A video as it is, or one of the caller's images."""
    return frames if isinstance(frames, Video) else open_video(frames)


def _is_path(video: object) -> bool:
    """Returns True for what is decoded; the caller's images are taken one by one, when their turn comes."""
    return isinstance(video, (str, Path))
