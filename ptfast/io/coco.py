"""JSON of images, annotations and categories: COCO keypoints, and its form PoseTrack 2018."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET

from ptfast._columns import frame_of_rows, is_sentinel
from ptfast._json import Content, bad_value, decode, elements, member
from ptfast.io._columns import (
    areas_or_none,
    boxes_or_extents,
    build,
    check_distinct_ids,
    joint_scores,
    known_scores,
    polygons,
    pose_scores,
    scored_feature,
    sequence_name,
    take_rows,
)
from ptfast.io._decimal import corner_and_size, from_corner_and_size, list_texts, number_texts, row_texts
from ptfast.io._gather import (
    Numbers,
    Objects,
    OptionalFlag,
    OptionalInteger,
    OptionalNumber,
    Rows,
    decode_all,
    pack_lists,
)
from ptfast.io._writing import (
    Texts,
    dumps,
    frame_names,
    id_texts,
    joint_scored,
    lines,
    object_texts,
    posetrack_ids,
    sequence_number,
    video_number,
)
from ptfast.io.coco_videos import Image, split_videos, videos_of
from ptfast.io.frame_numbers import ids_to_write
from ptfast.io.joint_sets import Category, describe_category, parse_category
from ptfast.skeletons import POSETRACK_15, POSETRACK_17, Skeleton
from ptfast.structures import IgnoreRegions, Poses, pose_areas


class _OfCategory(msgspec.Struct, gc=False):
    category_id: Any = UNSET


class _Annotation(msgspec.Struct, gc=False):
    image_id: int
    keypoints: Numbers
    scores: Numbers = ()
    score: OptionalNumber = ()
    bbox: Numbers = ()
    bbox_head: Numbers = ()
    area: OptionalNumber = ()
    track_id: OptionalInteger = ()
    iscrowd: OptionalFlag = ()


class _PoseTrackAnnotation(_Annotation, gc=False):
    visibility: Numbers = ()


def read_coco(
    parts: dict[str, Content], file: str, sequence: str, posetrack: bool | None = None
) -> Poses | dict[str, Poses]:
    """Poses of a file, or one for each video: images of one vid_id or video_id or, without these, of one folder.

    An image's id is its frame's number, and a video's frames come in rising order of it. Ids that merely count names
    in alphabetical order (0, 1, 10, 11, 2, ...) give way to the numbers in these names.

    The flag of a joint means: in PoseTrack 1 labelled (visible here), 0 at (0, 0) absent, 0 elsewhere hidden, as the
    official evaluator takes them, but absent at (-1, -1) and the like with a score of 0; in COCO 0 absent, 1 hidden,
    2 visible. A joint whose x or y is NaN is absent in both, and a score that is NaN is missing. COCO's crowds become
    ignore regions. PoseTrack files may lack categories: 51 or 45 numbers then are the 17 or 15 joints.

    Args:
        parts: The file's values by key.
        file: Name for messages.
        sequence: The sequence's name where the file has none.
        posetrack: Says which meaning flags have; by default PoseTrack's where the first image has a frame or video id.
    """
    entries = elements(member(parts, "images", file), file, "images")
    images = decode_all(entries, Image, Rows(file, "images[{}]".format)).objects
    if posetrack is None:
        posetrack = any(image.frame_id is not UNSET or image.vid_id is not UNSET for image in images[:1])
    videos = videos_of(images)
    order = [index for video in videos for index in video.images]
    frames = Objects(file, lambda index: f"images[{order[index]}]", [images[index] for index in order])
    poses = _read_poses(parts, frames, [number for video in videos for number in video.numbers], file, posetrack)
    return split_videos(poses, videos, sequence_name(parts, file, sequence))


def _read_poses(parts: dict[str, Content], images: Objects, numbers: list[int], file: str, posetrack: bool) -> Poses:
    """Poses whose frames are the images, of these numbers."""
    annotations = elements(member(parts, "annotations", file), file, "annotations")
    chosen: Sequence[int] = range(len(annotations))
    if "categories" in parts or not posetrack:
        skeleton, order, chosen = _of_category(parts, annotations, file)
    else:
        skeleton, order = _by_count(annotations, file), None
    joints, kind = len(skeleton), _PoseTrackAnnotation if posetrack else _Annotation
    widths = {"keypoints": 3 * joints, "scores": joints, "bbox": 4, "bbox_head": 4}
    widths |= {"visibility": joints} if posetrack else {}
    rows = Rows(file, lambda index: f"annotations[{chosen[index]}]")
    entries = pack_lists([annotations[index] for index in chosen], kind, widths, rows)

    columns, per_frame = _pose_columns(entries, joints, posetrack), _frame_columns(images)
    image_ids = entries.optional_integers("image_id", 0)[1]
    frames = _positions(image_ids, per_frame["frame_ids"])
    rows.refuse(frames < 0, "image_id", "the id of one of the images", image_ids)
    check_distinct_ids(frames, columns["track_ids"], rows, lambda row: f"image {image_ids[row]}")
    per_frame["frame_ids"] = np.array(numbers, np.int64)
    if order is not None:
        columns |= {name: columns[name][:, order] for name in ("keypoints", "joint_scores", "joint_visibility")}
        if columns["features"]:
            columns["features"] = {name: column[:, order] for name, column in columns["features"].items()}
    crowd = entries.optional_flags("iscrowd", False)[1]
    if crowd.any():
        regions = [list(regions) for regions in per_frame["ignore_regions"] or [()] * len(images)]
        per_frame["ignore_regions"] = _with_crowds(regions, frames[crowd], columns["boxes"][crowd])
        columns = take_rows(columns, ~crowd)
    return build(skeleton, frames[~crowd], len(images), columns, **per_frame)


def _of_category(
    parts: dict[str, Content], annotations: list[Content], file: str
) -> tuple[Skeleton, np.ndarray | None, Sequence[int]]:
    """Skeleton and joint order of the one category with keypoints, as `parse_category`, and its annotations' indices.

    An annotation without category_id is of it; what others hold is not looked at.
    """
    entries = elements(member(parts, "categories", file), file, "categories")
    categories = decode_all(entries, Category, Rows(file, "categories[{}]".format)).objects
    found = [index for index, category in enumerate(categories) if category.keypoints is not UNSET]
    if len(found) != 1:
        raise bad_value(file, "categories", "one category with keypoints", len(found))
    category = categories[found[0]]
    chosen: Sequence[int] = range(len(annotations))
    if len(categories) > 1:
        ids = decode_all(annotations, _OfCategory, Rows(file, "annotations[{}]".format)).values("category_id")
        chosen = [index for index, number in enumerate(ids) if number in (UNSET, category.id)]
    return *parse_category(category, file, f"categories[{found[0]}]"), chosen


def _by_count(annotations: list[Content], file: str) -> Skeleton:
    """PoseTrack's joints, 17 or 15, by the length of the first keypoints."""
    if not annotations:
        return POSETRACK_17
    count = len(decode(annotations[0], _Annotation, file, "annotations[0]").keypoints)
    if count not in (51, 45):
        raise bad_value(file, "annotations[0].keypoints", "51 or 45 numbers, or categories in the file", count)
    return POSETRACK_17 if count == 51 else POSETRACK_15


