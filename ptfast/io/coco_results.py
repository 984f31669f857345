"""COCO results: a JSON list of detections, each with its image's id."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from ptfast.io._bulk import check_types, integers, optional_floats, optional_integers, optional_table, table
from ptfast.io._decimal import corner_and_size, from_corner_and_size, shortest
from ptfast.io._joint_sets import BOX_CENTER
from ptfast.io._json import listing
from ptfast.io._place import Place, read_checked
from ptfast.io._rows import areas_or_none, boxes_or_extents, build, check_ids, mask_of, pose_scores
from ptfast.io._scored import center_columns, check_scored, scored_joints, triples_of
from ptfast.io._sequences import frames_of_rows
from ptfast.skeletons import COCO_17
from ptfast.structures import Poses


def read_coco_results(document: Any, file: str, sequence: str) -> Poses:
    """Poses of a parsed file; the image ids that occur become the frames, in ascending order.

    Keypoints are COCO's 17 joints as x, y, score; a joint of zeros is absent. Where the first entry has no keypoints
    the file is one of boxes, which become poses of `BOX_CENTER`.

    Args:
        document: The parsed JSON.
        file: Name for messages.
        sequence: The sequence's name.
    """
    return read_checked(Place(file, document), partial(_build, sequence=sequence), _check)


def encode_coco_results(poses: Poses) -> Iterator[str]:
    """Keypoints, all scores, boxes, areas, track ids and frame ids; frames without poses are not written.

    Raises:
        ValueError: The skeleton is neither COCO's nor that of boxes.
    """
    if poses.skeleton not in (COCO_17, BOX_CENTER):
        raise ValueError(
            f"poses must have the skeleton coco_17 to be written as COCO results, got {poses.skeleton.name}"
        )
    ids = np.arange(1, len(poses) + 1) if poses.frame_ids is None else poses.frame_ids
    columns: dict[str, list[Any]] = {
        "image_id": ids[frames_of_rows(poses)].tolist(),
        "category_id": [1] * len(poses.keypoints),
        "score": shortest(poses.scores).tolist(),
        "bbox": corner_and_size(poses.boxes).tolist(),
        "track_id": [number if number >= 0 else None for number in poses.track_ids.tolist()],
    }
    if poses.skeleton == COCO_17:
        columns["keypoints"] = triples_of(poses)
    if poses.areas is not None:
        columns["area"] = shortest(poses.areas).tolist()
    rows = range(len(poses.keypoints))
    yield "["
    yield from listing({key: values[row] for key, values in columns.items() if values[row] is not None} for row in rows)
    yield "]\n"


def _has_keypoints(document: Any) -> bool:
    return not document or "keypoints" in document[0]


def _build(document: Any, sequence: str) -> Poses:
    check_types((document,), list)
    n = len(document)
    images, frames = np.unique(integers([entry["image_id"] for entry in document]), return_inverse=True)
    with_score, score = optional_floats(document, "score", 0)
    with_area, areas = optional_floats(document, "area", 0)
    if _has_keypoints(document):
        skeleton = COCO_17
        joints = scored_joints(table([entry["keypoints"] for entry in document], 51).reshape(n, 17, 3))
        with_box, corners = optional_table(document, "bbox", 4, 0)
        given = mask_of(with_box, n), from_corner_and_size(corners)
        boxes = boxes_or_extents(*given, joints["keypoints"], joints["joint_visibility"])
        scores = pose_scores(mask_of(with_score, n), score, joints["joint_scores"], joints["joint_visibility"])
        columns: dict[str, Any] = {**joints, "boxes": boxes, "scores": scores}
    else:
        skeleton = BOX_CENTER
        boxes = from_corner_and_size(table([entry["bbox"] for entry in document], 4))
        columns = center_columns(boxes, np.where(mask_of(with_score, n), score, 1))
    columns["track_ids"] = optional_integers(document, "track_id", -1)[1]
    check_ids(frames, columns["track_ids"])
    columns["areas"] = areas_or_none(with_area, areas, boxes)
    return build(skeleton, frames.ravel(), len(images), columns, sequence=sequence, frame_ids=images)


def _check(document: Place) -> None:
    """Raises ValueError at the first value that `_build` does not accept."""
    entries = list(document.items("a list of detections"))
    for entry in entries:
        entry.mapping()
    needed = ("keypoints", 51) if _has_keypoints(document.value) else ("bbox", 4)
    seen: set[tuple[int, int]] = set()
    for entry in entries:
        image = entry["image_id"].integer()
        entry[needed[0]].numbers(needed[1])
        check_scored(entry, boxes=("bbox",))
        track = entry.get("track_id")
        if track is not None and track.value >= 0:
            if (image, track.value) in seen:
                track.fail(f"each track id once in image {image}", f"{track.value} twice")
            seen.add((image, track.value))
