"""Reads JSON of images, annotations and categories: PoseTrack 2018 and COCO keypoints."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ptfast.io._annotation_columns import pose_columns
from ptfast.io._annotations_check import check_annotations
from ptfast.io._bulk import check_types, flags, integers, optional, require
from ptfast.io._image_columns import frame_columns
from ptfast.io._joint_sets import file_skeleton, of_keypoint_category
from ptfast.io._place import Place, read_checked, sequence_name
from ptfast.io._rows import build, check_ids
from ptfast.structures import IgnoreRegions, Poses


def read_annotations(document: Any, file: str, sequence: str, *, posetrack: bool) -> Poses | dict[str, Poses]:
    """Poses of a parsed file, or one for each video where PoseTrack images name several.

    The flag of a joint means: in PoseTrack 1 labelled (visible here), 0 at (0, 0) absent, 0 elsewhere hidden, as the
    official evaluator takes them; in COCO 0 absent, 1 hidden, 2 visible. COCO's crowds become ignore regions. PoseTrack
    files may lack categories: 51 or 45 numbers then are the 17 or 15 joints.

    Args:
        document: The parsed JSON.
        file: Name for messages.
        sequence: The sequence's name where the file has none.
        posetrack: Which meaning a joint's flag has.
    """
    place = Place(file, document)
    build_poses = partial(_build, file=file, sequence=sequence, posetrack=posetrack)
    return read_checked(place, build_poses, partial(check_annotations, posetrack=posetrack))


def is_posetrack(document: dict[str, Any]) -> bool:
    """Whether a file of images and annotations is PoseTrack's: its images have a frame or video id."""
    images = document.get("images")
    first = images[0] if isinstance(images, list) and images else None
    return isinstance(first, dict) and ("frame_id" in first or "vid_id" in first)


def _build(document: Any, file: str, sequence: str, posetrack: bool) -> Poses | dict[str, Poses]:
    place = Place(file, document)
    skeleton, order = file_skeleton(place, counted=posetrack)
    images, annotations = document["images"], document["annotations"]
    check_types((images, annotations), list)
    annotations = [annotations[i] for i in of_keypoint_category(place)]
    videos = [image.get("vid_id") for image in images]
    check_types(videos, str, int, type(None))
    if posetrack and len(set(videos)) > 1:
        first = {video: index for index, video in reversed(list(enumerate(videos)))}
        images = sorted(images, key=lambda image: first[image.get("vid_id")])
    frames = _frame_of(images, annotations)
    columns = pose_columns(annotations, len(skeleton), posetrack)
    check_ids(frames, columns["track_ids"])
    if order is not None:
        columns |= {name: columns[name][:, order] for name in ("keypoints", "joint_scores", "joint_visibility")}
    per_frame, crowd = frame_columns(images), _crowds(annotations)
    if crowd.any():
        regions = [list(region) for region in per_frame["ignore_regions"] or [()] * len(images)]
        per_frame["ignore_regions"] = _with_crowds(regions, frames[crowd], columns["boxes"][crowd])
        columns = {name: None if column is None else column[~crowd] for name, column in columns.items()}
    name = sequence_name(place, sequence)
    poses = build(skeleton, frames[~crowd], len(images), columns, sequence=name, **per_frame)
    return _by_video(poses, images) if posetrack and len(set(videos)) > 1 else poses


def _frame_of(images: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> np.ndarray:
    """(N,) int64 frame of each annotation."""
    index = {number: frame for frame, number in enumerate(integers([image["id"] for image in images]).tolist())}
    require(len(index) == len(images))
    numbers = integers([annotation["image_id"] for annotation in annotations]).tolist()
    return np.array([index[number] for number in numbers], np.int64)


def _crowds(annotations: list[dict[str, Any]]) -> np.ndarray:
    """(N,) bool: annotations that stand for a crowd, not for a person."""
    index, given = optional(annotations, "iscrowd")
    crowd = np.zeros(len(annotations), bool)
    crowd[index] = flags(given)
    return crowd


def _with_crowds(regions: list[list[np.ndarray]], frames: np.ndarray, boxes: np.ndarray) -> IgnoreRegions:
    """Ignore regions of each frame with the boxes (C, 4) of crowds in `frames` (C,) added as polygons."""
    for frame, (x1, y1, x2, y2) in zip(frames, boxes.astype(np.float64), strict=True):
        regions[frame].append(np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]))
    return tuple(map(tuple, regions))


def _by_video(poses: Poses, images: Sequence[dict[str, Any]]) -> dict[str, Poses]:
    """One Poses a video, named after the folder of its first image or, where that is not distinct, its id."""
    videos = [image.get("vid_id") for image in images]
    starts = [f for f in range(len(videos)) if f == 0 or videos[f] != videos[f - 1]]
    folders = [posixpath.basename(posixpath.dirname(images[f]["file_name"])) for f in starts]
    names = folders if all(folders) and len(set(folders)) == len(starts) else [str(videos[f]) for f in starts]
    parts = zip(names, starts, [*starts[1:], len(videos)], strict=True)
    return {name: replace(poses[first:last], sequence=name) for name, first, last in sorted(parts)}
