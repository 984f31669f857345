"""ptfast convert: poses from one format to another."""

from __future__ import annotations

import argparse
from pathlib import Path

from ptfast.cli._endings import note
from ptfast.cli._shared import (
    check_other_place,
    check_output,
    command,
    map_poses,
    plural,
    read_one_or_many,
    sequences_of,
)
from ptfast.cli.losses import Loss, report
from ptfast.cli.unheld import unheld
from ptfast.io import FORMATS, write_poses
from ptfast.skeletons import SKELETONS
from ptfast.structures import Poses


def add_convert(commands: argparse._SubParsersAction) -> None:
    """Adds ptfast convert."""
    parser = command(commands, "convert", _convert, "Read poses in one format and write them in another.")
    parser.add_argument("source", type=Path, metavar="IN", help="file or folder")
    parser.add_argument("out", type=Path, metavar="OUT", help="file or folder")
    parser.add_argument("--format", choices=FORMATS, help="format to write instead of what OUT's suffix says")
    parser.add_argument(
        "--skeleton",
        choices=sorted(SKELETONS),
        help="joints to write, matched by name; head joints that COCO lacks are extrapolated",
    )


def _convert(options: argparse.Namespace) -> None:
    check_other_place(options.out, options.source)
    poses = read_one_or_many(options.source)
    check_output(options.out, folder=isinstance(poses, dict))
    losses = []
    if options.skeleton is not None:
        poses, lost = _convert_skeleton(poses, options.skeleton)
        losses = [lost]
        if lost.total and lost.count == lost.total:
            raise ValueError(f"{options.source}: {lost}; nothing is written")
    write_poses(poses, options.out, format=options.format)
    losses += unheld("convert", poses, options.out, options.format)
    report("convert", losses, f"written to {options.out}")


def _convert_skeleton(before: Poses | dict[str, Poses], name: str) -> tuple[Poses | dict[str, Poses], Loss]:
    """The poses in another skeleton, and the joints whose names it lacks. Says which joints nobody has found."""
    after = map_poses(before, lambda sequence: sequence.to_skeleton(SKELETONS[name]), "converting")
    total = kept = made = 0
    for old, new in zip(sequences_of(before), sequences_of(after), strict=True):
        named = old.skeleton.indices_of(new.skeleton) >= 0
        total += int((old.joint_visibility > 0).sum())
        kept += int((new.joint_visibility[:, named] > 0).sum())
        made += int((new.joint_visibility[:, ~named] > 0).sum())
    if made:
        note(f"ptfast convert: {plural(made, 'head joint')} extrapolated from shoulders and face")
    return after, Loss("joint", total, {f"with names that --skeleton {name} lacks": total - kept})
