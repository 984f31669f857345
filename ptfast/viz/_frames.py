"""Background images for poses, their sizes, and the places of files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from ptfast._files import utf8_name
from ptfast.structures import Poses
from ptfast.viz._draw import blank_image, check_image


class HasImage(Protocol):
    """An object with an image, such as a `ptfast.io.Frame`: (H, W, 3) uint8 RGB, or None for one that is lost."""

    @property
    def image(self) -> np.ndarray | None: ...


Frames = Iterable[np.ndarray | HasImage | None] | str | Path | None

LARGEST_SIDE = 65_534  # of a video in VP9

_DEFAULT_SIZE = (640, 360)
_LARGEST_REACH = 8192  # pixels from the corner to the farthest joint that is shown
_LARGEST_AREA = 2**28  # pixels


def canvas_size(poses: Poses) -> tuple[int, int]:
    """Width and height that hold all poses: the largest frame_size, else the reach of the joints, up to 8192 pixels.

    Raises:
        ValueError: frame_size is of more than 2**28 pixels.
    """
    if poses.frame_size is not None and poses.frame_size.any():
        width, height = poses.frame_size.max(0).tolist()
        if width * height > _LARGEST_AREA:
            raise ValueError(
                f"poses must have a frame_size of at most {_LARGEST_AREA:,} pixels, got {width} x {height}"
            )
        return max(1, width), max(1, height)
    points = poses.keypoints[poses.joint_visibility > 0]
    points = points[np.isfinite(points).all(1)]
    if not len(points):
        return _DEFAULT_SIZE
    width, height = (np.clip(np.ceil(points.max(0)), 15, _LARGEST_REACH - 1).astype(int) + 1).tolist()
    return width, height


def images(frames: Frames, poses: Poses, wanted: Sequence[int]) -> Iterator[np.ndarray]:
    """The images (H, W, 3) uint8 RGB of the `wanted` frames, which rise.

    A frame that is lost shows the last image before it, or a plain dark one.

    Raises:
        ValueError: There are fewer images than frames, or an image has another shape.
        TypeError: An image is not uint8.
        FileNotFoundError: `frames` names no file.
    """
    if frames is None:
        blank = blank_image(canvas_size(poses))
        yield from (blank for _ in wanted)
        return
    last: np.ndarray | None = None
    source = iter(_decoded(frames) if isinstance(frames, (str, Path)) else frames)
    used = 0
    for index in wanted:
        for item in islice(source, index + 1 - used):
            image = item if isinstance(item, np.ndarray) or item is None else item.image
            last = last if image is None else image
            used += 1
        if used <= index:
            raise ValueError(f"frames must have an image for each of {len(poses)} frames, got none for frame {index}")
        shown = blank_image(canvas_size(poses)) if last is None else last
        check_image(f"frames[{index}]", shown)
        yield shown


def fitted(image: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, float]:
    """The image scaled to fill `size`, width and height, in one direction at least, and the factor."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return image, 1.0
    scale = min(size[0] / width, size[1] / height)
    inside = min(size[0], max(1, round(width * scale))), min(size[1], max(1, round(height * scale)))
    return cv2.resize(image, inside, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), scale


def centred(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The image in the middle of a dark one of `size`, width and height, which is not smaller."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    canvas = blank_image(size)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    canvas[top : top + height, left : left + width] = image
    return canvas


def _decoded(path: str | Path) -> Iterator[np.ndarray]:
    if Path(path).is_dir():
        raise ValueError(f"{path}: expected a video file, found a folder; ptfast.io.open_video reads its images")
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such video")
    with utf8_name(Path(path)) as name:
        video = cv2.VideoCapture(name)
    try:
        if not video.isOpened():
            raise ValueError(f"{path}: expected a video that OpenCV can read")
        while True:
            there, image = video.read()
            if not there:
                return
            yield cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    finally:
        video.release()


def check_target(path: str | Path, suffix: str, poses: Poses) -> Path:
    """The path, if a file of that suffix can be written there and there is something to draw.

    Raises:
        ValueError: The suffix is another one, or `poses` has no frames.
        FileNotFoundError: The folder is absent.
        PermissionError: The folder is not writable.
    """
    if Path(path).suffix.lower() == suffix and len(poses) == 0:
        raise ValueError("poses must have at least one frame, got 0")
    return check_place(path, suffix)


def check_place(path: str | Path, suffix: str) -> Path:
    """The path, if a file of that suffix can be written there. Raises as `check_target` does."""
    path = Path(path)
    if path.suffix.lower() != suffix:
        raise ValueError(f"path must end in {suffix}, got {path.name!r}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent}: no such folder")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path.parent}: folder is not writable")
    return path
