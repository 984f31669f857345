"""ptfast track --method online."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptfast.cli.losses import Loss, filter_losses, tentative
from ptfast.cli.methods._command import BATCH, DETECTOR, NEW_TRACKS, THRESHOLDS, MethodCommand, Options, frame_linker
from ptfast.structures import Poses
from ptfast.tracking import count_filtered

if TYPE_CHECKING:
    from ptfast.methods import Online

OPTIONS: Options = {
    "--quality": {
        "choices": ["fast", "full"],
        "help": "one look at the image, or a second at each person; fast unless --detector or --pose is given",
    },
    **DETECTOR,
    "--pose": {
        "metavar": "WEIGHTS",
        "help": "the network that finds the joints of a person in a box, by name or file; movenet-thunder if not given",
    },
    "--long-side": {
        "type": int,
        "metavar": "PIXELS",
        "help": "longer side of the images that MultiPose sees, instead of sizes chosen by what is seen",
    },
    **BATCH,
    "--precision": {
        "choices": ["auto", "float32", "bfloat16"],
        "help": "what the network computes in; auto: bfloat16, "
        "which is faster and a little less exact, where the device has instructions for it",
    },
    **THRESHOLDS,
    **NEW_TRACKS,
}
PARTS = ("quality", "detector", "pose")
LOWER = "a lower one keeps more"


def make(weights: str, device: str, given: dict[str, Any], videos: int) -> Online:
    """The method with weights by name or file."""
    from ptfast.methods import Online

    return Online.load(weights or None, device=device, **given)


def files(weights: str, given: dict[str, Any]) -> dict[str, Path]:
    """Files that people depend on."""
    from ptfast.methods.online.estimators import parts_of
    from ptfast.pipeline.weights import path_of

    parts = parts_of(weights=weights or None, **{name: given[name] for name in PARTS if name in given})
    names = {"weights": parts.multipose, "detector": parts.detector, "pose": parts.pose}
    return {name: path_of(file) for name, file in names.items() if file is not None}


def left_out(method: Online, people: Poses) -> list[Loss]:
    """People and joints that the thresholds drop."""
    low, low_joint = method.config.min_score, method.config.min_joint_score
    counts = [count_filtered(people, min_score=low, min_joint_score=low_joint)]
    poses, joints = filter_losses(counts, low, low_joint, change=LOWER)
    return [replace(poses, noun="detection", proposals=True), joints]


def link(method: Online, records: Iterable[Poses]) -> tuple[Poses, list[Loss]]:
    """Tracks of all records, and the poses of tentative ones."""
    people = Poses.concatenate(list(records))
    tracks, linked = method.link(people), count_filtered(people, **method.thresholds()).left
    return tracks, [tentative(linked, len(tracks.scores), method.config.min_new_score)]


COMMAND = MethodCommand(OPTIONS, "", make, files, left_out, link, frame_linker)
