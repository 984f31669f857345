"""Poses as a video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from ptfast._check import check_number
from ptfast._files import write_atomic
from ptfast.structures import Poses
from ptfast.viz._draw import check_image, draw_poses, trails_at
from ptfast.viz._frames import Frames, centred, check_place, check_target, fitted, images


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
    """Draws a sequence to a video that browsers play: VP9 in mp4.

    The file appears whole or not at all. The video has an even width and height, cut by a pixel where need be.

    Args:
        poses: F frames.
        path: The file, `*.mp4`, in a folder that exists.
        frames: Images to draw on: at least F arrays (H, W, 3) uint8 RGB, a video file, or what `ptfast.io.open_video`
            gives. None takes a plain dark image of the poses' frame_size. In place of an image that is None stands
            the last one before it, or a dark one. Images of another size than the first are fitted into it, with
            dark margins, and their poses with them.
        fps: Frames a second.
        trail: Number of past frames over which a line shows where a person came from; 0 draws none.
        labels: Writes the ids above the heads.
        progress: Shows a progress bar if it takes more than a second.

    Raises:
        ValueError: The suffix is wrong, there are no frames, or `frames` gives too few images.
        TypeError: An image is not uint8.
        FileNotFoundError, PermissionError: The folder or the video is absent, or the folder is not writable.
        RuntimeError: OpenCV cannot write VP9 here.
    """
    path = check_target(path, ".mp4", poses)
    check_number("fps", fps, 0.1)
    check_number("trail", trail, 0)
    poses = poses.numpy()
    source = tqdm(images(frames, poses, range(len(poses))), "render", len(poses), delay=1, disable=not progress)
    write_video(_drawn(source, poses, trail, labels), path, fps=fps)


def _drawn(images: Iterable[np.ndarray], poses: Poses, trail: int, labels: bool) -> Iterator[np.ndarray]:
    """The images with poses on them, all of the first one's size."""
    size = None
    for index, image in enumerate(images):
        image = _even(image)
        size = size or (image.shape[1], image.shape[0])
        image, scale = fitted(image, size)
        trails = trails_at(poses, index, trail)
        yield centred(draw_poses(image, poses.frame(index), labels=labels, trails=trails, scale=scale), size)


def write_video(frames: Iterable[np.ndarray], path: str | Path, *, fps: float = 25.0) -> None:
    """Writes images to a video that browsers play: VP9 in mp4.

    The file appears whole or not at all. The video has an even width and height, cut by a pixel where need be.

    Args:
        frames: (H, W, 3) uint8 RGB, at least one, all of one size; taken one by one.
        path: The file, `*.mp4`, in a folder that exists.
        fps: Frames a second.

    Raises:
        ValueError: The suffix is wrong, there are no frames, or they are of more than one size.
        TypeError: A frame is not uint8.
        FileNotFoundError, PermissionError: The folder is absent or not writable.
        RuntimeError: OpenCV cannot write VP9 here.
    """
    path = check_place(path, ".mp4")
    check_number("fps", fps, 0.1)
    with write_atomic(path) as draft:
        writer = None
        try:
            for index, frame in enumerate(frames):
                check_image(f"frames[{index}]", frame)
                image = _even(frame)
                size = image.shape[1], image.shape[0]
                if writer is None:
                    writer, first = _writer(draft, fps, size), size
                if size != first:
                    raise ValueError(f"frames must be of one size, got {first} and, at {index}, {size}")
                writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
            if writer is None:
                raise ValueError("frames must have at least one image, got none")
        finally:
            if writer is not None:
                writer.release()


def _even(image: np.ndarray) -> np.ndarray:
    """The image without its last row and column where their number is odd."""
    return image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]


def _writer(path: Path, fps: float, size: tuple[int, int]) -> cv2.VideoWriter:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"vp09"), fps, size)
    if not writer.isOpened():
        raise RuntimeError(f"OpenCV {cv2.__version__} cannot write VP9 video of {size[0]} x {size[1]} pixels")
    return writer
