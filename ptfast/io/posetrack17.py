"""PoseTrack 2017 JSON (annolist), where every value stands in a list."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise
from typing import Any

import msgspec
import numpy as np

from ptfast._columns import is_sentinel
from ptfast._json import Content, bad_value, elements, member
from ptfast.io._columns import (
    boxes_or_extents,
    build,
    check_distinct_ids,
    joint_scores,
    known_scores,
    polygons,
    pose_scores,
    scored_feature,
    sequence_name,
)
from ptfast.io._decimal import number_texts
from ptfast.io._gather import LARGEST_WHOLE, Numbers, Objects, Rows, decode_all
from ptfast.io._writing import (
    Texts,
    distinct_frame_names,
    dumps,
    id_texts,
    joint_scored,
    lines,
    object_texts,
    posetrack_ids,
)
from ptfast.io.frame_numbers import ids_to_write, in_order
from ptfast.skeletons import POSETRACK_15, POSETRACK_17
from ptfast.structures import Poses

_JOINTS = len(POSETRACK_15)
_HEAD_KEYS = ("x1", "y1", "x2", "y2")
_BATCH = 4  # frames that are decoded at a time
# Text at once, not a dict for the encoder: a large file has millions of points, and this takes a third of the time.
_POINT = '{"id":[%d],"x":[%s],"y":[%s],"is_visible":[%d]%s}'

Columns = dict[str, np.ndarray]
Single = tuple[float]


class _Point(msgspec.Struct, gc=False):
    id: Single
    x: Single
    y: Single
    is_visible: Numbers = ()
    score: Numbers = ()


class _Points(msgspec.Struct, gc=False):
    point: tuple[_Point, ...] = ()


class _Person(msgspec.Struct, gc=False):
    annopoints: tuple[_Points, ...] = ()
    track_id: Numbers = ()
    score: Numbers = ()
    x1: Numbers = ()
    y1: Numbers = ()
    x2: Numbers = ()
    y2: Numbers = ()


class _Image(msgspec.Struct, gc=False):
    name: str


class _RegionPoint(msgspec.Struct, gc=False):
    x: Single
    y: Single


class _Region(msgspec.Struct, gc=False):
    point: tuple[_RegionPoint, ...]


class _Frame(msgspec.Struct, gc=False):
    image: tuple[_Image]
    annorect: tuple[_Person, ...] = ()
    imgnum: Numbers = ()
    is_labeled: Numbers = ()
    ignore_regions: tuple[_Region, ...] = ()


def read_posetrack17(parts: dict[str, Content], file: str, sequence: str) -> Poses:
    """Poses of a file: joints that a person lacks are absent, is_visible 0 is hidden, boxes span the joints.

    Points whose x or y is NaN are absent, too, and so are those of score 0 at (0, 0), (-1, -1) and the like, unless
    is_visible is 1. A score that is NaN is missing.

    Frames have the numbers that imgnum gives or, where some frame lacks it, that names tell.

    Args:
        parts: The file's values by key.
        file: Name for messages.
        sequence: The sequence's name where the file has none.
    """
    rows = Rows(file, "annolist[{}]".format)
    raw = _gather(elements(member(parts, "annolist", file), file, "annolist"), rows)
    rows.check_distinct("image[0].name", raw["names"], "a distinct one for each frame")
    numbered = np.flatnonzero(raw["with_number"])
    with_number = Rows(file, lambda index: rows.place_of(int(numbered[index])))
    with_number.check_distinct("imgnum", raw["numbers"][numbered], "a distinct one for each frame")
    count = len(raw["names"])
    about = {
        "frame_names": tuple(raw["names"]) if count else None,
        "frame_ids": raw["numbers"] if 0 < len(numbered) == count else None,
        "is_labeled": raw["labels"] > 0 if raw["with_label"].any() else None,
        "ignore_regions": polygons(raw["regions"].tolist()),
    }
    frames, about = in_order(np.repeat(np.arange(count), raw["people"]), about)
    name = sequence_name(parts, file, sequence)
    return build(POSETRACK_15, frames, count, _pose_columns(raw), sequence=name, **about)


def _gather(frames: list[Content], rows: Rows) -> Columns:
    """The columns of a file, gathered batch by batch: numbers that stay in the processor's cache cost half the time."""
    starts = range(0, max(len(frames), 1), _BATCH)
    batches = (decode_all(frames[first : first + _BATCH], _Frame, rows.after(first)) for first in starts)
    parts = list(map(_file_columns, batches))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _file_columns(frames: Objects) -> Columns:
    """Columns of frames, of the people in them and of these people's joints, as they stand in the file."""
    lists = frames.values("annorect")
    counts = np.array(list(map(len, lists)), np.int64)
    people = frames.inside("annorect", counts).of(list(chain.from_iterable(lists)))
    with_number, numbers = frames.optional_numbers("imgnum", 1, 0)
    with_label, labels = frames.optional_numbers("is_labeled", 1, 1)
    _check_binary(frames, "is_labeled", labels[:, 0])
    track_ids = _whole(people, "track_id", people.optional_numbers("track_id", 1, -1)[1][:, 0])
    people.refuse(track_ids < -1, "track_id", "a track id, or -1 for none", track_ids)
    frame_of = np.repeat(np.arange(len(counts)), counts)
    check_distinct_ids(frame_of, track_ids, people, lambda row: frames.place_of(int(frame_of[row])))
    with_score, scores = people.optional_numbers("score", 1, 0)
    with_head, head_boxes = _head_boxes(people)
    return {
        "names": np.array([frame.image[0].name for frame in frames.objects], object),
        "with_number": with_number,
        "numbers": _whole(frames, "imgnum", numbers[:, 0]),
        "with_label": with_label,
        "labels": labels[:, 0],
        "regions": np.fromiter((_regions(frames, index) for index in range(len(frames))), object, len(frames)),
        "people": counts,
        "track_ids": track_ids,
        "with_score": with_score,
        "scores": scores[:, 0],
        "with_head": with_head,
        "head_boxes": head_boxes,
        **_joint_columns(people),
    }


