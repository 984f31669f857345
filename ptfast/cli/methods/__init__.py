"""The systems that ptfast track runs. A new one is a file beside this one and a line in METHODS."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptfast.cli.losses import Loss, joined
from ptfast.cli.methods import clip_tracking, detect_and_track, keytrack, online, simple_baselines
from ptfast.cli.methods._command import MethodCommand, given_options, name_of, passed_on

if TYPE_CHECKING:
    from ptfast.methods.base import Method
    from ptfast.structures import Poses
    from ptfast.tracking import FrameLinker

METHODS: dict[str, MethodCommand] = {
    "online": online.COMMAND,
    "detect-and-track": detect_and_track.COMMAND,
    "simple-baselines": simple_baselines.COMMAND,
    "keytrack": keytrack.COMMAND,
    "clip-tracking": clip_tracking.COMMAND,
}
DEFAULT = "online"
NETWORKS = ("weights", "detector", "pose", "flow", "entailment")  # options that name one


def add_method(parser: argparse.ArgumentParser) -> None:
    """Adds --method, --weights, and the options of each method in a group of their own."""
    parser.add_argument("--method", choices=[*METHODS], default=DEFAULT, help="which system")
    parser.add_argument(
        "--weights",
        help="the method's network, by a name that ptfast weights list shows or by file, another program's too: in "
        "online and detect-and-track the one that finds people and their joints at once, in clip-tracking the pose "
        "network",
    )
    groups: dict[tuple[str, ...], argparse._ArgumentGroup] = {}
    for flag, methods in users().items():
        if methods not in groups:
            groups[methods] = parser.add_argument_group(f"of {', '.join(methods)}")
        groups[methods].add_argument(flag, **METHODS[methods[0]].options[flag])


def users() -> dict[str, tuple[str, ...]]:
    """The methods that have an option, by flag.

    Raises:
        ValueError: Two methods have an option of one name that is not the same.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, method in METHODS.items():
        for flag, settings in method.options.items():
            known = found.get(flag, ())
            if known and METHODS[known[0]].options[flag] != settings:
                raise ValueError(f"{flag} must be the same option in {known[0]} and {name}")
            found[flag] = (*known, name)
    return found


def make_method(arguments: argparse.Namespace, videos: int) -> Method[Any]:
    """The method that the options ask for, for so many videos.

    Raises:
        ValueError: An option belongs to another method, or two of them exclude each other, or one that names a network
            is empty.
    """
    for name in NETWORKS:
        if getattr(arguments, name) == "":
            raise ValueError(f"--{name} must be a name or a file, got an empty one")
    for flag, methods in users().items():
        if arguments.method not in methods and getattr(arguments, name_of(flag)) is not None:
            raise ValueError(f"{flag} is for --method {' or '.join(methods)}, not for {arguments.method}")
    method = METHODS[arguments.method]
    return method.make(arguments.weights or method.weights, arguments.device, given_options(method, arguments), videos)


def link_records(
    arguments: argparse.Namespace, method: Method[Any], records: Iterable[Any]
) -> tuple[Poses, list[Loss]]:
    """The tracks of all records of a video, of which there is at least one, and what the settings leave out of them."""
    command, losses = METHODS[arguments.method], []
    counted = passed_on(records, lambda record: losses.append(command.left_out(method, record)))
    poses, further = command.link(method, counted)
    return poses, [*map(joined, zip(*losses, strict=True)), *further]


def files_of(arguments: argparse.Namespace) -> dict[str, Path]:
    """The files that records depend on besides the video, by name."""
    method = METHODS[arguments.method]
    return method.files(arguments.weights or method.weights, given_options(method, arguments))


def links_one_by_one(arguments: argparse.Namespace) -> bool:
    """Returns True if the method's records are linked one by one, whatever frames are missing between them."""
    return METHODS[arguments.method].linker is not None


def linker_of(arguments: argparse.Namespace, method: Method[Any]) -> FrameLinker:
    """A linker for the method's records, one by one.

    Raises:
        ValueError: It has none.
    """
    make = METHODS[arguments.method].linker
    if make is None:
        able = [name for name, command in METHODS.items() if command.linker is not None]
        raise ValueError(f"--show is for --method {' or '.join(able)}, not for {arguments.method}")
    return make(method)
