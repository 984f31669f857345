"""Parts that the commands share."""

from __future__ import annotations

import argparse
import errno
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from ptfast.cli._endings import fail
from ptfast.io import read_sequences
from ptfast.structures import Poses


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        sys.exit(fail(f"{self.prog}: {message}; see {self.prog} --help", 2))


class Help(argparse.ArgumentDefaultsHelpFormatter):
    """Help with the defaults, but for options that are off or not there unless they are given."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default in (None, False) else super()._get_help_string(action)


def command(
    commands: argparse._SubParsersAction, name: str, run: Callable[[argparse.Namespace], None], text: str
) -> argparse.ArgumentParser:
    """Adds a command that calls `run` with its options."""
    parser = commands.add_parser(name, help=text, description=text, formatter_class=Help)
    parser.set_defaults(run=run)
    return parser


def number_or_none(text: str) -> float | None:
    """A number, or None for "none"."""
    try:
        return None if text.lower() == "none" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number or none, got {text!r}") from None


def device(text: str) -> str:
    """The name of a device that torch has here."""
    import torch

    try:
        kind = torch.device(text)
    except RuntimeError:
        kind = None
    if kind is None or kind.type not in ("cpu", "cuda"):
        raise argparse.ArgumentTypeError(f"expected cpu, cuda or cuda:<number>, got {text!r}")
    if kind.type == "cuda" and (kind.index or 0) >= torch.cuda.device_count():
        raise argparse.ArgumentTypeError(f"torch sees {plural(torch.cuda.device_count(), 'CUDA device')}, got {text!r}")
    return text


def check_other_place(out: Path, *sources: Path) -> None:
    """Raises ValueError if writing `out` would replace what is read."""
    for source in sources:
        if out.exists() and source.exists() and (out.samefile(source) or out.parent.samefile(source)):
            raise ValueError(f"{out}: expected another place than the input's, which would be replaced")


def check_output(out: Path, folder: bool = False) -> None:
    """Raises OSError or ValueError if nothing can be written to `out`, so that this is known before the work.

    Args:
        out: A file, or a folder of files.
        folder: Says which.
    """
    try:
        mode = out.stat().st_mode  # an error for a loop of symbolic links
    except FileNotFoundError:
        mode = None
    if mode is not None and not (stat.S_ISDIR if folder else stat.S_ISREG)(mode):
        kind = "folder" if folder else "file"
        raise ValueError(f"{out}: expected a {kind} or nothing to replace, found something else")
    place = Path(os.path.realpath(out))
    place = place if folder else place.parent
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "Not a folder", str(place))
    if not os.access(place, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "No permission to write into the folder", str(place))


def map_poses(
    poses: Poses | dict[str, Poses], function: Callable[[Poses], Poses], title: str
) -> Poses | dict[str, Poses]:
    """Applies a function to one sequence, or to each of a folder behind a progress bar that shows after a second."""
    from tqdm import tqdm

    if isinstance(poses, Poses):
        return function(poses)
    return {name: function(poses[name]) for name in tqdm(poses, desc=title, unit="sequence", delay=1, leave=False)}


def read_one_or_many(source: Path) -> Poses | dict[str, Poses]:
    """The poses of a file, or by name those of a folder or of a file with several sequences."""
    sequences = {name: in_text(poses) for name, poses in read_sequences(source).items()}
    return sequences if source.is_dir() or len(sequences) > 1 else next(iter(sequences.values()))


def in_text(poses: Poses) -> Poses:
    r"""The poses with names that files of text can hold: a byte that is not UTF-8 becomes \udcff or the like."""
    names = poses.frame_names
    return replace(
        poses, sequence=_text(poses.sequence), frame_names=None if names is None else tuple(map(_text, names))
    )


def _text(name: str) -> str:
    return name if name.isascii() else name.encode(errors="backslashreplace").decode()


def sequences_of(poses: Poses | dict[str, Poses]) -> list[Poses]:
    """One sequence, or those of a folder, as a list."""
    return [poses] if isinstance(poses, Poses) else list(poses.values())


def plural(number: int, noun: str) -> str:
    """A number and its noun: 1 frame, 2 frames, 2 boxes."""
    ending = "" if number == 1 else "es" if noun.endswith("x") else "s"
    return f"{number:,} {noun}{ending}"