def _head_boxes(people: Objects) -> tuple[np.ndarray, np.ndarray]:
    """(n,) bool, who has a head box, and (n, 4) xyxy, NaN for the others."""
    corners = [people.optional_numbers(key, 1, np.nan) for key in _HEAD_KEYS]
    anyone = np.any([given for given, _ in corners], 0)
    for key, (given, _) in zip(_HEAD_KEYS, corners, strict=True):
        if (given != anyone).any():
            place = people.place_of(int((given != anyone).argmax()))
            raise bad_value(people.file, place, f"the key {key!r}", "an object without it")
    return anyone, np.concatenate([values for _, values in corners], 1)


def _joint_columns(people: Objects) -> Columns:
    """Columns of the people's joints, (n, 15) each or more."""
    parts = people.values("annopoints")
    lengths = np.array(list(map(len, parts)), np.int64)
    people.refuse(lengths > 1, "annopoints", "at most one list of points", lengths)
    lists = [part[0].point if part else () for part in parts]
    counts = np.array(list(map(len, lists)), np.int64)
    points = people.inside("annopoints[0].point", counts).of(list(chain.from_iterable(lists)))
    xy = np.concatenate([points.numbers(key, 1, nan=True) for key in ("x", "y")], 1)
    absent = np.isnan(xy).any(1)
    with_flag, flags = points.optional_numbers("is_visible", 1, 1)
    _check_binary(points, "is_visible", flags[:, 0])
    with_score, given_scores = known_scores(*points.optional_numbers("score", 1, 0, nan=True))
    with_score, given_scores = with_score[:, 0], given_scores[:, 0]
    none = absent | (with_score & ~(with_flag & (flags[:, 0] == 1)) & is_sentinel(xy, given_scores))

    shape = (len(people), _JOINTS)
    joint = _joint_places(points, counts)
    keypoints, visibility = np.zeros((*shape, 2)), np.zeros(shape, np.uint8)
    keypoints.reshape(-1, 2)[joint] = np.where(none[:, None], 0, xy)
    visibility.flat[joint] = np.where(none, 0, 1 + flags[:, 0])
    known, scores = np.zeros(shape, bool), np.zeros(shape)
    known.flat[joint], scores.flat[joint] = with_score, np.where(absent, 0, given_scores)
    return {"keypoints": keypoints, "visibility": visibility, "with_joint_score": known, "joint_scores": scores}


def _joint_places(points: Objects, counts: np.ndarray) -> np.ndarray:
    """(P,) int64 index of each point's joint among the joints of all people, of whom each has `counts` points."""
    ids = points.numbers("id", 1)[:, 0]
    wrong = (ids % 1 != 0) | (ids < 0) | (ids >= _JOINTS)
    points.refuse(wrong, "id", f"a joint number from 0 to {_JOINTS - 1}", ids)
    joint = np.repeat(np.arange(len(counts)), counts) * _JOINTS + ids.astype(np.int64)
    if np.bincount(joint).max(initial=0) > 1:
        for person, last in enumerate(np.cumsum(counts)):
            first = last - counts[person]
            points.after(int(first)).check_distinct("id", ids[first:last].astype(np.int64), "each joint once")
    return joint


def _regions(frames: Objects, index: int) -> list[np.ndarray]:
    """The polygons of a frame, (V, 2) float64 each."""
    polygons = []
    for number, region in enumerate(frames.objects[index].ignore_regions):
        polygon = np.array([[point.x[0], point.y[0]] for point in region.point], np.float64).reshape(-1, 2)
        for vertex, xy in enumerate(polygon):
            frames.check_finite(index, f"ignore_regions[{number}].point[{vertex}]", xy)
        polygons.append(polygon)
    return polygons


