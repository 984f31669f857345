"""Frames of a video file, of a folder of images, or of the caller's own images, one after another."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np

from ptfast._check import check_integer
from ptfast.io.ahead import ahead
from ptfast.io.live import is_live, live_label, live_name, live_reader
from ptfast.io.paths import IMAGES, VIDEOS, files_in
from ptfast.io.video_readers import GivenImages, ImageFiles, OpenCVFile, Reader, TimedImage, TorchcodecFile

Backend = Literal["auto", "opencv", "torchcodec"]


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a video.

    Attributes:
        image: (H, W, 3) uint8 RGB; None where it could not be decoded.
        name: Of an image file its name, else the index: 000012.jpg.
        index: Counted from the video's first frame, 0, also where reading began later; with a gap where frames of a
            live source were lost.
        time: Seconds from the video's start as the file, or the clock of a live source, says; None for images and where
            a frame was not decoded.
    """

    image: np.ndarray | None
    name: str
    index: int
    time: float | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height; (0, 0) where the frame could not be decoded."""
        return (0, 0) if self.image is None else (self.image.shape[1], self.image.shape[0])


@dataclass(frozen=True)
class Reading:
    """How a video's frames are read.

    Attributes:
        first: Index of the first one.
        limit: Number of those that are read, counted from the video's start; None for all.
        ahead: Frames that a thread decodes before they are asked for.
        watch: Is called with each frame that is given.
    """

    first: int = 0
    limit: int | None = None
    ahead: int = 0
    watch: Callable[[Frame], None] | None = None

    def __post_init__(self) -> None:
        check_integer("first", self.first, 0)
        check_integer("ahead", self.ahead, 0)
        if self.limit is not None:
            check_integer("limit", self.limit, 1)


class Video:
    """Frames in order, in constant memory; `open_video` makes one.

    Iterating starts again at frame `first`, except on an iterator of the caller's, which gives each image once; one
    loop runs at a time, and a new one ends the last. `close`, the end of a `with` block and the end of the loop release
    the file.

    Attributes:
        name: The sequence's name: that of the file without its suffix, or of the folder.
        fps: Frames a second; None where the source has no rate.
        length: Frames of the whole source; what a video's header says is an estimate. None where it is not known.
        live: The source does not wait, as a camera: frames are lost while nobody takes them.
        first: Index of the first frame that is read.
        corrupt: Number of frames that could not be decoded in the present or last loop.
        dropped: Number of frames of a live source that came faster than they were taken, and are lost.

    Warns:
        UserWarning: In a loop, at the first frame that cannot be decoded; at its end, if the header promised more.
    """

    def __init__(self, name: str, place: str, reader: Reader, names: list[str] | None, reading: Reading) -> None:
        self.name = name
        self.fps, self.length, self.live = reader.fps, reader.length, reader.live
        self.first = reading.first
        self.corrupt = 0
        self._place = place
        self._reader = reader
        self._names = names
        self._reading = reading
        self._loop: Generator[Frame] | None = None

    @property
    def dropped(self) -> int:
        return self._reader.dropped

    def __iter__(self) -> Iterator[Frame]:
        self.close()
        self.corrupt = 0
        self._loop = self._frames()
        return self._loop

    def _frames(self) -> Generator[Frame]:
        index = given = self.first
        limit, watch = self._reading.limit, self._reading.watch
        if limit is not None and given >= limit:
            return
        with closing(self._images()) as images:
            for image, seconds, number in images:
                index = index if number is None else number
                frame = self._frame(image, seconds, index)
                if watch is not None:
                    watch(frame)
                yield frame
                index, given = index + 1, given + 1
                if given == limit:
                    return
        began = index > self.first or self.first == 0
        if began and self.length is not None and index < self.length:
            self._warn(f"its header promises {self.length:,} frames, {index:,} could be read; it may be cut short")

    def _images(self) -> Generator[TimedImage]:
        images = self._reader.read(self.first)
        return ahead(images, self._reading.ahead) if self._reading.ahead else images

    def _frame(self, image: np.ndarray | None, seconds: float | None, index: int) -> Frame:
        name = f"{index:06d}.jpg" if self._names is None else self._names[index]
        if image is None:
            if self.corrupt == 0:
                self._warn(f"frame {name} could not be decoded; further ones are counted without a word")
            self.corrupt += 1
        return Frame(image, name, index, seconds)

    def _warn(self, text: str) -> None:
        warnings.warn(f"{self._place}: {text}", stacklevel=4)  # the line that loops

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


def open_video(
    source: str | Path | Iterable[np.ndarray | None],
    *,
    backend: Backend = "auto",
    first: int = 0,
    limit: int | None = None,
    ahead: int = 0,
    watch: Callable[[Frame], None] | None = None,
) -> Video:
    """Opens a video file, a folder of frames, an image file, a live source, or images that the caller has.

    Images of any depth become uint8 RGB: grey is repeated, alpha dropped, of 16 bits the upper 8 are kept, and of an
    image file with several images the first. Frames are turned as an image's EXIF or a video's header says.
    A folder's frames are its images in natural order (frame2 before frame10); hidden files and other folders are
    left out. Frames may differ in size.

    A frame that cannot be decoded has no image, and is counted; a video has ended where 50 frames in a row cannot be,
    or all that are left. Frames that a damaged container no longer shows at all are not counted, and those after them
    move up; `Frame.time` still says where they belong.

    A live source is a string, which no file or folder has for a name: a camera's number ("0"), the address of a stream
    (rtsp://, rtmp://, udp://, http://, https://), or "-" for Y4M, Matroska or MPEG-TS from standard input. A thread
    reads it. A pipe waits for whoever takes its frames; so does a file behind an address, where a header tells its
    length.
    Of a camera or stream that comes faster than its frames are taken, the newest 4 are kept and the older ones dropped:
    numbers have a gap, and `Video.dropped` counts them. A stream that breaks off is connected to again, after 1, 2, 4
    and 8 s, with a warning; numbers then go on after a gap of as many frames as its rate says are missing. A stream
    whose tries all fail, and a camera that gives no more frames, have ended. Live sources are not read again.

    Args:
        source: A path, a live source, or an iterable of F images (H, W, 3) uint8 RGB, None for one that is lost.
        backend: The decoder of video files: OpenCV, torchcodec, or ("auto") torchcodec where it and FFmpeg's libraries
            are installed and it can read the file, else OpenCV. Their colours differ by a grey level or two. OpenCV
            reads what is live.
        first: Index of the first frame to read; a video file is decoded up to there, so that it is found exactly.
        limit: Number of frames after which reading ends, counted from the video's start; None for none.
        ahead: Frames that a thread decodes before they are asked for, so that decoding and whatever is done with frames
            overlap; 0 for no thread.
        watch: Is called with each frame before it is given.

    Returns:
        The video, not yet read: what an image or a frame holds is seen when its turn comes.

    Raises:
        FileNotFoundError: There is no such file or folder.
        ValueError: A file is no video, a folder has no images, a live source cannot be opened, an image has another
            shape, `backend` is none of the three, or a number is out of range.
        TypeError: `source` is neither a path nor iterable, or an image is not uint8.
        ImportError, OSError, RuntimeError: torchcodec is asked for and does not load.
    """
    reading = Reading(first, limit, ahead, watch)
    if backend not in ("auto", "opencv", "torchcodec"):
        raise ValueError(f"backend must be auto, opencv or torchcodec, got {backend!r}")
    if not isinstance(source, (str, Path)):
        return Video("frames", "frames", GivenImages(source), None, reading)
    if isinstance(source, str) and is_live(source):
        return Video(live_name(source), live_label(source), live_reader(source), None, reading)
    path = Path(source)
    if path.is_dir():
        paths = _images_of(path)
        return Video(path.resolve().name, str(path), ImageFiles(paths), [image.name for image in paths], reading)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: {'neither a file nor a folder' if path.exists() else 'no such file or folder'}"
        )
    if path.suffix.lower() in IMAGES:
        return Video(path.stem, str(path), ImageFiles([path]), [path.name], reading)
    return Video(path.stem, str(path), _video_file(path, backend), None, reading)


def _images_of(folder: Path) -> list[Path]:
    images = files_in(folder, IMAGES)
    if not images:
        videos, others = len(files_in(folder, VIDEOS)), sum(1 for _ in folder.iterdir())
        found = f"none among {others} entries, {videos} of them videos" if others else "an empty folder"
        raise ValueError(f"{folder}: expected a folder of images ({', '.join(sorted(IMAGES))}), found {found}")
    return images


def _video_file(path: Path, backend: Backend) -> Reader:
    if backend == "opencv":
        return OpenCVFile(path)
    try:
        return TorchcodecFile(path)
    except (ImportError, OSError, RuntimeError, ValueError):
        if backend == "torchcodec":
            raise
        return OpenCVFile(path)
