"""Frames one after another: of a video file by OpenCV or torchcodec, of image files, of images in memory."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Sized
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from ptfast._check import check_dtype, check_shape
from ptfast._files import utf8_name
from ptfast.io.images import quiet, read_image

_PATIENCE = 50  # frames that may fail one after another before the video is held to have ended
_SLOWEST, _FASTEST = 0.01, 1000.0  # frames a second


class TimedImage(NamedTuple):
    """A frame as a reader gives it.

    Attributes:
        image: (H, W, 3) uint8 RGB; None where it could not be decoded.
        seconds: From the video's start; None where the source does not tell.
        number: Of the frame in its video, where some before it may be lost; None for the one after the last.
    """

    image: np.ndarray | None
    seconds: float | None = None
    number: int | None = None


class Reader(ABC):
    """Where a video's frames come from.

    Attributes:
        fps: Frames a second; None where the source has no rate.
        length: Frames of the whole source; None where it is not known.
        live: The source does not wait; frames are lost while nobody takes them.
        dropped: Number of frames that were lost in this way.
    """

    fps: float | None = None
    length: int | None = None
    live: bool = False
    dropped: int = 0

    @abstractmethod
    def read(self, first: int) -> Generator[TimedImage]:
        """The frames from number `first` on."""


class OpenCVFile(Reader):
    """A video file that OpenCV decodes; frames come upright, as the file's rotation says.

    Raises:
        ValueError: OpenCV cannot open it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with quiet:
            capture = self._opened()
            self.fps = rate(capture.get(cv2.CAP_PROP_FPS))
            count = positive(capture.get(cv2.CAP_PROP_FRAME_COUNT))
            capture.release()
        self.length = None if count is None else int(count)

    def read(self, first: int) -> Generator[TimedImage]:
        """The frames from `first` on, which are counted from the start; earlier ones are not converted."""
        with quiet:
            capture = self._opened()
        index, failed = 0, 0
        try:
            while failed < _PATIENCE:
                there, image = capture.read() if index + failed >= first else (capture.grab(), None)
                if not there:
                    failed += 1
                    continue
                yield from (TimedImage(None) for _ in range(max(index, first), index + failed))
                index, failed = index + failed, 0
                if index >= first:
                    seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                    yield TimedImage(None if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB), seconds)
                index += 1
        finally:
            capture.release()

    def _opened(self) -> cv2.VideoCapture:
        # FFmpeg's own messages, which come from its threads, are off unless the user has set a level.
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        capture = None
        if not _is_text(self._path):
            with utf8_name(self._path) as name:
                capture = cv2.VideoCapture(name)
        if capture is None or not capture.isOpened():
            raise unreadable(self._path, "OpenCV")
        return capture


class TorchcodecFile(Reader):
    """A video file that torchcodec decodes on the CPU, its frames counted by a scan of the file.

    Raises:
        ValueError: torchcodec cannot open it.
        ImportError, OSError, RuntimeError: torchcodec is absent, or FFmpeg's libraries are.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._decoders: Any = import_module("torchcodec.decoders")
        metadata = self._opened().metadata
        self.fps = rate(metadata.average_fps)
        self.length = metadata.num_frames_from_header or metadata.num_frames
        self._held = metadata.num_frames_from_content or self.length or 0

    def read(self, first: int) -> Generator[TimedImage]:
        """The frames from `first` on, which are counted from the start."""
        decoder = self._opened()
        for index in range(first, self._held):
            try:
                frame = decoder.get_frame_at(index)
            except RuntimeError:
                yield TimedImage(None)
            else:
                yield TimedImage(frame.data.numpy(), float(frame.pts_seconds))

    def _opened(self) -> Any:
        if _is_text(self._path):
            raise unreadable(self._path, "torchcodec")
        try:
            with utf8_name(self._path) as name:
                return self._decoders.VideoDecoder(Path(name), dimension_order="NHWC", seek_mode="exact")
        except (RuntimeError, ValueError) as error:
            raise unreadable(self._path, "torchcodec") from error


class ImageFiles(Reader):
    """Image files as the frames of a video."""

    def __init__(self, paths: list[Path]) -> None:
        self._paths = paths
        self.length = len(paths)

    def read(self, first: int) -> Generator[TimedImage]:
        """The images from `first` on."""
        for path in self._paths[first:]:
            yield TimedImage(read_image(path))


class GivenImages(Reader):
    """The caller's images as the frames of a video."""

    def __init__(self, images: Iterable[np.ndarray | None]) -> None:
        if not isinstance(images, Iterable):
            raise TypeError(f"source must be a path or an iterable of images, got {type(images).__name__}")
        self._images = images
        self.length = len(images) if isinstance(images, Sized) else None

    def read(self, first: int) -> Generator[TimedImage]:
        """The images from `first` on, checked."""
        for index, image in enumerate(self._images):
            if index < first:
                continue
            if image is not None:
                check_shape(f"source[{index}]", image, ("H", "W", 3))
                check_dtype(f"source[{index}]", image, ("uint8",))
            yield TimedImage(image)


def unreadable(path: Path, reader: str) -> ValueError:
    """The error for a file that is no video."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
    found = f"{size:,} bytes that begin with {start!r}" if size else "an empty file"
    hint = "" if not size or _is_text(path) else " (a recording that was cut short may lack its index)"
    return ValueError(f"{path}: expected a video that {reader} can read, found {found}{hint}")


def _is_text(path: Path) -> bool:
    """Says whether a file is plain text, which FFmpeg would show as the screen of a terminal."""
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(b"YUV4MPEG2"):
        return False
    return bool(start) and all(byte in b"\t\n\r\f\x1b" or byte >= 32 for byte in start)


def rate(fps: float | None) -> float | None:
    """Frames a second, or None where a file without a rate gives the ticks of its clock or nonsense."""
    return fps if fps is not None and _SLOWEST <= fps <= _FASTEST else None


def positive(value: float | None) -> float | None:
    """A number of frames, or None where a file gives none or nonsense."""
    return value if value is not None and math.isfinite(value) and 0 < value < 2**53 else None
