"""ptfast track --method clip-tracking."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from ptfast.cli.methods._command import DETECTOR, MethodCommand, Options
from ptfast.tracking import warm_up

if TYPE_CHECKING:
    from ptfast.methods import ClipTracking

DEFAULT_DETECTOR = "detect-and-track"
OPTIONS: Options = {
    **DETECTOR,
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

    return {
        "weights": path_of(weights),
        "boxes": given.get("boxes") or path_of(given.get("detector", DEFAULT_DETECTOR)),
    }


COMMAND = MethodCommand(OPTIONS, "clip-tracking", make, files)
