"""Image files, and OpenCV kept from writing to stderr."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import cv2
import numpy as np

_LOG = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging  # OpenCV 4 and 5


def read_image(path: Path) -> np.ndarray | None:
    """(H, W, 3) uint8 RGB of an image file, upright as its EXIF says; None where it cannot be read or decoded."""
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError:
        return None
    with quiet:
        # OpenCV makes three channels of grey, drops alpha, keeps the upper 8 of 16 bits and the first of several
        # images, and turns what has an EXIF orientation.
        image = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
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
