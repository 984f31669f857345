"""Poses as a video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from ptfast._check import check_integer, check_number
from ptfast._files import utf8_name, write_atomic
from ptfast.structures import Poses
from ptfast.viz._draw import check_image, draw_poses, trails_at
from ptfast.viz._encoders import open_encoder
from ptfast.viz._frames import LARGEST_SIDE, Frames, centred, check_place, check_target, fitted, images

_RATES = 0.01, 1000.0  # frames a second that every player takes


def render_video(
    poses: Poses,
    path: str | Path,
    *,
    frames: Frames = None,
    fps: float = 25.0,
    trail: int = 20,
    labels: bool = True,
    progress: bool = True,
) -> None:
    """Draws a sequence to a video that browsers play: mp4 of H.264 where PyAV is installed, else of VP9.

    PyAV writes many times as fast as OpenCV, which passes no settings on to VP9.
    The file appears whole or not at all: it is read back before it replaces another. The video has an even width and
    height, cut by a pixel where need be; a single row or column of pixels is doubled.

    Args:
        poses: F frames.
        path: The file, `*.mp4`, in a folder that exists.
        frames: Images to draw on: at least F arrays (H, W, 3) uint8 RGB, a video file, or what `ptfast.io.open_video`
            gives. None takes a plain dark image of the poses' frame_size. In place of an image that is None stands
            the last one before it, or a dark one. Images of another size than the first are fitted into it, with
            dark margins, and their poses with them. A first image of more than 65,534 pixels in a direction is
            made smaller.
        fps: Frames a second, 0.01 to 1000.
        trail: Number of past frames over which a line shows where a person came from; 0 draws none.
        labels: Writes the ids above the heads.
        progress: Shows a progress bar if it takes more than a second.

    Raises:
        ValueError: The suffix is wrong, there are no frames, `frames` gives too few images, or `poses` are of frames
            that are too large to draw.
        TypeError: An image is not uint8.
        FileNotFoundError, PermissionError: The folder or the video is absent, or the folder is not writable.
        OSError: The video could not be written whole, as on a full disk.
        RuntimeError: There is no PyAV, and OpenCV cannot write VP9 here.
    """
    path = check_target(path, ".mp4", poses)
    check_number("fps", fps, *_RATES)
    trail = check_integer("trail", trail, 0)
    poses = poses.numpy()
    source = tqdm(images(frames, poses, range(len(poses))), "render", len(poses), delay=1, disable=not progress)
    write_video(_drawn(source, poses, trail, labels), path, fps=fps)


def _drawn(images: Iterable[np.ndarray], poses: Poses, trail: int, labels: bool) -> Iterator[np.ndarray]:
    """The images with poses on them, all of the first one's size."""
    size = None
    for index, image in enumerate(images):
        image = _even(image)
        size = size or _largest(image)
        image, scale = fitted(image, size)
        trails = trails_at(poses, index, trail)
        yield centred(draw_poses(image, poses.frame(index), labels=labels, trails=trails, scale=scale), size)


def write_video(frames: Iterable[np.ndarray], path: str | Path, *, fps: float = 25.0) -> None:
    """Writes images to a video that browsers play: mp4 of H.264 where PyAV is installed, else of VP9.

    The file appears whole or not at all: it is read back before it replaces another. The video has an even width and
    height, cut by a pixel where need be; a single row or column of pixels is doubled.

    Args:
        frames: (H, W, 3) uint8 RGB, at least one, all of one size, up to 65,534 pixels each way; taken one by one.
        path: The file, `*.mp4`, in a folder that exists.
        fps: Frames a second, 0.01 to 1000.

    Raises:
        ValueError: The suffix is wrong, there are no frames, or they are of more than one size or too large.
        TypeError: A frame is not uint8.
        FileNotFoundError, PermissionError: The folder is absent or not writable.
        OSError: The video could not be written whole, as on a full disk.
        RuntimeError: There is no PyAV, and OpenCV cannot write VP9 here.
    """
    path = check_place(path, ".mp4")
    check_number("fps", fps, *_RATES)
    with write_atomic(path) as draft, utf8_name(draft) as name:
        draft.write_bytes(bytes(4096))  # a disk that is full now says so
        check_written(path, name, _written(frames, name, fps))


def _written(frames: Iterable[np.ndarray], name: str, fps: float) -> int:
    """Writes a video and returns the number of its frames."""
    encoder, index = None, -1
    try:
        for index, frame in enumerate(frames):
            image = _even(_checked(index, frame))
            size = image.shape[1], image.shape[0]
            if encoder is None:
                encoder, first = open_encoder(name, fps, size), size
            if size != first:
                raise ValueError(f"frames must be of one size, got {first} and, at {index}, {size}")
            encoder.write(image)
    finally:
        if encoder is not None:
            encoder.close()
    if encoder is None:
        raise ValueError("frames must have at least one image, got none")
    return index + 1


def check_written(path: Path, name: str, frames: int) -> None:
    """Reads a video back, as OpenCV's writer says nothing of a full disk.

    Args:
        path: The file, for messages.
        name: The name that it has now.
        frames: The number of frames that it must have; the first and the last must have an image.

    Raises:
        OSError: It has others.
    """
    reader = cv2.VideoCapture(name)
    found = 0
    try:
        while reader.grab() and (found not in (0, frames - 1) or reader.retrieve()[0]):
            found += 1
    finally:
        reader.release()
    if found != frames:
        raise OSError(f"{path}: only {found:,} of {frames:,} frames could be written; is the disk full?")


def _checked(index: int, frame: np.ndarray) -> np.ndarray:
    check_image(f"frames[{index}]", frame)
    if max(frame.shape[:2]) > LARGEST_SIDE:
        height, width = frame.shape[:2]
        raise ValueError(f"frames[{index}] must have at most {LARGEST_SIDE:,} pixels each way, got {width} x {height}")
    return frame


def _even(image: np.ndarray) -> np.ndarray:
    """The image without its last row and column where their number is odd; a single one is doubled."""
    height, width = image.shape[:2]
    if min(height, width) == 1:
        return _even(np.repeat(np.repeat(image, 1 + (height == 1), 0), 1 + (width == 1), 1))
    return image[: height // 2 * 2, : width // 2 * 2]


def _largest(image: np.ndarray) -> tuple[int, int]:
    """Width and height, even, of a video of such images."""
    scale = min(1.0, LARGEST_SIDE / max(image.shape[:2]))
    height, width = (max(2, round(scale * length) // 2 * 2) for length in image.shape[:2])
    return width, height
