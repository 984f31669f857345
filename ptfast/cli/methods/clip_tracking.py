"""ptfast track --method clip-tracking."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from ptfast.cli.methods._command import FOREIGN, MethodCommand, Options
from ptfast.tracking import warm_up

if TYPE_CHECKING:
    from ptfast.methods import ClipTracking

DETECTOR = "detect-and-track"  # weights


def size(text: str) -> tuple[int, int]:
    """Height and width: 384x288."""
    sides = text.split("x")
    if len(sides) != 2 or not all(side.isdecimal() and int(side) for side in sides):
        raise argparse.ArgumentTypeError(f"expected height x width in pixels, such as 384x288, got {text!r}")
    return int(sides[0]), int(sides[1])


OPTIONS: Options = {
    "--detector": {
        "metavar": "WEIGHTS",
        "help": f"weights of a Mask R-CNN that finds people, by name or file; {DETECTOR} by default",
    },
    "--boxes": {"type": Path, "metavar": "FILE", "help": "people's boxes, as ptfast.read_poses reads them"},
    "--step": {
        "type": int,
        "metavar": "S",
        "help": "people are detected in every S-th frame",
    },
    "--merge": {
        "choices": ["spatiotemporal", "spatial", "temporal", "highest"],
        "help": "how hypotheses become one pose",
    },
    "--size": {
        "type": size,
        "metavar": "HxW",
        "help": "crops that the pose network sees, instead of those that suit its weights, such as 384x288",
    },
    **FOREIGN,
}


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

    settings = dict(given)
    file = settings.pop("boxes", None)
    if file is not None:
        if videos > 1:
            raise ValueError(f"--boxes has the boxes of one video, got {videos} videos")
        if "detector" in settings:
            raise ValueError("--boxes and --detector exclude each other")
        boxes = given_boxes(read_poses(file), sparse=file.suffix == ".txt")
        settings |= {"detector": boxes, "min_box_score": None}  # whoever made the file chose what is in it
    if "merge" in settings:
        settings["merging"] = {"merge": settings.pop("merge")}
    return ClipTracking.load(weights, device=device, **settings)


def files(weights: str, given: dict[str, Any]) -> dict[str, Path]:
    """Files that tracklets depend on."""
    from ptfast.pipeline.weights import path_of

    return {"weights": path_of(weights), "boxes": given.get("boxes") or path_of(given.get("detector", DETECTOR))}


COMMAND = MethodCommand(OPTIONS, "clip-tracking", make, files)
