"""The package's own simple JSON: per-frame poses or detections, from any tool that can write a dict of lists.

    {"skeleton": "coco_17",
     "sequence": "walk",
     "frames": {"000000.jpg": [{"keypoints": [x, y, score, x, y, score, ...],
                                "score": 0.9, "box": [x1, y1, x2, y2], "area": 5000.0, "track_id": 3}, ...],
                "000001.jpg": [], ...}}

Frames whose names tell their numbers (img_9.jpg, img_10.jpg) come in order of these, others in the file's. Of a pose,
only "keypoints" is needed; a joint whose x or y is NaN is absent, and so is one of score 0 at (0, 0), (-1, -1) or
elsewhere with neither x nor y above 0. A joint whose score alone is NaN has none.
"skeleton" is the name of a known one or what `Skeleton.from_json` reads; without it 17 joints are COCO's and 15 are
PoseTrack 2017's. The object of frames may also stand alone, without "frames" about it, and "origbox" is read as "box":
that is the form in which py-globalflow keeps its detections. Other keys are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from ptfast._json import Content, bad_value, decode, elements, members
from ptfast.io._columns import build, check_distinct_ids, scored_columns, sequence_name
from ptfast.io._decimal import list_texts, number_texts
from ptfast.io._gather import Numbers, OptionalInteger, OptionalNumber, Rows, pack_lists
from ptfast.io._writing import Texts, distinct_frame_names, dumps, id_texts, object_texts, scored_texts
from ptfast.io.frame_numbers import in_order
from ptfast.io.joint_sets import describe_skeleton, parse_skeleton
from ptfast.skeletons import COCO_17, POSETRACK_15, Skeleton
from ptfast.structures import Poses


class _Person(msgspec.Struct, gc=False):
    keypoints: Numbers
    score: OptionalNumber = ()
    area: OptionalNumber = ()
    track_id: OptionalInteger = ()
    box: Numbers = ()
    origbox: Numbers = ()


def read_frames(parts: dict[str, Content], file: str, sequence: str) -> Poses:
    """Poses of a file.

    Args:
        parts: The file's values by key.
        file: Name for messages.
        sequence: The sequence's name where the file has none.
    """
    alone = "frames" not in parts or isinstance(parts["frames"], list)  # a list is the people of a frame of that name
    frames = parts if alone else members(parts["frames"], file, "frames")
    name = sequence if alone else sequence_name(parts, file, sequence)
    people: list[Content] = []
    places: list[str] = []
    counts = []
    for frame, content in frames.items():
        place = f"{'' if alone else 'frames'}[{frame!r}]"
        found = elements(content, file, place)
        counts.append(len(found))
        people += found
        places += [f"{place}[{index}]" for index in range(len(found))]
    rows = Rows(file, places.__getitem__)
    if alone or parts.get("skeleton", []) == []:
        skeleton = _by_count(people, rows)
    else:
        skeleton = parse_skeleton(parts["skeleton"], file, "skeleton")
    entries = pack_lists(people, _Person, {"keypoints": 3 * len(skeleton), "box": 4, "origbox": 4}, rows)
    with_box, boxes = entries.optional_numbers("box", 4, 0)
    with_origbox, origboxes = entries.optional_numbers("origbox", 4, 0)
    boxes = np.where(with_box[:, None], boxes, origboxes)
    columns = scored_columns(entries, len(skeleton), with_box | with_origbox, boxes)
    frame_of = np.repeat(np.arange(len(frames)), np.array(counts, np.int64))
    names = tuple(frames)
    check_distinct_ids(frame_of, columns["track_ids"], rows, lambda row: f"frame {names[frame_of[row]]!r}")
    frame_of, about = in_order(frame_of, {"frame_ids": None, "frame_names": names})
    return build(skeleton, frame_of, len(frames), columns, sequence=name, **about)


def check_distinct_keys(text: bytes, file: str) -> None:
    """Raises ValueError where an object of a JSON text has a key twice, of which readers keep the last alone."""

    def distinct(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"{file}: {key!r}: expected each name once, found it twice")
            seen.add(key)

    try:
        json.loads(text, object_pairs_hook=distinct)
    except RecursionError as error:
        raise bad_value(file, "", "JSON of less depth", error) from None


def _by_count(people: list[Content], rows: Rows) -> Skeleton:
    """COCO's joints, or PoseTrack's 15, by the length of the first pose's keypoints."""
    if not people:
        return COCO_17
    count = len(decode(people[0], _Person, rows.file, rows.place_of(0)).keypoints)
    if count not in (51, 45):
        rows.fail(0, "keypoints", "51 or 45 numbers, or a skeleton in the file", count)
    return COCO_17 if count == 51 else POSETRACK_15


def encode_frames(poses: Poses) -> Iterator[str]:
    """Frame names, keypoints, all scores, boxes, areas and track ids; the rest is not written."""
    head = {"skeleton": describe_skeleton(poses.skeleton)} | ({"sequence": poses.sequence} if poses.sequence else {})
    yield dumps(head)[:-1] + ',"frames":{'
    columns: Texts = {
        "keypoints": scored_texts(poses),
        "score": number_texts(poses.scores),
        "box": list_texts(poses.boxes),
        "track_id": id_texts(poses.track_ids),
    }
    if poses.areas is not None:
        columns["area"] = number_texts(poses.areas)
    people = list(object_texts(columns))
    separator = "\n"
    for frame, name in enumerate(distinct_frame_names(poses)):
        first, last = poses.frame_offsets[frame : frame + 2]
        yield f"{separator}{dumps(name)}:[{','.join(people[first:last])}]"
        separator = ",\n"
    yield "}}\n"
