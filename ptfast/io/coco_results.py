"""COCO results: a JSON list of detections, each with its image's id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec
import numpy as np
from msgspec import UNSET

from ptfast._columns import frame_of_rows
from ptfast._json import Content, decode
from ptfast.io._columns import (
    areas_or_none,
    build,
    center_columns,
    check_distinct_ids,
    scored_columns,
)
from ptfast.io._decimal import corner_and_size, from_corner_and_size, list_texts, number_texts
from ptfast.io._gather import Numbers, Objects, OptionalInteger, OptionalNumber, Rows, pack_lists
from ptfast.io._writing import Texts, id_texts, lines, object_texts, scored_texts
from ptfast.io.frame_numbers import ids_to_write, mostly_there, without_gaps
from ptfast.io.joint_sets import BOX_CENTER
from ptfast.skeletons import COCO_17
from ptfast.structures import Poses


class _Detection(msgspec.Struct, gc=False):
    image_id: int
    score: OptionalNumber = ()
    bbox: Numbers = ()
    area: OptionalNumber = ()
    track_id: OptionalInteger = ()


class _PoseDetection(_Detection, kw_only=True, gc=False):
    keypoints: Numbers


class _Kind(msgspec.Struct):
    keypoints: Any = UNSET


def read_coco_results(detections: list[Content], file: str, sequence: str) -> Poses:
    """Poses of a file; the image ids that occur are the frames' numbers, in rising order.

    Where at least half of the numbers in between occur, they are a video's, and the others are frames without anybody.

    Keypoints are COCO's 17 joints as x, y, score; a joint whose x or y is NaN is absent, and so is one of score 0 at
    (0, 0), (-1, -1) and the like. Where the first entry has no keypoints the file is one of boxes, which become poses
    of `BOX_CENTER`.

    Args:
        detections: The file's entries.
        file: Name for messages.
        sequence: The sequence's name.
    """
    rows = Rows(file, "[{}]".format)
    if not detections or decode(detections[0], _Kind, file, "[0]").keypoints is not UNSET:
        entries = pack_lists(detections, _PoseDetection, {"keypoints": 3 * len(COCO_17), "bbox": 4}, rows)
        with_box, corners = entries.optional_numbers("bbox", 4, 0)
        skeleton, columns = COCO_17, scored_columns(entries, len(COCO_17), with_box, from_corner_and_size(corners))
    else:
        entries = pack_lists(detections, _Detection, {"bbox": 4}, rows)
        skeleton, columns = BOX_CENTER, _box_columns(entries)
    numbers = entries.optional_integers("image_id", 0)[1]
    check_distinct_ids(numbers, columns["track_ids"], rows, lambda row: f"image {numbers[row]}")
    ids = _frame_ids(numbers, rows)
    return build(skeleton, np.searchsorted(ids, numbers), len(ids), columns, sequence=sequence, frame_ids=ids)


def _frame_ids(numbers: np.ndarray, rows: Rows) -> np.ndarray:
    """(F,) int64 rising ids of the frames, from the image id (N,) of each pose."""
    ids, first = np.unique(numbers, return_index=True)
    if not mostly_there(ids):
        return ids

    def refuse(index: int, expected: str) -> NoReturn:
        rows.fail(int(first[index]), "image_id", expected, ids[index])

    return without_gaps(ids, refuse)


def _box_columns(entries: Objects) -> dict[str, Any]:
    """Pose columns of Poses in file order, of boxes alone."""
    boxes = from_corner_and_size(entries.numbers("bbox", 4))
    columns = center_columns(boxes, entries.optional_number("score", 1)[1])
    return {**columns, "track_ids": entries.track_ids(), "areas": areas_or_none(entries, boxes)}


def encode_coco_results(poses: Poses) -> Iterator[str]:
    """Keypoints, all scores, boxes, areas, track ids and frame ids; frames without poses are not written.

    Raises:
        ValueError: The skeleton is neither COCO's nor that of boxes.
    """
    if poses.skeleton not in (COCO_17, BOX_CENTER):
        raise ValueError(
            f"poses must have the skeleton coco_17 to be written as COCO results, got {poses.skeleton.name}"
        )
    ids = ids_to_write(poses, first=1)
    columns: Texts = {
        "image_id": list(map(str, ids[frame_of_rows(poses.frame_offsets)].tolist())),
        "category_id": ["1"] * len(poses.keypoints),
        "score": number_texts(poses.scores),
        "bbox": list_texts(corner_and_size(poses.boxes)),
        "track_id": id_texts(poses.track_ids),
    }
    if poses.skeleton == COCO_17:
        columns["keypoints"] = scored_texts(poses)
    if poses.areas is not None:
        columns["area"] = number_texts(poses.areas)
    yield "["
    yield from lines(object_texts(columns))
    yield "]\n"
