"""Reads PoseTrack 2017 JSON (annolist), ground truth and predictions."""

from __future__ import annotations

from functools import partial
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from ptfast.io._bulk import check_types, floats, optional, require, table
from ptfast.io._place import LARGEST_WHOLE, Place, read_checked, sequence_name
from ptfast.io._posetrack17_check import check_annolist
from ptfast.io._rows import boxes_or_extents, build, joint_scores, mask_of, polygons, pose_scores, repeated_id
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses

_JOINTS = len(POSETRACK_15)
_HEAD_KEYS = ("x1", "y1", "x2", "y2")


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
    require(repeated_id(frame_of, columns["track_ids"]) is None)
    name = sequence_name(Place(file, document), sequence)
    return build(POSETRACK_15, frame_of, len(frames), columns, sequence=name, **_frame_columns(frames))


def _pose_columns(people: list[dict[str, Any]]) -> dict[str, Any]:
    n = len(people)
    keypoints, visibility, with_joint_score, given = _joints(people)
    scores = joint_scores(with_joint_score, given, visibility)
    with_score, score = _singles(people, "score", 0)
    corners = [_singles(people, key, np.nan) for key in _HEAD_KEYS]
    require(all(np.array_equal(index, corners[0][0]) for index, _ in corners))
    track_ids = _singles(people, "track_id", -1)[1]
    require(_whole(track_ids))
    return {
        "keypoints": keypoints,
        "joint_scores": scores,
        "joint_visibility": visibility,
        "boxes": boxes_or_extents(np.zeros(n, bool), np.zeros((n, 4)), keypoints, visibility),
        "scores": pose_scores(mask_of(with_score, n), score, scores, visibility),
        "track_ids": track_ids.astype(np.int64),
        "head_boxes": np.stack([values for _, values in corners], 1) if corners[0][0].size else None,
    }


def _joints(people: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Keypoints (N, 15, 2), visibility, whether there is a score, and the score (N, 15) of all people."""
    lists = [_points(person) for person in people]
    points = list(chain.from_iterable(lists))
    values = table(list(chain.from_iterable(map(itemgetter("id", "x", "y"), points))), 1).reshape(-1, 3)
    person = np.repeat(np.arange(len(people)), list(map(len, lists)))
    joint = values[:, 0].astype(np.int64)
    require(((joint == values[:, 0]) & (joint >= 0) & (joint < _JOINTS)).all())
    place = person * _JOINTS + joint
    require(len(np.unique(place)) == len(place))
    shape = (len(people), _JOINTS)
    keypoints = np.zeros((*shape, 2))
    keypoints.reshape(-1, 2)[place] = values[:, 1:]
    visibility = np.zeros(shape, np.uint8)
    visibility.flat[place] = np.where(_singles(points, "is_visible", 1)[1] > 0, 2, 1)
    index, score = _singles(points, "score", 0)
    with_score, scores = np.zeros(shape, bool), np.zeros(shape)
    with_score.flat[place[index]] = True
    scores.flat[place] = score
    return keypoints, visibility, with_score, scores


def _points(person: dict[str, Any]) -> list[Any]:
    parts = person.get("annopoints", [])
    check_types((parts,), list)
    require(len(parts) <= 1)
    points = parts[0].get("point", []) if parts else []
    check_types((points,), list)
    return points


def _singles(objects: list[dict[str, Any]], key: str, fill: float) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the objects that have a key, and (len(objects),) float64 values from its lists of one number."""
    index, lists = optional(objects, key)
    values = np.full(len(objects), fill, np.float64)
    values[index] = table(lists, 1)[:, 0]
    return index, values


def _whole(values: np.ndarray) -> bool:
    return bool(((values % 1 == 0) & (np.abs(values) < LARGEST_WHOLE)).all())


def _frame_columns(frames: list[dict[str, Any]]) -> dict[str, Any]:
    images = [frame["image"] for frame in frames]
    check_types(images, list)
    require(set(map(len, images)) <= {1})
    names = [image[0]["name"] for image in images]
    check_types(names, str)
    require(len(set(names)) == len(names))
    numbered, numbers = _singles(frames, "imgnum", 0)
    require(len(np.unique(numbers[numbered])) == len(numbered))
    require(_whole(numbers))
    flagged, labeled = _singles(frames, "is_labeled", 1)
    return {
        "frame_names": tuple(names) if names else None,
        "frame_ids": numbers.astype(np.int64) if 0 < len(numbered) == len(frames) else None,
        "is_labeled": labeled > 0 if flagged.size else None,
        "ignore_regions": polygons([_regions(frame) for frame in frames]),
    }


def _regions(frame: dict[str, Any]) -> list[np.ndarray] | None:
    """The frame's polygons; None where it says nothing of them."""
    if "ignore_regions" not in frame:
        return None
    check_types((frame["ignore_regions"], *(region["point"] for region in frame["ignore_regions"])), list)
    return [_polygon(region["point"]) for region in frame["ignore_regions"]]


def _polygon(points: list[dict[str, Any]]) -> np.ndarray:
    """(V, 2) float64."""
    return np.stack([floats(list(chain.from_iterable(_ones(points, key)))) for key in ("x", "y")], 1)


def _ones(points: list[dict[str, Any]], key: str) -> list[list[Any]]:
    lists = [point[key] for point in points]
    check_types(lists, list)
    require(set(map(len, lists)) <= {1})
    return lists
