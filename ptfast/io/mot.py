"""MOT challenge text: frame, id, left, top, width, height, confidence, then columns that are not read.

Boxes alone; as Poses they have the one-joint skeleton `BOX_CENTER`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from ptfast._columns import frame_of_rows
from ptfast._json import bad_value
from ptfast.io._columns import build, center_columns, repeated_id
from ptfast.io._decimal import corner_and_size, from_corner_and_size, shortest
from ptfast.io._gather import LARGEST, LARGEST_WHOLE
from ptfast.io.joint_sets import BOX_CENTER
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
    numbered = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    places = [f"line {number}" for number, _ in numbered]
    cells = _cells([line for _, line in numbered], file, places)
    rows = _numbers(cells, file, places)

    def refuse(wrong: np.ndarray, column: int, expected: str) -> None:
        if wrong.any():
            row = int(wrong.argmax())
            raise bad_value(file, f"{places[row]}, {_NAMES[column]}", expected, repr(cells[row][column]))

    for column in range(len(_NAMES)):
        refuse(~(np.abs(rows[:, column]) <= LARGEST), column, "a finite number")
    for column in range(2):
        whole = (rows[:, column] % 1 == 0) & (np.abs(rows[:, column]) < LARGEST_WHOLE)
        refuse(~whole, column, "a whole number")
    numbers, ids = rows[:, :2].T.astype(np.int64)
    refuse((numbers < 1) | (numbers > _LAST_FRAME), 0, f"a frame number from 1 to {_LAST_FRAME}")
    refuse(ids < -1, 1, "a track id, or -1 for none")
    if (row := repeated_id(numbers, ids)) is not None:
        raise bad_value(file, places[row], f"each id once in frame {numbers[row]}", f"{ids[row]} twice")
    count = int(numbers.max())
    scores = np.where(rows[:, 6] == -1, 1, rows[:, 6])
    columns = {**center_columns(from_corner_and_size(rows[:, 2:6]), scores), "track_ids": ids}
    frame_ids = np.arange(1, count + 1)
    return build(BOX_CENTER, numbers - 1, count, columns, sequence=sequence, frame_ids=frame_ids)


def _cells(lines: list[str], file: str, places: list[str]) -> list[list[str]]:
    """The first seven cells of each line, after a check that all lines have as many as the first."""
    counts = [line.count(",") + 1 for line in lines]
    least = f"at least {len(_NAMES)}" if counts[0] < len(_NAMES) else str(counts[0])
    for count, place in zip(counts, places, strict=True):
        if count < len(_NAMES) or count != counts[0]:
            raise bad_value(file, place, f"{least} values between commas", count)
    return [line.split(",", len(_NAMES))[: len(_NAMES)] for line in lines]


def _numbers(cells: list[list[str]], file: str, places: list[str]) -> np.ndarray:
    """(N, 7) float64."""
    strict = cells
    if "_" in "".join(chain.from_iterable(cells)):
        strict = [[cell.replace("_", "?") for cell in row] for row in cells]  # Python takes 1_0 for 10
    try:
        return np.array(strict, np.float64)
    except ValueError:
        wrong = ((r, c) for r, row in enumerate(strict) for c, cell in enumerate(row) if not _is_number(cell))
        row, column = next(wrong)
        raise bad_value(file, f"{places[row]}, {_NAMES[column]}", "a number", repr(cells[row][column])) from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def encode_mot(poses: Poses) -> Iterator[str]:
    """Boxes, scores and track ids; frames count from 1, and empty ones at the end are not written.

    Raises:
        ValueError: There are no boxes.
    """
    if not len(poses.boxes):
        raise ValueError("poses must hold at least one box to be written as MOT text, where no box is an empty file")
    columns = (
        (frame_of_rows(poses.frame_offsets) + 1).tolist(),
        poses.track_ids.tolist(),
        *corner_and_size(poses.boxes).T.tolist(),
        shortest(poses.scores).tolist(),
    )
    for row in zip(*columns, strict=True):
        yield ",".join(map(repr, row)) + ",-1,-1,-1\n"
