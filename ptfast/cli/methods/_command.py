"""The form that a method has for the command: its options, and its making of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptfast.cli.losses import Loss

if TYPE_CHECKING:
    from ptfast.methods.base import Method
    from ptfast.tracking import OnlineLinker, TrackLinker

Options = Mapping[str, Mapping[str, Any]]
"""Flags of the command line, such as "--step", and what argparse's add_argument takes besides."""


THRESHOLDS: Options = {
    "--min-score": {"type": float, "metavar": "X", "help": "detections under this score are dropped"},
    "--min-joint-score": {"type": float, "metavar": "X", "help": "joints under this score, or logit, are dropped"},
}
"""Options of methods that drop what is under a threshold before they link."""


@dataclass(frozen=True)
class MethodCommand:
    """A method as `ptfast track` offers it.

    Attributes:
        options: Options of its own. None stands for what the weights' card or the paper says. An option that another
            method has too must be the same there.
        weights: Weights where --weights names none.
        make: Makes the method of --weights, --device, the given ones of its own options by name, and the number of
            videos.
        files: Files besides the video that its records depend on, by name.
        left_out: What its settings leave out of a record, by the method and the record; of one kind each time. Nothing
            where records hold only what the settings keep.
        linker: What links its records one by one as `link` does all; None where they are no poses of single frames,
            which a window can show, or may have no gaps between them, as dropped frames leave.
    """

    options: Options
    weights: str
    make: Callable[[str, str, dict[str, Any], int], Method[Any]]
    files: Callable[[str, dict[str, Any]], dict[str, Path]]
    left_out: Callable[[Any, Any], list[Loss]] = lambda method, record: []
    linker: Callable[[Any], OnlineLinker | TrackLinker] | None = None


def given_options(method: MethodCommand, arguments: argparse.Namespace) -> dict[str, Any]:
    """The method's own options that were given, by name."""
    names = [name_of(flag) for flag in method.options]
    return {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}


def name_of(flag: str) -> str:
    """An option's name in Python: "--min-score" is min_score."""
    return flag.removeprefix("--").replace("-", "_")
