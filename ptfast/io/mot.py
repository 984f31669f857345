"""MOT challenge text: frame, id, left, top, width, height, confidence, then columns that are not read.

Boxes alone; as Poses they have the one-joint skeleton `BOX_CENTER`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain

import numpy as np

from ptfast.io._bulk import require
from ptfast.io._decimal import corner_and_size, from_corner_and_size, shortest
from ptfast.io._joint_sets import BOX_CENTER
from ptfast.io._place import LARGEST, LARGEST_WHOLE, Place, read_checked
from ptfast.io._rows import build, check_ids
from ptfast.io._scored import center_columns
from ptfast.io._sequences import frames_of_rows
from ptfast.structures import Poses

_NAMES = ("frame", "id", "left", "top", "width", "height", "confidence")
_LAST_FRAME = 10_000_000  # a damaged number must not make a sequence of billions of empty frames


def read_mot(text: str, file: str, sequence: str) -> Poses:
    """Poses of a file's text: frames 1 to the last that has a box.

    The confidence is the score; -1, MOT's "none", gives 1. The number of a frame is its id.

    Args:
        text: The file's text.
        file: Name for messages.
        sequence: The sequence's name.
    """
    return read_checked(Place(file, text), lambda content: _build(content, sequence), _check)


def encode_mot(poses: Poses) -> Iterator[str]:
    """Boxes, scores and track ids; frames count from 1, and empty ones at the end are not written.

    Raises:
        ValueError: There are no boxes.
    """
    if not len(poses.boxes):
        raise ValueError("poses must hold at least one box to be written as MOT text, where no box is an empty file")
    columns = (
        (frames_of_rows(poses) + 1).tolist(),
        poses.track_ids.tolist(),
        *corner_and_size(poses.boxes).T.tolist(),
        shortest(poses.scores).tolist(),
    )
    for row in zip(*columns, strict=True):
        yield ",".join(map(repr, row)) + ",-1,-1,-1\n"


def _build(text: str, sequence: str) -> Poses:
    lines = [line for line in text.splitlines() if line.strip()]
    width = lines[0].count(",") + 1
    require(width >= len(_NAMES))
    require({line.count(",") + 1 for line in lines} == {width})
    cells = [line.split(",", len(_NAMES))[: len(_NAMES)] for line in lines]
    require("_" not in "".join(chain.from_iterable(cells)))  # Python takes 1_0 for 10
    rows = np.array(cells, np.float64)
    require((np.abs(rows) <= LARGEST).all())
    whole = rows[:, :2]
    require(((whole % 1 == 0) & (np.abs(whole) < LARGEST_WHOLE)).all())
    numbers, ids = whole.T.astype(np.int64)
    require(((numbers >= 1) & (numbers <= _LAST_FRAME)).all())
    check_ids(numbers, ids)
    count = int(numbers.max())
    scores = np.where(rows[:, 6] == -1, 1, rows[:, 6])
    columns = {**center_columns(from_corner_and_size(rows[:, 2:6]), scores), "track_ids": ids}
    frame_ids = np.arange(1, count + 1)
    return build(BOX_CENTER, numbers - 1, count, columns, sequence=sequence, frame_ids=frame_ids)


def _check(document: Place) -> None:
    """Raises ValueError at the first value that `_build` does not accept."""
    lines = [(number, line) for number, line in enumerate(document.value.splitlines(), 1) if line.strip()]
    width = lines[0][1].count(",") + 1
    seen: set[tuple[float, float]] = set()
    for number, line in lines:
        place = Place(document.file, line, f"line {number}")
        cells = line.split(",")
        if width < len(_NAMES) or len(cells) != width:
            expected = f"at least {len(_NAMES)}" if width < len(_NAMES) else str(width)
            place.fail(f"{expected} values between commas", str(len(cells)))
        frame, track = _check_cells(place, cells)
        if track >= 0 and (frame, track) in seen:
            place.fail(f"each id once in frame {frame:.0f}", f"{track:.0f} twice")
        seen.add((frame, track))


def _check_cells(line: Place, cells: list[str]) -> tuple[float, float]:
    """Frame and id of a line."""
    values = []
    for name, cell in zip(_NAMES, cells, strict=False):
        place = Place(line.file, cell, f"{line.name}, {name}")
        try:
            values.append(float(cell.replace("_", "?")))
        except ValueError:
            place.fail("a number")
        if not abs(values[-1]) <= LARGEST:
            place.fail("a finite number")
        if name in ("frame", "id") and (values[-1] % 1 or math.fabs(values[-1]) >= LARGEST_WHOLE):
            place.fail("a whole number")
        if name == "frame" and not 1 <= values[-1] <= _LAST_FRAME:
            place.fail(f"a frame number from 1 to {_LAST_FRAME}")
        if name == "id" and values[-1] < -1:
            place.fail("a track id, or -1 for none")
    return values[0], values[1]
