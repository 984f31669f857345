"""ptfast track --method simple-baselines."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptfast.cli.losses import Loss
from ptfast.cli.methods._command import (
    BATCH,
    BOX_SCORE,
    DETECTOR,
    MATCHER,
    NEW_TRACKS,
    THRESHOLDS,
    UNDETECTED,
    MethodCommand,
    Options,
    dropped_people,
    frame_linker,
    link_confirmed,
)

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
    **UNDETECTED,
    **BOX_SCORE,
    **MATCHER,
    **BATCH,
    **THRESHOLDS,
    **NEW_TRACKS,
}


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
    return dropped_people(own, method.config)[:1]


COMMAND = MethodCommand(OPTIONS, "movenet-thunder", make, files, left_out, link_confirmed, frame_linker)
