"""ptfast track --method online."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptfast.cli.losses import Loss, filter_losses
from ptfast.cli.methods._command import BATCH, DETECTOR, THRESHOLDS, MethodCommand, Options
from ptfast.tracking import OnlineLinker, count_filtered

if TYPE_CHECKING:
    from ptfast.methods import Online
    from ptfast.structures import Poses

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
}
PARTS = ("quality", "detector", "pose")


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
    poses, joints = filter_losses(counts, low, low_joint, change="a lower one keeps more")
    return [replace(poses, noun="detection", proposals=True), joints]


def linker(method: Online) -> OnlineLinker:
    """Links frame by frame."""
    return OnlineLinker(**method.thresholds())


COMMAND = MethodCommand(OPTIONS, "", make, files, left_out, linker=linker)
