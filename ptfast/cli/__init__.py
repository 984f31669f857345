"""The command line: ptfast track, link, eval, convert, synth, train, info and demo."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import ptfast
from ptfast.cli._shared import Parser, fail
from ptfast.cli.convert import add_convert
from ptfast.cli.demo import add_demo
from ptfast.cli.evaluate import add_eval
from ptfast.cli.info import add_info
from ptfast.cli.link import add_link
from ptfast.cli.synth import add_synth
from ptfast.cli.track import add_track
from ptfast.cli.train import add_train

DESCRIPTION = "Estimate and track the poses of people in videos, score tracks as PoseTrack does, convert their formats."


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command; bad input ends with one line on stderr and exit code 2, Ctrl-C with 130."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except (ValueError, TypeError, OSError, ImportError) as error:
        sys.exit(fail(f"ptfast {options.command}: {said(error)}", 2))
    except KeyboardInterrupt as stop:
        left = str(stop) or "files that were not finished were not written"
        sys.exit(fail(f"ptfast {options.command}: interrupted; {left}", 130))


def said(error: Exception) -> str:
    """An error in one line; the system's with the file first, as ours have it."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror[:1].lower()}{error.strerror[1:]}"
    return " ".join(str(error).split())


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="ptfast", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"ptfast {ptfast.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_track(commands)
    add_link(commands)
    add_eval(commands)
    add_convert(commands)
    add_synth(commands)
    add_train(commands)
    add_info(commands)
    add_demo(commands)
    return parser
