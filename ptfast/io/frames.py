"""The package's own simple JSON: per-frame poses or detections, from any tool that can write a dict of lists.

    {"skeleton": "coco_17",
     "sequence": "walk",
     "frames": {"000000.jpg": [{"keypoints": [x, y, score, x, y, score, ...],
                                "score": 0.9, "box": [x1, y1, x2, y2], "area": 5000.0, "track_id": 3}, ...],
                "000001.jpg": [], ...}}

Frames come in the file's order. Of a pose, only "keypoints" is needed; a joint with x, y and score all 0 is absent.
"skeleton" is the name of a known one or what `Skeleton.from_json` reads; without it 17 joints are COCO's and 15 are
PoseTrack 2017's. The object of frames may also stand alone, without "frames" about it, and "origbox" is read as "box":
that is the form in which py-globalflow keeps its detections. Other keys are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from ptfast.io._bulk import check_types, optional_floats, optional_integers, optional_table, table
from ptfast.io._decimal import shortest
from ptfast.io._joint_sets import describe_skeleton, parse_skeleton
from ptfast.io._json import dumps
from ptfast.io._place import Place, read_checked, sequence_name
from ptfast.io._rows import areas_or_none, boxes_or_extents, build, check_ids, mask_of, pose_scores
from ptfast.io._scored import check_scored, scored_joints, triples_of
from ptfast.io._sequences import distinct_frame_names
from ptfast.skeletons import COCO_17, POSETRACK_15, Skeleton
from ptfast.structures import Poses


def read_frames(document: Any, file: str, sequence: str) -> Poses:
    """Poses of a parsed file.

    Args:
        document: The parsed JSON.
        file: Name for messages.
        sequence: The sequence's name where the file has none.
    """
    return read_checked(Place(file, document), partial(_build, file=file, sequence=sequence), _check)


def encode_frames(poses: Poses) -> Iterator[str]:
    """Frame names, keypoints, all scores, boxes, areas and track ids; the rest is not written."""
    head = {"skeleton": describe_skeleton(poses.skeleton)} | ({"sequence": poses.sequence} if poses.sequence else {})
    yield dumps(head)[:-1] + ',"frames":{'
    columns = {
        "keypoints": triples_of(poses),
        "score": shortest(poses.scores).tolist(),
        "box": shortest(poses.boxes).tolist(),
        "track_id": [number if number >= 0 else None for number in poses.track_ids.tolist()],
    }
    if poses.areas is not None:
        columns["area"] = shortest(poses.areas).tolist()
    separator = "\n"
    for frame, name in enumerate(distinct_frame_names(poses)):
        rows = range(*poses.frame_offsets[frame : frame + 2])
        people = [{key: values[row] for key, values in columns.items() if values[row] is not None} for row in rows]
        yield f"{separator}{dumps(name)}:{dumps(people)}"
        separator = ",\n"
    yield "}}\n"


def _frames(document: Place) -> Place:
    inside = document.get("frames")
    return document if inside is None or isinstance(inside.value, list) else inside


def _skeleton(document: Place) -> Skeleton:
    """The file's skeleton, or the one that the first pose's number of joints stands for."""
    frames = _frames(document)
    given = document.get("skeleton") if frames is not document else None
    if given is not None:
        return parse_skeleton(given)
    first = next(chain.from_iterable(frame.items("a list of poses") for frame in frames.entries()), None)
    if first is None:
        return COCO_17
    keypoints = list(first["keypoints"].items("51 or 45 numbers"))
    if len(keypoints) not in (51, 45):
        first["keypoints"].fail("51 or 45 numbers, or a skeleton in the file", str(len(keypoints)))
    return COCO_17 if len(keypoints) == 51 else POSETRACK_15


def _build(document: Any, file: str, sequence: str) -> Poses:
    place = Place(file, document)
    inside = _frames(place)
    skeleton, frames = _skeleton(place), inside.value
    check_types(frames.values(), list)
    people = list(chain.from_iterable(frames.values()))
    n = len(people)
    triples = table([person["keypoints"] for person in people], 3 * len(skeleton))
    joints = scored_joints(triples.reshape(n, len(skeleton), 3))
    with_box, boxes = optional_table(people, "box", 4, 0)
    with_origbox, origboxes = optional_table(people, "origbox", 4, 0)
    boxes[np.setdiff1d(with_origbox, with_box)] = origboxes[np.setdiff1d(with_origbox, with_box)]
    has_box = mask_of(np.union1d(with_box, with_origbox), n)
    with_score, score = optional_floats(people, "score", 0)
    with_area, areas = optional_floats(people, "area", 0)
    boxes = boxes_or_extents(has_box, boxes, joints["keypoints"], joints["joint_visibility"])
    columns: dict[str, Any] = {
        **joints,
        "boxes": boxes,
        "scores": pose_scores(mask_of(with_score, n), score, joints["joint_scores"], joints["joint_visibility"]),
        "track_ids": optional_integers(people, "track_id", -1)[1],
        "areas": areas_or_none(with_area, areas, boxes),
    }
    frame_of = np.repeat(np.arange(len(frames)), list(map(len, frames.values())))
    check_ids(frame_of, columns["track_ids"])
    name = sequence if inside is place else sequence_name(place, sequence)
    return build(skeleton, frame_of, len(frames), columns, sequence=name, frame_names=tuple(frames))


def _check(document: Place) -> None:
    """Raises ValueError at the first value that `_build` does not accept."""
    frames, skeleton = _frames(document), _skeleton(document)
    for frame in frames.entries():
        seen: set[int] = set()
        for person in frame.items("a list of poses"):
            person["keypoints"].numbers(3 * len(skeleton))
            check_scored(person, boxes=("box", "origbox"))
            track = person.get("track_id")
            if track is not None and track.value >= 0:
                if track.value in seen:
                    track.fail("each track id once a frame", f"{track.value} twice")
                seen.add(track.value)
    if frames is not document:
        sequence_name(document, "")