def _check_binary(objects: Objects, key: str, values: np.ndarray) -> None:
    objects.refuse((values != 0) & (values != 1), key, "a list of 0 or 1", values)


def _whole(objects: Objects, key: str, values: np.ndarray) -> np.ndarray:
    """int64 of whole numbers (n,)."""
    wrong = (values % 1 != 0) | (np.abs(values) >= LARGEST_WHOLE)
    objects.refuse(wrong, key, "a list of one whole number", values)
    return values.astype(np.int64)


def _pose_columns(raw: Columns) -> dict[str, Any]:
    """Pose columns of Poses in file order."""
    keypoints, visibility = raw["keypoints"], raw["visibility"]
    scores = joint_scores(raw["with_joint_score"], raw["joint_scores"], visibility)
    nobody, no_boxes = np.zeros(len(keypoints), bool), np.zeros((len(keypoints), 4))
    return {
        "keypoints": keypoints,
        "joint_scores": scores,
        "joint_visibility": visibility,
        "boxes": boxes_or_extents(nobody, no_boxes, keypoints, visibility),
        "scores": pose_scores(raw["with_score"], raw["scores"], scores, visibility),
        "track_ids": raw["track_ids"],
        "head_boxes": raw["head_boxes"] if raw["with_head"].any() else None,
        "features": scored_feature(raw["with_joint_score"], visibility),
    }


def encode_posetrack17(poses: Poses) -> Iterator[str]:
    """PoseTrack 2017: 17 joints become 15, ids are renumbered, boxes, areas and image sizes are not written.

    Raises:
        ValueError: The skeleton is not one of PoseTrack's, or there are more than 10,000 track ids.
    """
    if poses.skeleton == POSETRACK_17:
        poses = poses.to_skeleton(POSETRACK_15)
    if poses.skeleton != POSETRACK_15:
        raise ValueError(
            f"poses must have the skeleton posetrack_15 or posetrack_17 to be written as PoseTrack 2017, "
            f"got {poses.skeleton.name}"
        )
    yield '{"annolist":['
    yield from lines(_frame_texts(poses))
    yield "]"
    yield f',\n"sequence":{dumps(poses.sequence)}}}\n' if poses.sequence else "}\n"


def _frame_texts(poses: Poses) -> Iterator[str]:
    numbers = ids_to_write(poses, first=1).tolist()
    labeled = None if poses.is_labeled is None else poses.is_labeled.astype(int).tolist()
    people = _person_texts(poses)
    for frame, (name, number) in enumerate(zip(distinct_frame_names(poses), numbers, strict=True)):
        first, last = poses.frame_offsets[frame : frame + 2]
        entry: dict[str, Any] = {"image": [{"name": name}], "imgnum": [number]}
        if labeled is not None:
            entry["is_labeled"] = [labeled[frame]]
        if poses.ignore_regions is not None:
            regions = [polygon.tolist() for polygon in poses.ignore_regions[frame]]
            entry["ignore_regions"] = [{"point": [{"x": [x], "y": [y]} for x, y in region]} for region in regions]
        yield f'{dumps(entry)[:-1]},"annorect":[{",".join(people[first:last])}]}}'


def _person_texts(poses: Poses) -> list[str]:
    """The annorect of every pose; a person without joints has no points."""
    columns: Texts = {}
    if poses.head_boxes is not None:
        known = ~np.isnan(poses.head_boxes[:, 0])
        for key, values in zip(_HEAD_KEYS, poses.head_boxes.T, strict=True):
            columns[key] = [text if here else None for text, here in zip(number_texts(values), known, strict=True)]
    columns["track_id"] = id_texts(posetrack_ids(poses))
    columns["score"] = list(number_texts(poses.scores))
    singles = {key: [text and f"[{text}]" for text in texts] for key, texts in columns.items()}
    return list(object_texts({**singles, "annopoints": _point_texts(poses)}))


def _point_texts(poses: Poses) -> list[str | None]:
    """The annopoints of every pose, with the joints that are there."""
    row, joint = np.nonzero(poses.joint_visibility)
    visible = (poses.joint_visibility[row, joint] == 2).astype(int)
    x, y = map(number_texts, poses.keypoints[row, joint].T)
    known = joint_scored(poses)[row, joint].tolist()
    texts = number_texts(poses.joint_scores[row, joint])
    scores = [f',"score":[{text}]' if scored else "" for text, scored in zip(texts, known, strict=True)]
    points = list(map(_POINT.__mod__, zip(joint.tolist(), x, y, visible.tolist(), scores, strict=True)))
    starts = np.searchsorted(row, np.arange(len(poses.keypoints) + 1)).tolist()
    return [
        f'[{{"point":[{",".join(points[first:last])}]}}]' if last > first else "[]" for first, last in pairwise(starts)
    ]
