"""ptfast convert: poses from one format to another."""

from __future__ import annotations

import argparse
from pathlib import Path

from ptfast.cli._shared import check_other_place, command, map_poses, read_one_or_many
from ptfast.io import FORMATS, write_poses
from ptfast.skeletons import SKELETONS


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
    if options.skeleton is not None:
        poses = map_poses(poses, lambda sequence: sequence.to_skeleton(SKELETONS[options.skeleton]), "converting")
    write_poses(poses, options.out, format=options.format)
    print(f"written to {options.out}")
