"""The systems that ptfast track runs, and their options."""

from __future__ import annotations

import argparse
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from ptfast.tracking import warm_up

if TYPE_CHECKING:
    from ptfast.methods import ClipTracking, DetectAndTrack

    Method = DetectAndTrack | ClipTracking

DETECT_AND_TRACK, CLIP_TRACKING = "detect-and-track", "clip-tracking"
OPTIONS = {  # whose option each is; None stands for what the weights' card or the paper says
    DETECT_AND_TRACK: ("windowing", "min_score", "min_joint_score", "cost", "matcher"),
    CLIP_TRACKING: ("detector", "boxes", "step", "merge"),
}


def add_method(parser: argparse.ArgumentParser) -> None:
    """Adds --method and what belongs to one or the other."""
    parser.add_argument("--method", choices=[*OPTIONS], default=DETECT_AND_TRACK, help="which system")
    parser.add_argument(
        "--weights",
        help="a .safetensors file, another program's (.pth, .pkl), or a name that comes along; the method's own",
    )
    group = parser.add_argument_group(f"of {DETECT_AND_TRACK}")
    group.add_argument("--windowing", choices=["dense", "chunked"], help="clips one by one, or in long chunks: faster")
    group.add_argument("--min-score", type=float, metavar="X", help="detections under this score are dropped")
    group.add_argument("--min-joint-score", type=float, metavar="X", help="joints under this logit are dropped")
    group.add_argument(
        "--cost", choices=["iou", "oks", "pckh", "lstm"], help="what detections of two frames are compared by"
    )
    group.add_argument("--matcher", choices=["hungarian", "greedy"], help="who gets whom")
    group = parser.add_argument_group(f"of {CLIP_TRACKING}")
    group.add_argument("--detector", metavar="WEIGHTS", help=f"of a Mask R-CNN that finds people; {DETECT_AND_TRACK}'s")
    group.add_argument("--boxes", type=Path, metavar="FILE", help="people's boxes, as ptfast.read_poses reads them")
    group.add_argument("--step", type=int, metavar="S", help="every which frame people are looked for in")
    group.add_argument(
        "--merge", choices=["spatiotemporal", "spatial", "temporal", "highest"], help="how hypotheses become one pose"
    )


def make_method(options: argparse.Namespace, videos: int) -> Method:
    """The method that the options ask for, for so many videos.

    Raises:
        ValueError: An option belongs to another method, or two of them exclude each other.
    """
    for method, names in OPTIONS.items():
        for name in names:
            if method != options.method and getattr(options, name) is not None:
                raise ValueError(f"--{name.replace('_', '-')} is for --method {method}, not for {options.method}")
    given = {name: getattr(options, name) for name in OPTIONS[options.method] if getattr(options, name) is not None}
    options.weights = options.weights or options.method
    if options.method == DETECT_AND_TRACK:
        from ptfast.methods import DetectAndTrack

        return DetectAndTrack.load(options.weights, device=options.device, **given)
    return make_clip_tracking(options, given, videos)


def make_clip_tracking(options: argparse.Namespace, given: dict[str, Any], videos: int) -> ClipTracking:
    """Clip tracking with its detector or the boxes of a file."""
    # Kernels that merging needs at the end compile while the first frames are looked at.
    Thread(target=warm_up, daemon=True).start()
    from ptfast.io import read_poses
    from ptfast.methods import ClipTracking
    from ptfast.methods.detectors import given_boxes

    if options.boxes is not None:
        if videos > 1:
            raise ValueError(f"--boxes has the boxes of one video, got {videos} videos")
        if options.detector is not None:
            raise ValueError("--boxes and --detector exclude each other")
        boxes = given_boxes(read_poses(given.pop("boxes")), sparse=options.boxes.suffix == ".txt")
        given |= {"detector": boxes, "min_box_score": None}  # whoever made the file chose what is in it
    if options.merge is not None:
        given["merging"] = {"merge": given.pop("merge")}
    return ClipTracking.load(options.weights, device=options.device, **given)


def files_of(options: argparse.Namespace) -> dict[str, Path]:
    """The files that detections depend on, besides the video, by name."""
    from ptfast.methods._weights import path_of

    files = {"weights": path_of(options.weights)}
    if options.method == CLIP_TRACKING:
        files["boxes"] = options.boxes or path_of(options.detector or DETECT_AND_TRACK)
    return files
