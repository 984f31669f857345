"""MOT challenge text: frame, id, left, top, width, height, confidence, and in ground truth class and visibility.

Boxes alone; as Poses they have the one-joint skeleton `BOX_CENTER`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import repeat
from typing import Any, NoReturn

import numpy as np

from ptfast._columns import frame_of_rows
from ptfast._json import bad_value
from ptfast.io._columns import build, center_columns, repeated_id
from ptfast.io._decimal import corner_and_size, from_corner_and_size, shortest
from ptfast.io._gather import LARGEST, LARGEST_WHOLE, Rows
from ptfast.io.frame_numbers import MAX_GAP, from_one, numbers_in_video, without_gaps
from ptfast.io.joint_sets import BOX_CENTER
from ptfast.structures import Poses

_NAMES = ("frame", "id", "left", "top", "width", "height", "confidence")
_CLASS = 7
_WITH_CLASS = (8, 9)  # columns; results have 10, where a place in the world may stand in that of the class
_LAST_FRAME = 10_000_000  # a damaged number must not make a sequence of billions of empty frames


def read_mot(text: str, file: str, sequence: str) -> Poses:
    """Poses of a file's text: frames 1 to the last that has a box, by the step that their numbers share.

    The number of a frame is its id. A file that begins after frame 100,000 has no frames before.

    The confidence is the score; -1, MOT's "none", gives 1, and 0 is ground truth's flag for what is not to be scored.
    All boxes of ground truth are kept, people or not: `features["mot_class"]` (N,) int64 is the class of each (1 a
    pedestrian, 7 a person who stands, 12 a reflection, ...) where a file has such a column, as ground truth from MOT16
    on has, of 8 or 9 columns. Results have -1 there, and no such feature.

    Args:
        text: The file's text.
        file: Name for messages.
        sequence: The sequence's name.
    """
    lines = text.splitlines()
    filled = [index for index, line in enumerate(lines) if line.strip()]
    rows = Rows(file, lambda index: f"line {filled[index] + 1}")
    cells = _cells([lines[index] for index in filled], rows)
    values = _numbers(cells, rows)

    def refuse(wrong: np.ndarray, column: int, expected: str) -> None:
        if wrong.any():
            _refuse(rows, cells, int(wrong.argmax()) * len(_NAMES) + column, expected)

    for column in range(len(_NAMES)):
        refuse(~(np.abs(values[:, column]) <= LARGEST), column, "a finite number")
    for column in range(2):
        whole = (values[:, column] % 1 == 0) & (np.abs(values[:, column]) < LARGEST_WHOLE)
        refuse(~whole, column, "a whole number")
    numbers, ids = values[:, :2].T.astype(np.int64)
    refuse((numbers < 1) | (numbers > _LAST_FRAME), 0, f"a frame number from 1 to {_LAST_FRAME}")
    refuse(ids < -1, 1, "a track id, or -1 for none")
    if (row := repeated_id(numbers, ids)) is not None:
        raise bad_value(file, rows.place_of(row), f"each id once in frame {numbers[row]}", f"{ids[row]} twice")
    scores = np.where(values[:, 6] == -1, 1, values[:, 6])
    columns: dict[str, Any] = {**center_columns(from_corner_and_size(values[:, 2:6]), scores), "track_ids": ids}
    columns["features"] = _classes([lines[index] for index in filled])
    ids_of_frames = _frame_ids(numbers, rows, cells)
    frames = np.searchsorted(ids_of_frames, numbers)
    return build(BOX_CENTER, frames, len(ids_of_frames), columns, sequence=sequence, frame_ids=ids_of_frames)


def _frame_ids(numbers: np.ndarray, rows: Rows, cells: list[str]) -> np.ndarray:
    """(F,) int64 rising numbers of the frames, from the number (N,) of each box's."""
    listed, first = np.unique(numbers, return_index=True)

    def refuse(index: int, expected: str) -> NoReturn:
        _refuse(rows, cells, int(first[index]) * len(_NAMES), expected)

    filled = without_gaps(listed, refuse)
    one_by_one = len(filled) == 1 or filled[1] - filled[0] == 1
    return np.arange(1, filled[-1] + 1) if one_by_one and filled[0] <= MAX_GAP else filled


