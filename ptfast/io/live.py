"""Live video: cameras by number, streams by address, and standard input.

What comes through a pipe waits until it is asked for. A camera and a stream do not wait: where tracking is slower,
their oldest frames are dropped, and frame numbers have a gap there.
"""

from __future__ import annotations

import os
import re
import time
import warnings
from collections.abc import Generator, Sequence
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import cv2

from ptfast.io.ahead import Line, taken
from ptfast.io.images import quiet
from ptfast.io.video_readers import Reader, TimedImage, positive, rate

SCHEMES = ("http", "https", "rtmp", "rtsp", "rtsps", "udp")
FRAMES = 4  # that wait to be tracked, at most
WAITS = (1.0, 2.0, 4.0, 8.0)  # seconds before each try to connect again
TIMEOUT = 10_000  # milliseconds for a stream to be opened, and for a frame of it
PATIENCE = 1.0  # seconds for a frame that is being read when nobody wants it any more


def is_live(source: str | Path) -> bool:
    """Says whether a source is a camera's number, the address of a stream, or "-" for standard input.

    A file or folder that has such a name is none of these.
    """
    text = str(source)
    if not isinstance(source, str) or os.path.lexists(text):
        return False
    return text == "-" or _is_number(text) or re.match(rf"({'|'.join(SCHEMES)})://", text, re.IGNORECASE) is not None


def live_name(source: str) -> str:
    """A name for files: camera0, stdin, or an address's host and path without what names of files cannot have."""
    if source == "-":
        return "stdin"
    if _is_number(source):
        return f"camera{int(source)}"
    parts = urlsplit(source)
    return re.sub(r"[^\w.]+", "-", f"{parts.netloc.rpartition('@')[2]}{parts.path}").strip("-.") or "stream"


def live_label(source: str) -> str:
    """A name for messages, without an address's user, password and query."""
    if source == "-":
        return "standard input"
    if _is_number(source):
        return f"camera {int(source)}"
    parts = urlsplit(source)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def live_reader(source: str) -> Reader:
    """The reader of a live source.

    Raises:
        ValueError: It cannot be opened.
    """
    return Pipe() if source == "-" else Stream(source)


class Pipe(Reader):
    """Video out of a pipe, in a container that FFmpeg reads without going back: Y4M, Matroska, MPEG-TS.

    It is read once; no frame is dropped. OpenCV does not tell a stream that is cut within a frame from one that ends
    after its last whole frame.

    Args:
        descriptor: The pipe's number; 0 is standard input.

    Raises:
        ValueError: No video comes out of it.
    """

    def __init__(self, descriptor: int = 0) -> None:
        self._capture = _captured(f"pipe:{descriptor}")
        if self._capture is None:
            place = "standard input" if descriptor == 0 else f"pipe {descriptor}"
            raise ValueError(f"{place}: expected video in Y4M, Matroska or MPEG-TS, found something else or nothing")
        self.fps = rate(self._capture.get(cv2.CAP_PROP_FPS))

    def read(self, first: int) -> Generator[TimedImage]:
        """The frames from `first` on; none in a second loop."""
        yield from taken(self._frames(first), Line(FRAMES), PATIENCE)

    def _frames(self, first: int) -> Generator[TimedImage]:
        capture, self._capture = self._capture, None
        if capture is None:
            return
        try:
            for index, frame in enumerate(_frames_of(capture)):
                if index >= first:
                    yield frame
        finally:
            capture.release()


class Stream(Reader):
    """A camera, or a stream by its address. A file behind an address, whose header tells its length, is read as a file.

    A stream that breaks off is connected to again, after longer and longer waits; frame numbers go on with a gap of as
    many frames as its rate says are missing. A camera that gives no more frames has ended.

    Args:
        source: A camera's number, or an address.
        waits: Seconds before each try to connect again.

    Raises:
        ValueError: It cannot be opened.

    Warns:
        UserWarning: It breaks off, and is there again or has ended.
    """

    def __init__(self, source: str, waits: Sequence[float] = WAITS) -> None:
        self._source, self._label = source, live_label(source)
        self._waits = () if _is_number(source) else tuple(waits)
        self._capture = capture = self._opened()
        if capture is None:
            what = "a camera" if _is_number(source) else "a video stream"
            raise ValueError(f"{self._label}: expected {what} that OpenCV can open, found none")
        self.fps = rate(capture.get(cv2.CAP_PROP_FPS))
        count = None if _is_number(source) else positive(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.length = None if count is None else int(count)
        self.live = self.length is None  # frames are lost while nobody takes them

    def read(self, first: int) -> Generator[TimedImage]:
        """The frames from `first` on."""
        line, end = Line[TimedImage](FRAMES, drops=self.live), Event()
        try:
            for frame in taken(self._frames(first, end), line, PATIENCE):
                self.dropped = line.dropped
                yield frame
        finally:
            end.set()
            self.dropped = line.dropped

    def _frames(self, first: int, end: Event) -> Generator[TimedImage]:
        """Numbered frames, with the seconds since the first; runs in a thread."""
        capture, self._capture = self._capture or self._opened(), None
        index, started = 0, time.monotonic()
        try:
            while capture is not None:
                for image, seconds, _ in _frames_of(capture):
                    if index >= first:
                        yield TimedImage(image, time.monotonic() - started if self.live else seconds, index)
                    index += 1
                capture.release()
                capture, gap = self._again(index, end) if self.live else (None, 0)
                index += gap
        finally:
            if capture is not None:
                capture.release()

    def _again(self, index: int, end: Event) -> tuple[cv2.VideoCapture | None, int]:
        """The stream after it broke off before frame `index`, and the number of frames that are missing."""
        broken = time.monotonic()
        for wait in self._waits:
            if end.wait(wait):
                return None, 0
            capture = self._opened()
            if capture is not None:
                away = time.monotonic() - broken
                gap = max(1, round(away * (self.fps or 0)))
                self._warn(
                    f"broke off before frame {index:,}; there again {away:.1f} s later, with frame {index + gap:,}"
                )
                return capture, gap
        tried = f"; {len(self._waits)} tries to connect again in {sum(self._waits):g} s failed" if self._waits else ""
        self._warn(f"ended before frame {index:,}{tried}")
        return None, 0

    def _opened(self) -> cv2.VideoCapture | None:
        return _captured(int(self._source) if _is_number(self._source) else self._source)

    def _warn(self, text: str) -> None:
        warnings.warn(f"{self._label}: {text}", stacklevel=2)


def _captured(source: int | str) -> cv2.VideoCapture | None:
    """OpenCV's reader of a camera or an address, whose first frame has come, or None where there is none."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # messages are ours
    with quiet:
        if isinstance(source, int):
            capture = cv2.VideoCapture(source)
        else:
            limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, TIMEOUT, cv2.CAP_PROP_READ_TIMEOUT_MSEC, TIMEOUT]
            capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, [] if source.startswith("pipe:") else limits)
        return capture if capture.isOpened() and capture.grab() else None


def _frames_of(capture: cv2.VideoCapture) -> Generator[TimedImage]:
    """The frames of an open source, of which the first has come already, until one does not come."""
    there = True
    while there:
        found, image = capture.retrieve()
        seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        yield TimedImage(cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if found else None, seconds)
        there = capture.grab()


def _is_number(source: str) -> bool:
    return re.fullmatch(r"[0-9]{1,4}", source) is not None