def _pose_columns(entries: Objects, joints: int, posetrack: bool) -> dict[str, Any]:
    """Pose columns of Poses in file order; the flags' meaning as in `read_coco`."""
    triples, absent = entries.joints("keypoints", joints)
    flags = np.ascontiguousarray(triples[..., 2])
    with_scores, given_scores = entries.optional_numbers("scores", joints, 0, nan=True)
    # A predictor may write any number as a flag, an annotator only what is defined.
    anything = with_scores[:, None] & ~np.isnan(flags) if posetrack else np.zeros((1, 1), bool)
    _check_flags(entries, "keypoints", flags, ~anything)
    scored, given_scores = known_scores(with_scores, given_scores)
    given_scores[absent] = 0
    visibility = flags.astype(np.uint8)
    if posetrack:
        none = is_sentinel(triples[..., :2], given_scores) & scored
        known = (((triples[..., 0] != 0) | (triples[..., 1] != 0)) & ~none) | (flags != 0)
        visibility = known.astype(np.uint8) + (flags > 0)
        # Writers of this package add "visibility" where joints are hidden, as flags cannot say it.
        given, values = entries.optional_numbers("visibility", joints, 0)
        _check_flags(entries, "visibility", values, given[:, None])
        visibility[given] = values[given]
        visibility[absent] = 0
    keypoints = triples[..., :2].astype(np.float32)
    keypoints[visibility == 0] = 0
    scores = joint_scores(scored, given_scores, visibility)
    with_box, corners = entries.optional_numbers("bbox", 4, 0)
    boxes = boxes_or_extents(with_box, from_corner_and_size(corners), keypoints, visibility)
    with_head, heads = entries.optional_numbers("bbox_head", 4, np.nan)
    return {
        "keypoints": keypoints,
        "joint_scores": scores,
        "joint_visibility": visibility,
        "boxes": boxes,
        "scores": pose_scores(*entries.optional_number("score", 0), scores, visibility),
        "track_ids": entries.track_ids(),
        "head_boxes": from_corner_and_size(heads) if with_head.any() else None,
        "areas": areas_or_none(entries, boxes),
        "features": scored_feature(scored, visibility),
    }


