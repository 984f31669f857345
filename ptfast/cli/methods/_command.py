"""The form that a method has for the command: its options, and its making of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ptfast.cli._endings import said
from ptfast.cli.losses import Loss, filter_losses, tentative
from ptfast.skeletons import SKELETONS, Skeleton
from ptfast.tracking import count_filtered

if TYPE_CHECKING:
    from ptfast.methods.base import Method
    from ptfast.structures import Poses
    from ptfast.tracking import FrameLinker

R = TypeVar("R")
LOWER = "a lower one keeps more"
Options = Mapping[str, Mapping[str, Any]]
"""Flags of the command line, such as "--step", and what argparse's add_argument takes besides."""


THRESHOLDS: Options = {
    "--min-score": {"type": float, "metavar": "X", "help": "detections under this score are dropped"},
    "--min-joint-score": {"type": float, "metavar": "X", "help": "joints under this score, or logit, are dropped"},
}
"""Options of methods that drop what is under a threshold before they link."""
NEW_TRACKS: Options = {
    "--min-new-score": {
        "type": float,
        "metavar": "X",
        "help": "a track is shown from its first detection of at least this score on; 0 shows all of it",
    },
}
"""Option of methods whose tracks are tentative at first."""
DETECTOR: Options = {
    "--detector": {
        "metavar": "WEIGHTS",
        "help": "the network that finds people's boxes, by name or file; "
        "nanodet-g if not given, but detect-and-track beside clip-tracking's own weights",
    },
}
"""Option of methods that want boxes first."""
BOX_SCORE: Options = {
    "--min-box-score": {"type": float, "metavar": "X", "help": "the detector's boxes under this score are dropped"},
}
"""Option of methods that look at a detector's boxes of a certain score alone."""
UNDETECTED: Options = {
    "--max-undetected": {
        "type": int,
        "metavar": "N",
        "help": "frames in a row in which a person may be there without being detected",
    },
    "--min-propagated-score": {
        "type": float,
        "metavar": "X",
        "help": "a person whom the detector misses is lost where the mean score of all joints is lower",
    },
}
"""Options of methods that look for people where the frame before had them, too."""
BATCH: Options = {"--batch": {"type": int, "metavar": "N", "help": "frames that the network sees at a time"}}
"""Option of methods that give results some frames late."""
MATCHER: Options = {"--matcher": {"choices": ["hungarian", "greedy"], "help": "least total cost, or lowest cost first"}}
"""Option of methods that match poses of frame after frame."""


def skeleton(text: str) -> Skeleton:
    """A skeleton by its name, or out of a JSON file."""
    try:
        return SKELETONS[text] if text in SKELETONS else Skeleton.from_json(text)
    except (OSError, ValueError) as error:
        names = ", ".join(SKELETONS)
        found = said(error) if text.endswith(".json") else repr(text)
        raise argparse.ArgumentTypeError(f"expected {names} or a .json file, got {found}") from None


FOREIGN: Options = {
    "--skeleton": {
        "type": skeleton,
        "metavar": "NAME",
        "help": f"joints of another program's weights, COCO's if not known: {', '.join(SKELETONS)} or a .json file",
    },
}
"""Options of methods whose networks may be another program's, whose weights do not say what their joints are."""


@dataclass(frozen=True)
class MethodCommand:
    """A method as `ptfast track` offers it.

    Attributes:
        options: Options of its own. None stands for what the weights' card or the paper says. An option that another
            method has too must be the same there.
        weights: Weights where --weights names none; empty where other options decide.
        make: Makes the method of --weights, --device, the given ones of its own options by name, and the number of
            videos.
        files: Files besides the video that its records depend on, by name.
        left_out: What its settings leave out of a record, by the method and the record; of one kind each time. Nothing
            where records hold only what the settings keep.
        link: Makes tracks of a video's records, by the method and the records, and says what that leaves out besides;
            the same kinds of losses each time.
        linker: What links its records one by one as `link` does all; None where they are no poses of single frames,
            which a window can show, or may have no gaps between them, as dropped frames leave.
    """

    options: Options
    weights: str
    make: Callable[[str, str, dict[str, Any], int], Method[Any]]
    files: Callable[[str, dict[str, Any]], dict[str, Path]]
    left_out: Callable[[Any, Any], list[Loss]] = lambda method, record: []
    link: Callable[[Any, Iterable[Any]], tuple[Poses, list[Loss]]] = lambda method, records: (method.link(records), [])
    linker: Callable[[Any], FrameLinker] | None = None


def given_options(method: MethodCommand, arguments: argparse.Namespace) -> dict[str, Any]:
    """The method's own options that were given, by name."""
    names = [name_of(flag) for flag in method.options]
    return {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}


def name_of(flag: str) -> str:
    """An option's name in Python: "--min-score" is min_score."""
    return flag.removeprefix("--").replace("-", "_")


def passed_on(records: Iterable[R], look: Callable[[R], None]) -> Iterator[R]:
    """Gives the records on after a look at them."""
    for record in records:
        look(record)
        yield record


def link_confirmed(method: Any, records: Iterable[Any]) -> tuple[Poses, list[Loss]]:
    """Tracks of all records, and the poses of tentative ones, by a method with `count` and `min_new_score`."""
    linked: list[int] = []
    tracks = method.link(passed_on(records, lambda record: linked.append(method.count(record))))
    return tracks, [tentative(sum(linked), len(tracks.scores), method.config.min_new_score)]


def frame_linker(method: Any) -> FrameLinker:
    """What links a method's records frame by frame."""
    linker: FrameLinker = method.linker()
    return linker


class Thresholds(Protocol):
    """Scores under which a method drops boxes, poses and joints; None keeps all."""

    @property
    def min_box_score(self) -> float | None: ...
    @property
    def min_score(self) -> float | None: ...
    @property
    def min_joint_score(self) -> float | None: ...


def dropped_people(poses: Poses, limits: Thresholds) -> list[Loss]:
    """Boxes and poses of a record that the thresholds drop, and joints. Boxes that were too low have no joints."""
    looked_at = (poses.joint_visibility > 0).any(1)
    low, low_joint = limits.min_score, limits.min_joint_score
    counts = [count_filtered(poses.select(looked_at), min_score=low, min_joint_score=low_joint)]
    people, joints = filter_losses(counts, low, low_joint, change=LOWER)
    boxes = {f"under --min-box-score {limits.min_box_score} ({LOWER})": int((~looked_at).sum())}
    return [replace(people, noun="detection", total=len(poses.scores), reasons={**people.reasons, **boxes}), joints]