def _refuse(rows: Rows, cells: list[str], index: int, expected: str) -> NoReturn:
    row, column = divmod(index, len(_NAMES))
    raise bad_value(rows.file, f"{rows.place_of(row)}, {_NAMES[column]}", expected, repr(cells[index]))


def _cells(lines: list[str], rows: Rows) -> list[str]:
    """The first seven cells of every line, after a check that all lines have as many as the first."""
    counts = [line.count(",") + 1 for line in lines]
    wrong = [row for row, count in enumerate(counts) if count < len(_NAMES) or count != counts[0]]
    if wrong:
        least = f"at least {len(_NAMES)}" if counts[0] < len(_NAMES) else str(counts[0])
        raise bad_value(rows.file, rows.place_of(wrong[0]), f"{least} values between commas", counts[wrong[0]])
    return [cell for line in lines for cell in line.split(",", len(_NAMES))[: len(_NAMES)]]


def _numbers(cells: list[str], rows: Rows) -> np.ndarray:
    """(N, 7) float64."""
    strict = cells
    if "_" in "".join(cells):
        strict = [cell.replace("_", "?") for cell in cells]  # Python takes 1_0 for 10
    try:
        return np.array(strict, np.float64).reshape(-1, len(_NAMES))
    except ValueError:
        _refuse(rows, cells, next(index for index, cell in enumerate(strict) if not _is_number(cell)), "a number")


def _classes(lines: list[str]) -> dict[str, np.ndarray]:
    """The feature mot_class (N,) of the lines' eighth cells, which must be whole numbers; empty where they are not."""
    if lines[0].count(",") + 1 not in _WITH_CLASS:
        return {}
    cells = [line.split(",", _CLASS + 1)[_CLASS].strip() for line in lines]
    if not all(re.fullmatch(r"-1|[0-9]{1,9}", cell) for cell in cells):
        return {}
    classes = np.array(cells, np.int64)
    return {"mot_class": classes} if (classes >= 0).any() else {}


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def encode_mot(poses: Poses) -> Iterator[str]:
    """Boxes, scores, track ids and, where poses have them, classes; empty frames are not written.

    Frames keep the numbers that ids or names tell. Where one is 0, they count from 0, and MOT's is one more.

    Raises:
        ValueError: There are no boxes, or a number is not one of MOT's.
    """
    if not len(poses.boxes):
        raise ValueError("poses must hold at least one box to be written as MOT text, where no box is an empty file")
    columns = (
        _numbers_to_write(poses)[frame_of_rows(poses.frame_offsets)].tolist(),
        poses.track_ids.tolist(),
        *corner_and_size(poses.boxes).T.tolist(),
        shortest(poses.scores).tolist(),
    )
    classes = poses.features.get("mot_class")
    ends = repeat("-1,-1,-1") if classes is None else (f"{number},-1" for number in classes.tolist())
    for row, end in zip(zip(*columns, strict=True), ends, strict=False):
        yield f"{','.join(map(repr, row))},{end}\n"


def _numbers_to_write(poses: Poses) -> np.ndarray:
    """(F,) int64 numbers from 1."""
    numbers = numbers_in_video(poses)
    if numbers is None:
        return np.arange(1, len(poses) + 1)
    if numbers.min() < 0 or numbers.max() >= _LAST_FRAME:
        wrong = numbers[(numbers < 0) | (numbers >= _LAST_FRAME)][0]
        raise ValueError(
            f"poses.frame_ids must be numbers from 0 to {_LAST_FRAME - 1} to be written as MOT text, got {wrong}"
        )
    filled = numbers[np.diff(poses.frame_offsets) > 0]

    def refuse(index: int, expected: str) -> NoReturn:
        wanted = expected.removeprefix("a frame ")
        raise ValueError(f"poses.frame_ids must be {wanted} to be written as MOT text, got {filled[index]}")

    without_gaps(filled, refuse)  # such a file would be refused by the reader
    return from_one(numbers)
