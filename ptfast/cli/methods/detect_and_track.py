"""ptfast track --method detect-and-track."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptfast.cli.losses import Loss, filter_losses
from ptfast.cli.methods._command import FOREIGN, MATCHER, THRESHOLDS, MethodCommand, Options, frame_linker
from ptfast.tracking import count_filtered

if TYPE_CHECKING:
    from ptfast.methods import DetectAndTrack
    from ptfast.structures import Poses

OPTIONS: Options = {
    "--windowing": {"choices": ["dense", "chunked"], "help": "clips one by one, or in long chunks: faster"},
    **THRESHOLDS,
    "--cost": {"choices": ["iou", "oks", "pckh", "lstm"], "help": "cost of a pair of detections of two frames"},
    **MATCHER,
    **FOREIGN,
}


def make(weights: str, device: str, given: dict[str, Any], videos: int) -> DetectAndTrack:
    """The method with weights by name or file."""
    from ptfast.methods import DetectAndTrack

    return DetectAndTrack.load(weights, device=device, **given)


def files(weights: str, given: dict[str, Any]) -> dict[str, Path]:
    """Files that detections depend on."""
    from ptfast.pipeline.weights import path_of

    return {"weights": path_of(weights)}


def left_out(method: DetectAndTrack, detections: Poses) -> list[Loss]:
    """Detections and joints that the thresholds drop."""
    config, large = method.config, method.is_large(detections)
    low, low_joint = config.min_score, config.min_joint_score
    counts = [count_filtered(detections.select(large), min_score=low, min_joint_score=low_joint)]
    poses, joints = filter_losses(counts, low, low_joint, change="a lower one keeps more")
    small = {f"of an area under {config.min_area:g} pixels": int((~large).sum())}
    return [replace(poses, noun="detection", total=len(large), reasons={**poses.reasons, **small}), joints]


COMMAND = MethodCommand(OPTIONS, "detect-and-track", make, files, left_out, linker=frame_linker)
