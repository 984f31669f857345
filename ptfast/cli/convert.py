"""ptfast convert: poses from one format to another."""

from __future__ import annotations

import argparse
from pathlib import Path

from ptfast.cli._shared import check_other_place, check_output, command, map_poses, read_one_or_many, sequences_of
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
    parser.add_argument("--skeleton", choices=sorted(SKELETONS), help="joints to write, matched by name")


def _convert(options: argparse.Namespace) -> None:
    check_other_place(options.out, options.source)
    poses = read_one_or_many(options.source)
    check_output(options.out, folder=isinstance(poses, dict))
    losses = []
    if options.skeleton is not None:
        before = poses
        poses = map_poses(poses, lambda sequence: sequence.to_skeleton(SKELETONS[options.skeleton]), "converting")
        losses = [_skeleton_loss(before, poses, options.skeleton)]
        if losses[0].total and losses[0].count == losses[0].total:
            raise ValueError(f"{options.source}: {losses[0]}; nothing is written")
    write_poses(poses, options.out, format=options.format)
    losses += unheld("convert", poses, options.out, options.format)
    report("convert", losses, f"written to {options.out}")


def _skeleton_loss(before: Poses | dict[str, Poses], after: Poses | dict[str, Poses], name: str) -> Loss:
    """Joints whose names another skeleton lacks."""
    old, new = (sum(int((p.joint_visibility > 0).sum()) for p in sequences_of(poses)) for poses in (before, after))
    return Loss("joint", old, {f"with names that --skeleton {name} lacks": old - new})
