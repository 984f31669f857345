"""Image files, and OpenCV kept from writing to stderr."""

from __future__ import annotations

import stat
import warnings
from pathlib import Path
from threading import Lock

import cv2
import numpy as np

from ptfast.io.image_sizes import LARGEST_PICTURE, header_size

_LOG = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging  # OpenCV 4 and 5
_LONGEST = 8 * LARGEST_PICTURE + 2**20  # bytes of a picture with four channels of 16 bits


def read_image(path: Path) -> np.ndarray | None:
    """(H, W, 3) uint8 RGB of an image file, upright as its EXIF says; None where it cannot be read or decoded.

    Warns:
        UserWarning: Its header says more than 2**28 pixels, so that it is not decoded.
    """
    try:
        content = path.read_bytes() if 0 < _length(path) <= _LONGEST else b""
    except OSError:
        return None
    width, height = header_size(content) or (0, 0)
    if width * height > LARGEST_PICTURE:
        found = f"expected a picture of at most {LARGEST_PICTURE:,} pixels, found {width:,} x {height:,}"
        warnings.warn(f"{path}: {found}; it is not decoded", stacklevel=2)
        return None
    return _decoded(content) if content else None


def _length(path: Path) -> int:
    """Bytes of a file; 0 of a pipe or a device, which might never end."""
    state = path.stat()
    return state.st_size if stat.S_ISREG(state.st_mode) else 0


def _decoded(content: bytes) -> np.ndarray | None:
    with quiet:
        # OpenCV makes three channels of grey, drops alpha, keeps the upper 8 of 16 bits and the first of several
        # images, and turns what has an EXIF orientation.
        try:
            image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        except cv2.error:  # a size that OpenCV itself refuses, or no memory
            return None
    return None if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


class _Quiet:
    """Keeps OpenCV's own log away from stderr, in any number of threads, until the last one leaves."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._level = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._level = _LOG.setLogLevel(0)  # silent
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                _LOG.setLogLevel(self._level)


quiet = _Quiet()  # what went wrong is said by an error or a warning of ours
