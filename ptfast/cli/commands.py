"""The commands and their options."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import ptfast
from ptfast.cli._shared import Parser
from ptfast.cli.convert import add_convert
from ptfast.cli.demo import add_demo
from ptfast.cli.evaluate import add_eval
from ptfast.cli.export import add_export
from ptfast.cli.info import add_info
from ptfast.cli.link import add_link
from ptfast.cli.synth import add_synth
from ptfast.cli.track import add_track
from ptfast.cli.train import add_train
from ptfast.cli.weights import add_weights

DESCRIPTION = "Estimate and track the poses of people in videos, score tracks as PoseTrack does, convert their formats."


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options of a command line, by default the process's; what is wrong ends it with one line and code 2."""
    parser, commands = _parsers()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:  # argparse would send the reader to the help of ptfast, which has none of the command's options
        commands.choices[options.command].error(f"unrecognized arguments: {' '.join(unknown)}")
    return options


def _parsers() -> tuple[argparse.ArgumentParser, argparse._SubParsersAction]:
    """The parser of ptfast, and those of its commands."""
    parser = Parser(prog="ptfast", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"ptfast {ptfast.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_track(commands)
    add_link(commands)
    add_eval(commands)
    add_convert(commands)
    add_synth(commands)
    add_train(commands)
    add_weights(commands)
    add_export(commands)
    add_info(commands)
    add_demo(commands)
    return parser, commands
