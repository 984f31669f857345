"""The command line: ptfast track, link, eval, convert, synth, train, weights, info and demo."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from ptfast.cli._endings import fail, is_expected, said, terminable, warnings_in_lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command.

    Bad input ends with one line on stderr and exit code 2, Ctrl-C with 130, SIGTERM with 143. Each warning is one line
    on stderr.
    """
    name = "ptfast"
    try:
        with terminable():
            from ptfast.cli.commands import parse  # takes a while, in which Ctrl-C is as good as later

            if isinstance(sys.stdout, TextIOWrapper):
                sys.stdout.reconfigure(errors="backslashreplace")  # names of files are bytes
            options = parse(arguments)
            name = f"ptfast {options.command}"
            with warnings_in_lines(name):
                options.run(options)
            sys.stdout.flush()
    except BrokenPipeError:  # whoever reads the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except KeyboardInterrupt as stop:
        left = str(stop) or "files that were not finished were not written"
        sys.exit(fail(f"{name}: interrupted; {left}", getattr(stop, "code", 130)))
    except Exception as error:
        if name == "ptfast" or not is_expected(error):  # before a command runs, all are faults of the program
            raise
        sys.exit(fail(f"{name}: {said(error)}", 2))
