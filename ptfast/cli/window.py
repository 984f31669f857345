"""Tracks in a window, frame by frame, while a video is being tracked."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import deque

import cv2

from ptfast import viz
from ptfast.io import Frame
from ptfast.structures import Poses
from ptfast.tracking import FrameLinker

ENDS = (ord("q"), 27)  # keys: q and Esc
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")
TRIAL = "import cv2; cv2.namedWindow('ptfast'); cv2.destroyAllWindows()"
PATIENCE = 30.0  # seconds for a window to open


class Window:
    """A window on the screen.

    Args:
        title: Of the window.
        linker: Gives ids frame by frame; those of the file are the same where all frames are there.

    Raises:
        ValueError: OpenCV has no windows, or there is no screen, or no window can be opened on it.
    """

    def __init__(self, title: str, linker: FrameLinker) -> None:
        check_screen()
        try_window()
        self._title, self._linker = title, linker
        self._frames: deque[Frame] = deque()

    def keep(self, frame: Frame) -> None:
        """Keeps a frame until its people are known."""
        self._frames.append(frame)

    def show(self, people: Poses) -> bool:
        """Shows the people of the next frame; returns False if whoever looks wants no more: q, Esc, a closed window."""
        frame = self._frames.popleft()
        tracks = self._linker.update(people)
        if frame.image is None:
            return True
        cv2.imshow(self._title, cv2.cvtColor(viz.draw_poses(frame.image, tracks), cv2.COLOR_RGB2BGR))
        pressed = cv2.waitKey(1) & 0xFF
        return pressed not in ENDS and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1

    def close(self) -> None:
        """Closes it, if it was opened."""
        cv2.destroyAllWindows()


def check_screen() -> None:
    """Raises ValueError if no window can be shown: OpenCV would end the process."""
    if re.search(r"GUI:\s+NONE", cv2.getBuildInformation()):
        raise ValueError("--show needs windows, which opencv-python-headless has not; opencv-python has")
    if sys.platform.startswith("linux") and not any(map(os.environ.get, SCREENS)):
        raise ValueError(f"--show needs a screen, and neither {' nor '.join(SCREENS)} is set")


def try_window() -> None:
    """Raises ValueError if a process of its own cannot open a window: Qt ends the process where it cannot."""
    try:
        tried = subprocess.run(
            [sys.executable, "-P", "-c", TRIAL], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"--show: no window can be opened here (none within {PATIENCE:g} s)") from None
    if tried.returncode != 0:
        said = [line.strip() for line in tried.stderr.decode(errors="replace").splitlines() if line.strip()]
        reason = said[0] if said else f"OpenCV ended with {tried.returncode}"
        raise ValueError(f"--show: no window can be opened here ({reason})")