def _check_flags(entries: Objects, key: str, flags: np.ndarray, given: np.ndarray) -> None:
    """Raises ValueError unless the flags (n, K) that are `given` (n, K), or fewer that broadcast, are defined ones."""
    wrong = (flags != 0) & (flags != 1) & (flags != 2) & given
    if wrong.any():
        row, joint = np.argwhere(wrong)[0]
        entries.fail(int(row), key, "joint flags 0, 1 or 2", f"{flags[row, joint]:g}")


def _frame_columns(images: Objects) -> dict[str, Any]:
    """Frame columns of Poses; what only some images say is filled: labelled, size 0, no regions."""
    ids = images.optional_integers("id", 0)[1]
    images.check_distinct("id", ids, "a distinct id for each image")
    with_width, width = images.optional_integers("width", 0)
    with_height, height = images.optional_integers("height", 0)
    with_label, is_labeled = images.optional_flags("is_labeled", True)
    return {
        "frame_names": tuple(images.values("file_name")),
        "frame_ids": ids,
        "is_labeled": is_labeled if with_label.any() else None,
        "frame_size": np.stack([width, height], 1) if with_width.any() and with_height.any() else None,
        "ignore_regions": polygons([_regions(images, index) for index in range(len(images))]),
    }


def _regions(images: Objects, index: int) -> list[np.ndarray]:
    """The polygons of an image, (V, 2) float64 each."""
    image = images.objects[index]
    all_x, all_y = image.ignore_regions_x, image.ignore_regions_y
    if all_x is UNSET and all_y is UNSET:
        return []
    if all_x is UNSET or all_y is UNSET:
        missing = "ignore_regions_x" if all_x is UNSET else "ignore_regions_y"
        raise bad_value(images.file, images.place_of(index), f"the key {missing!r}", "an object without it")
    if len(all_x) != len(all_y):
        images.fail(index, "ignore_regions_y", f"{len(all_x)} polygons, as many as in ignore_regions_x", len(all_y))
    for number, (x, y) in enumerate(zip(all_x, all_y, strict=True)):
        if len(x) != len(y):
            images.fail(index, f"ignore_regions_y[{number}]", f"{len(x)} numbers", len(y))
        images.check_finite(index, f"ignore_regions_x[{number}]", np.array(x))
        images.check_finite(index, f"ignore_regions_y[{number}]", np.array(y))
    return [np.stack([np.array(x, np.float64), y], 1) for x, y in zip(all_x, all_y, strict=True)]


def _positions(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """(N,) int64 index of each of the values (N,) among (F,) distinct ones, -1 where it is not there."""
    if not len(among):
        return np.full(len(values), -1)
    order = np.argsort(among)
    found = order[np.searchsorted(among, values, sorter=order).clip(max=len(among) - 1)]
    return np.where(among[found] == values, found, -1)


def _with_crowds(regions: list[list[np.ndarray]], frames: np.ndarray, boxes: np.ndarray) -> IgnoreRegions:
    """Ignore regions of each frame with the boxes (C, 4) of crowds in `frames` (C,) added as polygons."""
    for frame, (x1, y1, x2, y2) in zip(frames, boxes.astype(np.float64), strict=True):
        regions[frame].append(np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]))
    return tuple(map(tuple, regions))


def encode_posetrack18(poses: Poses) -> Iterator[str]:
    """PoseTrack 2018: 15 joints become 17, ids are renumbered, images without ids get PoseTrack's numbers."""
    if poses.skeleton == POSETRACK_15:
        poses = poses.to_skeleton(POSETRACK_17)
    ids = ids_to_write(poses, first=10**10 + sequence_number(poses) * 10**4).tolist()
    video = {"nframes": len(poses), "vid_id": video_number(poses), "has_no_densepose": True}
    images = [{**image, "frame_id": image["id"], **video} for image in _images(poses, ids)]
    more = _optional_texts(poses, posetrack_ids(poses))
    more["visibility"] = [dumps(row) if 1 in row else None for row in poses.joint_visibility.tolist()]
    if poses.areas is not None:
        more["area"] = number_texts(poses.areas)
    flags = (poses.joint_visibility > 0).astype(np.uint8)
    yield from _document(poses, images, _annotations(poses, ids, flags, more))


