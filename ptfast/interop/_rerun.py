"""Frames, boxes, skeletons and ids in the rerun viewer; rerun-sdk 0.23 or later."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import Any

import numpy as np

from ptfast.interop._require import require
from ptfast.structures import Poses

_CLASS_IDS = 2**16  # rerun's are 16 bits wide


def log_to_rerun(
    poses: Poses,
    frames: Iterable[Any] | None = None,
    *,
    path: str = "video",
    timeline: str = "frame",
    first_frame: int = 0,
    recording: Any = None,
) -> None:
    """Logs a video's poses to rerun, each track in a colour of its own.

    Frame f is logged at `first_frame` + f of the timeline: `path` gets the image, `path`/boxes the boxes with ids as
    labels, `path`/skeletons the bones between joints that are not absent, and `path`/joints these joints. A program
    that tracks as frames come logs each one with its number as `first_frame`.

    Args:
        poses: F frames.
        frames: Their images, at least F of them: (H, W, 3) uint8 RGB, an object with such an `image`, as the frames of
            `ptfast.io.open_video` are, or None for a lost one. Without `frames` no images are logged.
        path: Place in rerun's tree of entities.
        timeline: The timeline's name.
        first_frame: The number of the first frame on it.
        recording: A rerun.RecordingStream; None for the one that `rerun.init` began.

    Raises:
        ImportError: rerun is not installed.
        ValueError: There are fewer images than frames.
    """
    rerun = require("rerun", "log_to_rerun", "rerun-sdk")
    host = poses.numpy()
    images = iter(repeat(None, len(host)) if frames is None else frames)
    for index in range(len(host)):
        rerun.set_time(timeline, sequence=first_frame + index, recording=recording)
        if frames is not None:
            image = next(images, images)
            if image is images:
                raise ValueError(f"frames must have an image for each of {len(host)} frames, got {index}")
            rerun.log(path, _image(rerun, image), recording=recording)
        for name, shape in _shapes(rerun, host.frame(index)).items():
            rerun.log(f"{path}/{name}", shape, recording=recording)


def _image(rerun: Any, frame: Any) -> Any:
    """rerun's form of an image; a lost one clears the one before it."""
    image = getattr(frame, "image", frame)
    return rerun.Clear(recursive=False) if image is None else rerun.Image(np.asarray(image))


def _shapes(rerun: Any, frame: Poses) -> dict[str, Any]:
    """Shapes of a frame's poses. Where there are none they are empty, which clears those of the frame before."""
    there = frame.joint_visibility > 0
    edges = np.array(frame.skeleton.edges, np.int64).reshape(-1, 2)
    person, bone = np.nonzero(there[:, edges].all(2))
    classes = (frame.track_ids + 1) % _CLASS_IDS  # rerun has a colour for each; 0 for those without an id
    return {
        "boxes": rerun.Boxes2D(
            array=frame.boxes,
            array_format=rerun.Box2DFormat.XYXY,
            class_ids=classes,
            labels=["" if number < 0 else str(number) for number in frame.track_ids],
        ),
        "skeletons": rerun.LineStrips2D(frame.keypoints[person[:, None], edges[bone]], class_ids=classes[person]),
        "joints": rerun.Points2D(frame.keypoints[there], class_ids=np.repeat(classes, there.sum(1))),
    }
