"""Reads PoseTrack 2017 JSON (annolist), ground truth and predictions."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from ptfast.io._bulk import check_types, optional_single, require, singles, uniform_columns
from ptfast.io._place import BULK_ERRORS, LARGEST_WHOLE, Place, read_checked, sequence_name
from ptfast.io._posetrack17_check import check_annolist
from ptfast.io._rows import boxes_or_extents, build, check_ids, joint_scores, mask_of, polygons, pose_scores
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses

_JOINTS = len(POSETRACK_15)
_HEAD_KEYS = ("x1", "y1", "x2", "y2")
_POINT_KEYS = ("id", "x", "y", "is_visible", "score")


def read_posetrack17(document: Any, file: str, sequence: str) -> Poses:
    """Poses of a parsed file: joints that a person lacks are absent, is_visible 0 is hidden, boxes span the joints.

    Args:
        document: The parsed JSON.
        file: Name for messages.
        sequence: The sequence's name where the file has none.
    """
    return read_checked(Place(file, document), partial(_build, file=file, sequence=sequence), check_annolist)


def _build(document: Any, file: str, sequence: str) -> Poses:
    frames = document["annolist"]
    per_frame = [frame.get("annorect", []) for frame in frames]
    check_types((frames, *per_frame), list)
    people = list(chain.from_iterable(per_frame))
    frame_of = np.repeat(np.arange(len(frames)), list(map(len, per_frame)))
    columns = _pose_columns(people)
    check_ids(frame_of, columns["track_ids"])
    name = sequence_name(Place(file, document), sequence)
    return build(POSETRACK_15, frame_of, len(frames), columns, sequence=name, **_frame_columns(frames))


def _pose_columns(people: list[dict[str, Any]]) -> dict[str, Any]:
    n = len(people)
    keypoints, visibility, with_joint_score, given = _joints(people)
    scores = joint_scores(with_joint_score, given, visibility)
    with_score, score = _filled(people, "score", 0)
    corners = [_filled(people, key, np.nan) for key in _HEAD_KEYS]
    require(all(np.array_equal(index, corners[0][0]) for index, _ in corners))
    return {
        "keypoints": keypoints,
        "joint_scores": scores,
        "joint_visibility": visibility,
        "boxes": boxes_or_extents(np.zeros(n, bool), np.zeros((n, 4)), keypoints, visibility),
        "scores": pose_scores(mask_of(with_score, n), score, scores, visibility),
        "track_ids": _whole(_filled(people, "track_id", -1)[1]),
        "head_boxes": np.stack([values for _, values in corners], 1) if corners[0][0].size else None,
    }


def _joints(people: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Keypoints (N, 15, 2), visibility, whether there is a score, and the score (N, 15) of all people."""
    lists = _points(people)
    points = list(chain.from_iterable(lists))
    columns = _point_columns(points)
    require(all(len(columns[key][0]) == len(points) for key in ("id", "x", "y")))
    ids, x, y = (columns[key][1] for key in ("id", "x", "y"))
    require(((ids >= 0) & (ids < _JOINTS)).all())
    place = np.repeat(np.arange(len(people)), list(map(len, lists))) * _JOINTS + _whole(ids)
    shape = (len(people), _JOINTS)
    require((np.bincount(place) <= 1).all())
    keypoints = np.zeros((*shape, 2))
    keypoints.reshape(-1, 2)[place] = np.stack([x, y], 1)
    visibility = np.zeros(shape, np.uint8)
    visibility.flat[place] = 2
    index, visible = columns["is_visible"]
    require(((visible == 0) | (visible == 1)).all())
    visibility.flat[place[index]] = 1 + visible
    index, score = columns["score"]
    with_score, scores = np.zeros(shape, bool), np.zeros(shape)
    with_score.flat[place[index]] = True
    scores.flat[place[index]] = score
    return keypoints, visibility, with_score, scores


def _points(people: list[dict[str, Any]]) -> list[list[Any]]:
    """The points of each person."""
    parts = [person.get("annopoints", []) for person in people]
    check_types(parts, list)
    require(set(map(len, parts)) <= {0, 1})
    lists = [part[0].get("point", []) if part else [] for part in parts]
    check_types(lists, list)
    return lists


def _point_columns(points: list[dict[str, Any]]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By key, indices of the points that have it and their numbers."""
    try:
        uniform = uniform_columns(points)
    except BULK_ERRORS:
        return {key: optional_single(points, key) for key in _POINT_KEYS}
    everyone, nobody = np.arange(len(points)), np.zeros(0, np.int64)
    return {key: (everyone, uniform[key]) if key in uniform else (nobody, np.zeros(0)) for key in _POINT_KEYS}


def _filled(objects: list[dict[str, Any]], key: str, fill: float) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the objects that have a key, and (len(objects),) float64 numbers, `fill` where one lacks it."""
    index, numbers = optional_single(objects, key)
    values = np.full(len(objects), fill, np.float64)
    values[index] = numbers
    return index, values


def _whole(values: np.ndarray) -> np.ndarray:
    """int64 of whole numbers."""
    require(((values % 1 == 0) & (np.abs(values) < LARGEST_WHOLE)).all())
    return values.astype(np.int64)


def _frame_columns(frames: list[dict[str, Any]]) -> dict[str, Any]:
    images = [frame["image"] for frame in frames]
    check_types(images, list)
    require(set(map(len, images)) <= {1})
    names = [image[0]["name"] for image in images]
    check_types(names, str)
    require(len(set(names)) == len(names))
    numbered, numbers = optional_single(frames, "imgnum")
    require(len(set(numbers.tolist())) == len(numbered))
    frame_ids = _whole(numbers)
    flagged, labeled = _filled(frames, "is_labeled", 1)
    require(((labeled == 0) | (labeled == 1)).all())
    return {
        "frame_names": tuple(names) if names else None,
        "frame_ids": frame_ids if 0 < len(numbered) == len(frames) else None,
        "is_labeled": labeled > 0 if flagged.size else None,
        "ignore_regions": polygons([_regions(frame) for frame in frames]),
    }


def _regions(frame: dict[str, Any]) -> list[np.ndarray]:
    """The frame's polygons."""
    regions = frame.get("ignore_regions", [])
    check_types((regions, *(region["point"] for region in regions)), list)
    return [_polygon(region["point"]) for region in regions]


def _polygon(points: list[dict[str, Any]]) -> np.ndarray:
    """(V, 2) float64."""
    return np.stack([singles([point[key] for point in points]) for key in ("x", "y")], 1)