def encode_coco(poses: Poses) -> Iterator[str]:
    """COCO keypoint annotations, with the keys of PoseTrack 2018 for what COCO has no field for."""
    ids = ids_to_write(poses, first=1).tolist()
    more = _optional_texts(poses, poses.track_ids)
    more["num_keypoints"] = list(map(str, (poses.joint_visibility > 0).sum(1).tolist()))
    more["iscrowd"] = ["0"] * len(poses.keypoints)
    more["area"] = number_texts(pose_areas(poses))
    yield from _document(poses, _images(poses, ids), _annotations(poses, ids, poses.joint_visibility, more))


def _document(poses: Poses, images: list[dict[str, Any]], annotations: Iterator[str]) -> Iterator[str]:
    yield '{"images":['
    yield from lines(map(dumps, images))
    yield '],\n"annotations":['
    yield from lines(annotations)
    yield f'],\n"categories":[{dumps(describe_category(poses.skeleton))}]'
    yield f',\n"sequence":{dumps(poses.sequence)}}}\n' if poses.sequence else "}\n"


def _images(poses: Poses, ids: list[int]) -> list[dict[str, Any]]:
    images: list[dict[str, Any]] = [
        {"id": number, "file_name": name} for number, name in zip(ids, frame_names(poses), strict=True)
    ]
    if poses.is_labeled is not None:
        for image, flag in zip(images, poses.is_labeled.tolist(), strict=True):
            image["is_labeled"] = flag
    if poses.frame_size is not None:
        for image, (width, height) in zip(images, poses.frame_size.tolist(), strict=True):
            image |= {"width": width, "height": height}
    if poses.ignore_regions is not None:
        for image, region in zip(images, poses.ignore_regions, strict=True):
            image["ignore_regions_x"] = [polygon[:, 0].tolist() for polygon in region]
            image["ignore_regions_y"] = [polygon[:, 1].tolist() for polygon in region]
    return images


def _optional_texts(poses: Poses, track_ids: np.ndarray) -> Texts:
    """The keys that an annotation may lack."""
    texts: Texts = {"track_id": id_texts(track_ids)}
    if poses.head_boxes is not None:
        known = ~np.isnan(poses.head_boxes).any(1)
        heads = list_texts(corner_and_size(poses.head_boxes))
        texts["bbox_head"] = [head if here else None for head, here in zip(heads, known, strict=True)]
    return texts


def _annotations(poses: Poses, ids: list[int], flags: np.ndarray, more: Texts) -> Iterator[str]:
    """One object a pose; flags (N, K) uint8. Ids are 100 (or more) times the image's plus a running number."""
    step = max(100, 10 ** len(str(np.diff(poses.frame_offsets).max(initial=0))))
    frames = frame_of_rows(poses.frame_offsets)
    image_ids = [ids[frame] for frame in frames.tolist()]
    numbers = (np.arange(len(frames)) - poses.frame_offsets[frames]).tolist()
    return object_texts(
        {
            "id": [str(image * step + number) for image, number in zip(image_ids, numbers, strict=True)],
            "image_id": list(map(str, image_ids)),
            "category_id": ["1"] * len(frames),
            "keypoints": _joint_texts(poses.keypoints, flags),
            "scores": _score_texts(poses),
            "score": number_texts(poses.scores),
            "bbox": list_texts(corner_and_size(poses.boxes)),
            **more,
        }
    )


def _score_texts(poses: Poses) -> list[str | None]:
    """For each pose the scores of all joints in one list, None where no joint that is there has one."""
    texts: list[str | None] = list(list_texts(poses.joint_scores))
    there = poses.joint_visibility > 0
    lacking = there.any(1) & ~(joint_scored(poses) & there).any(1)
    return [None if lacks else text for text, lacks in zip(texts, lacking.tolist(), strict=True)]


def _joint_texts(keypoints: np.ndarray, flags: np.ndarray) -> list[str]:
    """For each pose x, y, flag of all joints in one list; 0, 0, 0 for absent ones."""
    n, k = flags.shape
    places = zip(row_texts(keypoints.reshape(n * k, 2)), flags.ravel().tolist(), strict=True)
    joints = [f"{place},{flag}" if flag else "0,0,0" for place, flag in places]
    return [f"[{','.join(joints[row * k : (row + 1) * k])}]" for row in range(n)]
