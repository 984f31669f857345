"""Frames of a video file, of a folder of images, or of the caller's own images, one after another."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

import numpy as np

from ptfast._check import check_integer
from ptfast.io.paths import IMAGES, VIDEOS, files_in
from ptfast.io.video_readers import GivenImages, ImageFiles, OpenCVFile, TimedImage, TorchcodecFile

Backend = Literal["auto", "opencv", "torchcodec"]


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a video.

    Attributes:
        image: (H, W, 3) uint8 RGB; None where it could not be decoded.
        name: Of an image file its name, else the index: 000012.jpg.
        index: Counted from the video's first frame, 0, also where reading began later.
        time: Seconds from the video's start as the file says; None for images and where a frame was not decoded.
    """

    image: np.ndarray | None
    name: str
    index: int
    time: float | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height; (0, 0) where the frame could not be decoded."""
        return (0, 0) if self.image is None else (self.image.shape[1], self.image.shape[0])


class _Reader(Protocol):
    fps: float | None
    length: int | None

    def read(self, first: int) -> Generator[TimedImage]: ...


class Video:
    """Frames in order, in constant memory; `open_video` makes one.

    Iterating starts again at frame `first`, except on an iterator of the caller's, which gives each image once; one
    loop runs at a time, and a new one ends the last. `close`, the end of a `with` block and the end of the loop release
    the file.

    Attributes:
        name: The sequence's name: that of the file without its suffix, or of the folder.
        fps: Frames a second; None where the source has no rate.
        length: Frames of the whole source; what a video's header says is an estimate. None where it is not known.
        first: Index of the first frame that is read.
        corrupt: Number of frames that could not be decoded in the present or last loop.

    Warns:
        UserWarning: In a loop, at the first frame that cannot be decoded; at its end, if the header promised more.
    """

    def __init__(self, name: str, place: str, reader: _Reader, names: list[str] | None, first: int) -> None:
        self.name = name
        self.fps = reader.fps
        self.length = reader.length
        self.first = first
        self.corrupt = 0
        self._place = place
        self._reader = reader
        self._names = names
        self._loop: Generator[Frame] | None = None

    def __iter__(self) -> Iterator[Frame]:
        self.close()
        self.corrupt = 0
        self._loop = self._frames()
        return self._loop

    def _frames(self) -> Generator[Frame]:
        index = self.first
        with closing(self._reader.read(self.first)) as images:
            for image, seconds in images:
                name = f"{index:06d}.jpg" if self._names is None else self._names[index]
                if image is None:
                    if self.corrupt == 0:
                        self._warn(f"frame {name} could not be decoded; further ones are counted without a word")
                    self.corrupt += 1
                yield Frame(image, name, index, seconds)
                index += 1
        began = index > self.first or self.first == 0
        if began and self.length is not None and index < self.length:
            self._warn(f"its header promises {self.length:,} frames, {index:,} could be read; it may be cut short")

    def _warn(self, text: str) -> None:
        warnings.warn(f"{self._place}: {text}", stacklevel=3)  # the line that loops

    def close(self) -> None:
        """Ends the present loop and releases the file; to be called from the thread that loops."""
        if self._loop is not None:
            self._loop.close()
            self._loop = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_video(source: str | Path | Iterable[np.ndarray | None], *, backend: Backend = "auto", first: int = 0) -> Video:
    """Opens a video file, a folder of frames, an image file, or images that the caller has.

    Images of any depth become uint8 RGB: grey is repeated, alpha dropped, of 16 bits the upper 8 are kept, and of an
    image file with several images the first. Frames are turned as an image's EXIF or a video's header says.
    A folder's frames are its images in natural order (frame2 before frame10); hidden files and other folders are
    left out. Frames may differ in size.

    A frame that cannot be decoded has no image, and is counted; a video has ended where 50 frames in a row cannot be,
    or all that are left. Frames that a damaged container no longer shows at all are not counted, and those after them
    move up; `Frame.time` still says where they belong.

    Args:
        source: A path, or an iterable of F images (H, W, 3) uint8 RGB, None for one that is lost.
        backend: The decoder of video files: OpenCV, torchcodec, or ("auto") torchcodec where it and FFmpeg's libraries
            are installed and it can read the file, else OpenCV. Their colours differ by a grey level or two.
        first: Index of the first frame to read; a video file is decoded up to there, so that it is found exactly.

    Returns:
        The video, not yet read: what an image or a frame holds is seen when its turn comes.

    Raises:
        FileNotFoundError: There is no such file or folder.
        ValueError: A file is no video, a folder has no images, an image has another shape, or `backend` is none of
            the three.
        TypeError: `source` is neither a path nor iterable, or an image is not uint8.
        ImportError, OSError, RuntimeError: torchcodec is asked for and does not load.
    """
    first = check_integer("first", first, 0)
    if backend not in ("auto", "opencv", "torchcodec"):
        raise ValueError(f"backend must be auto, opencv or torchcodec, got {backend!r}")
    if not isinstance(source, (str, Path)):
        return Video("frames", "frames", GivenImages(source), None, first)
    path = Path(source)
    if path.is_dir():
        paths = _images_of(path)
        return Video(path.resolve().name, str(path), ImageFiles(paths), [image.name for image in paths], first)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: {'neither a file nor a folder' if path.exists() else 'no such file or folder'}"
        )
    if path.suffix.lower() in IMAGES:
        return Video(path.stem, str(path), ImageFiles([path]), [path.name], first)
    return Video(path.stem, str(path), _video_file(path, backend), None, first)


def _images_of(folder: Path) -> list[Path]:
    images = files_in(folder, IMAGES)
    if not images:
        videos, others = len(files_in(folder, VIDEOS)), sum(1 for _ in folder.iterdir())
        found = f"none among {others} entries, {videos} of them videos" if others else "an empty folder"
        raise ValueError(f"{folder}: expected a folder of images ({', '.join(sorted(IMAGES))}), found {found}")
    return images


def _video_file(path: Path, backend: Backend) -> _Reader:
    if backend == "opencv":
        return OpenCVFile(path)
    try:
        return TorchcodecFile(path)
    except (ImportError, OSError, RuntimeError, ValueError):
        if backend == "torchcodec":
            raise
        return OpenCVFile(path)
