"""A process that reads files: a reader's name and a path come in on a line, the outcome goes out as JSON.

Outcomes are "read", "refused" (an error that the command line says in one line) and "fault": a traceback, a result
that means nothing, or more memory than the file could need.
"""

from __future__ import annotations

import json
import resource
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ptfast import COCO_17, Poses, Skeleton
from ptfast.cli import said
from ptfast.cli.spool import read_settings
from ptfast.io import FORMATS, open_video, read_sequences
from ptfast.models.adapters import read_detectron
from ptfast.pipeline.records import FrameTracklets, load_records
from ptfast.pipeline.weights.networks import load_pose_weights
from ptfast.training.pose import read_config

REFUSALS = (ValueError, TypeError, OSError, ImportError)  # those that the command line turns into one line
MEMORY = 1 << 30  # bytes that reading a small file may add
ADDRESSES = 16 << 30  # bytes of address space: a wild allocation fails instead of filling the machine


def read_poses_as(format: str) -> Callable[[Path], None]:
    """A reader of a format of poses, whose result is checked."""

    def read(path: Path) -> None:
        for poses in read_sequences(path, format=format).values():
            check_poses(poses)

    return read


def check_poses(poses: Poses) -> None:
    """Raises AssertionError unless the poses are what their contract says."""
    assert np.isfinite(poses.keypoints).all() and np.isfinite(poses.joint_scores).all()
    assert np.isfinite(poses.boxes).all() and np.isfinite(poses.scores).all()
    assert poses.frame_offsets[0] == 0 and poses.frame_offsets[-1] == len(poses.scores)
    assert (np.diff(poses.frame_offsets) >= 0).all() and (poses.track_ids >= -1).all()


def read_records(path: Path) -> None:
    """A part of an interrupted run."""
    records = load_records(path, COCO_17)
    if not isinstance(records, FrameTracklets):
        check_poses(records)


def read_frames(path: Path) -> None:
    """A video, or a folder of pictures with the picture in it."""
    source = path if path.suffix in (".mp4", ".avi") else path.parent
    with open_video(source) as video:
        for count, frame in enumerate(video):
            assert frame.image is None or frame.image.ndim == 3
            if count == 100:
                break


READERS: dict[str, Callable[[Path], object]] = {
    **{format: read_poses_as(format) for format in FORMATS},
    "records": read_records,
    "settings": read_settings,
    "skeleton": Skeleton.from_json,
    "card": lambda path: load_pose_weights(path.with_suffix(".safetensors")),
    "weights": load_pose_weights,
    "checkpoint": load_pose_weights,
    "detectron": read_detectron,
    "config": read_config,
}


def outcome_of(reader: str, path: Path) -> tuple[str, str]:
    """Reads a file; gives the outcome and what was said."""
    before = peak()
    try:
        READERS.get(reader, read_frames)(path)
    except REFUSALS as error:
        outcome = "refused", said(error)
    except Exception as error:  # whatever else comes is a traceback for the user
        outcome = "fault", f"{type(error).__name__}: {said(error)[:300]}"
    else:
        outcome = "read", ""
    if (grown := peak() - before) > MEMORY:
        return "fault", f"{grown >> 20} MiB of memory, {outcome[0]} {outcome[1]}"
    return outcome


def peak() -> int:
    """Most bytes of memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Answers lines until there are no more."""
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    answers = sys.stdout
    sys.stdout = sys.stderr  # what libraries print is no answer
    for line in sys.stdin:
        reader, path = line.rstrip("\n").split("\t")
        outcome, text = outcome_of(reader, Path(path))
        print(json.dumps([outcome, text]), file=answers, flush=True)


if __name__ == "__main__":
    main()
