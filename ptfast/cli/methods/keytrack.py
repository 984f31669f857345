"""ptfast track --method keytrack."""

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
    from ptfast.methods import KeyTrack
    from ptfast.structures import Poses

DEFAULT_DETECTOR = "nanodet-g"
OPTIONS: Options = {
    **DETECTOR,
    "--entailment": {
        "metavar": "WEIGHTS",
        "help": "the network that tells whether two poses are of one person, by name or file; keytrack if not given",
    },
    "--temporal-oks": {
        "action": argparse.BooleanOptionalAction,
        "help": "look for people where those of the frame before were, too",
    },
    "--min-oks": {"type": float, "metavar": "X", "help": "OKS that a pose found again needs with the one before"},
    "--max-oks": {"type": float, "metavar": "X", "help": "of two poses that are more alike, the more confident stays"},
    **UNDETECTED,
    "--lookback": {"type": int, "metavar": "N", "help": "frames back that a pose is compared with"},
    "--neighbours": {"type": int, "metavar": "N", "help": "nearest poses of a frame that a pose is compared with"},
    "--min-match-score": {
        "type": float,
        "metavar": "X",
        "help": "probability under which two poses are not of one person",
    },
    **BOX_SCORE,
    **MATCHER,
    **BATCH,
    **THRESHOLDS,
    **NEW_TRACKS,
}


def make(weights: str, device: str, given: dict[str, Any], videos: int) -> KeyTrack:
    """The method with weights by name or file."""
    from ptfast.methods import KeyTrack

    return KeyTrack.load(weights, device=device, **given)


def files(weights: str, given: dict[str, Any]) -> dict[str, Path]:
    """Files that people depend on."""
    from ptfast.pipeline.weights import path_of

    return {"weights": path_of(weights), "detector": path_of(given.get("detector", DEFAULT_DETECTOR))}


def left_out(method: KeyTrack, record: Poses) -> list[Loss]:
    """Boxes and poses that the thresholds drop. Joints are marked absent."""
    return dropped_people(record, method.config)


COMMAND = MethodCommand(OPTIONS, "movenet-thunder", make, files, left_out, link_confirmed, frame_linker)
