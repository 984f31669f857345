"""ptfast track --method clip-tracking."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from ptfast.cli.losses import Loss
from ptfast.cli.methods._command import DETECTOR, FOREIGN, THRESHOLDS, MethodCommand, Options, passed_on
from ptfast.tracking import warm_up

if TYPE_CHECKING:
    from ptfast.methods import ClipTracking
    from ptfast.pipeline import FrameTracklets
    from ptfast.structures import Poses


def size(text: str) -> tuple[int, int]:
    """Height and width: 384x288."""
    sides = text.split("x")
    if len(sides) != 2 or not all(side.isdecimal() and int(side) for side in sides):
        raise argparse.ArgumentTypeError(f"expected height x width in pixels, such as 384x288, got {text!r}")
    return int(sides[0]), int(sides[1])


OPTIONS: Options = {
    **DETECTOR,
    "--boxes": {
        "type": Path,
        "metavar": "FILE",
        "help": "people's boxes, as ptfast.read_poses reads them, instead of a detector's",
    },
    "--step": {
        "type": int,
        "metavar": "S",
        "help": "people are detected, or taken from --boxes, in every S-th frame, and followed in those between",
    },
    "--merge": {
        "choices": ["spatiotemporal", "spatial", "temporal", "highest"],
        "help": "how hypotheses become one pose",
    },
    **THRESHOLDS,
    "--min-area": {"type": float, "metavar": "A", "help": "poses with smaller boxes, in square pixels, are dropped"},
    "--min-length": {"type": int, "metavar": "N", "help": "tracks in fewer frames are dropped"},
    "--size": {
        "type": size,
        "metavar": "HxW",
        "help": "crops that an HRNet or PoseResNet sees, instead of those that suit its weights, such as 384x288",
    },
    **FOREIGN,
}
SETTINGS = {"merge": "merge", "min_joint_score": "joint_thresholds", "min_area": "min_area", "min_length": "min_length"}
"""Entries of Merging that options set, by the options' names."""
LOWER = "a lower one keeps more"


def make(weights: str, device: str, given: dict[str, Any], videos: int) -> ClipTracking:
    """The method with its detector or the boxes of a file.

    Raises:
        ValueError: There are boxes of one video for several, or a detector besides.
    """
    # Kernels that merging needs at the end compile while the first frames are looked at, if there is a thread for it.
    with suppress(RuntimeError):
        Thread(target=warm_up, daemon=True).start()
    from ptfast.io import read_poses
    from ptfast.methods import ClipTracking
    from ptfast.pipeline.detectors import given_boxes

    settings = {name: value for name, value in given.items() if name not in SETTINGS}
    settings["merging"] = {SETTINGS[name]: value for name, value in given.items() if name in SETTINGS}
    if "min_score" in settings:
        settings["min_box_score"] = settings.pop("min_score")
    file = settings.pop("boxes", None)
    if file is not None:
        if videos > 1:
            raise ValueError(f"--boxes has the boxes of one video, got {videos} videos")
        if "detector" in settings:
            raise ValueError("--boxes and --detector exclude each other")
        boxes = given_boxes(read_poses(file), sparse=file.suffix == ".txt")
        settings = {"detector": boxes, "min_box_score": None} | settings  # who made the file chose what is in it
    return ClipTracking.load(weights, device=device, **settings)


def files(weights: str, given: dict[str, Any]) -> dict[str, Path]:
    """Files that tracklets depend on."""
    from ptfast.methods.clip_tracking.loading import default_detector
    from ptfast.pipeline.weights import path_of

    detector = given.get("detector") or default_detector(weights)
    return {"weights": path_of(weights), "boxes": given.get("boxes") or path_of(detector)}


def left_out(method: ClipTracking, record: FrameTracklets) -> list[Loss]:
    """Detections that have no tracklet, or one without any joint."""
    seen = (record.tracklets.joint_scores > 0).any((1, 2))
    reasons = {
        f"under --min-score {method.config.min_box_score} ({LOWER})": int(record.low_boxes.sum()),
        "without an area": int(record.empty_boxes.sum()),
        "without any joint": int((~seen).sum()),
    }
    return [Loss("detection", boxes_in(record), reasons)]


def link(method: ClipTracking, records: Iterable[FrameTracklets]) -> tuple[Poses, list[Loss]]:
    """The tracks, the poses and joints that are dropped at the end, and the boxes of --boxes that nobody asked for."""
    from ptfast.methods.clip_tracking import Dropped

    dropped, how = Dropped(), method.config.merging
    asked: list[int] = []
    tracks = method.link(passed_on(records, lambda record: asked.append(boxes_in(record))), dropped)
    by_joints = f"--min-joint-score {how.joint_thresholds} ({LOWER})"
    if isinstance(how.joint_thresholds, tuple):
        by_joints = "the weights' joint_thresholds (a lower --min-joint-score in their place keeps more)"
    reasons = {
        f"of an area under --min-area {how.min_area:g} ({LOWER})": dropped.small,
        f"without a joint of {by_joints}": dropped.low_joints,
        f"in tracks shorter than --min-length {how.min_length} ({LOWER})": dropped.short,
    }
    joints = Loss("joint", dropped.joints, {f"under {by_joints}": dropped.weak_joints})
    return tracks, [Loss("pose", dropped.poses, reasons), joints, *unasked(method, sum(asked))]


def boxes_in(record: FrameTracklets) -> int:
    """Number of boxes that the detector gave in a record's frames."""
    return len(record.tracklets) + int(record.low_boxes.sum()) + int(record.empty_boxes.sum())


def unasked(method: ClipTracking, asked: int) -> list[Loss]:
    """Boxes of --boxes in frames that the method did not ask for, of which it got `asked`."""
    from ptfast.pipeline import GivenBoxes

    if not isinstance(method.detector, GivenBoxes):
        return []
    total = method.detector.total
    reason = f"in frames that --step {method.config.step} passes over, or that the video lacks"
    return [Loss("box", total, {reason: total - asked}, "not looked at")]


COMMAND = MethodCommand(OPTIONS, "clip-tracking", make, files, left_out, link)
