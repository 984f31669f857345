"""ptfast track --method simple-baselines."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptfast.cli.losses import Loss, filter_losses, tentative
from ptfast.cli.methods._command import (
    BATCH,
    DETECTOR,
    MATCHER,
    NEW_TRACKS,
    THRESHOLDS,
    MethodCommand,
    Options,
    passed_on,
)
from ptfast.tracking import ConfirmedLinker, count_filtered

if TYPE_CHECKING:
    from ptfast.methods import SimpleBaselines
    from ptfast.structures import Poses

DEFAULT_DETECTOR, DEFAULT_FLOW = "nanodet-g", "sparse"
OPTIONS: Options = {
    **DETECTOR,
    "--flow": {
        "metavar": "NAME",
        "help": "optical flow: sparse, which follows joints alone, dis, farneback, or a network by name or file",
    },
    "--propagate": {
        "action": argparse.BooleanOptionalAction,
        "help": "look for people where flow carries those of the frame before, too",
    },
    "--similarity": {
        "choices": ["bbox", "pose", "flow", "multi-flow"],
        "help": "what a pose is compared by with those of frames before, carried by flow or not",
    },
    "--queue-length": {"type": int, "metavar": "L", "help": "frames before that multi-flow compares with"},
    "--max-undetected": {
        "type": int,
        "metavar": "N",
        "help": "frames in a row in which a person may be there without being detected",
    },
    "--min-propagated-score": {
        "type": float,
        "metavar": "X",
        "help": "a person whom flow alone proposes is lost where the mean score of all joints is lower",
    },
    "--min-box-score": {"type": float, "metavar": "X", "help": "the detector's boxes under this score are dropped"},
    **MATCHER,
    **BATCH,
    **THRESHOLDS,
    **NEW_TRACKS,
}
LOWER = "a lower one keeps more"


def make(weights: str, device: str, given: dict[str, Any], videos: int) -> SimpleBaselines:
    """The method with weights by name or file."""
    from ptfast.methods import SimpleBaselines

    return SimpleBaselines.load(weights, device=device, **given)


def files(weights: str, given: dict[str, Any]) -> dict[str, Path]:
    """Files that people depend on."""
    from ptfast.pipeline.weights import path_of

    named = {"weights": path_of(weights), "detector": path_of(given.get("detector", DEFAULT_DETECTOR))}
    flow = path_of(given.get("flow", DEFAULT_FLOW))
    return named | ({"flow": flow} if flow.is_file() else {})


def left_out(method: SimpleBaselines, record: Poses) -> list[Loss]:
    """Boxes and poses that the thresholds drop. Joints stay."""
    from ptfast.methods.simple_baselines import is_own

    own = record.select(is_own(record))
    looked_at = (own.joint_visibility > 0).any(1)
    low, low_joint = method.config.min_score, method.config.min_joint_score
    counts = [count_filtered(own.select(looked_at), min_score=low, min_joint_score=low_joint)]
    poses = filter_losses(counts, low, low_joint, change=LOWER)[0]
    boxes = {f"under --min-box-score {method.config.min_box_score} ({LOWER})": int((~looked_at).sum())}
    return [replace(poses, noun="detection", total=len(own.scores), reasons={**poses.reasons, **boxes})]


def link(method: SimpleBaselines, records: Iterable[Poses]) -> tuple[Poses, list[Loss]]:
    """Tracks of all records, and the poses of tentative ones."""
    linked: list[int] = []
    tracks = method.link(passed_on(records, lambda record: linked.append(method.count(record))))
    return tracks, [tentative(sum(linked), len(tracks.scores), method.config.min_new_score)]


def linker(method: SimpleBaselines) -> ConfirmedLinker:
    """Links frame by frame."""
    return method.linker()


COMMAND = MethodCommand(OPTIONS, "movenet-thunder", make, files, left_out, link, linker)
