"""Skeletons in files: known ones by name or by their joints, others written out."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ptfast.io._place import Place
from ptfast.skeletons import COCO_17, POSETRACK_15, POSETRACK_17, Skeleton

# Files of boxes alone (MOT, detections) give poses of one joint, the box's centre; its sigma has no source.
BOX_CENTER = Skeleton(name="box_center", joints=("center",), edges=(), flip_pairs=(), sigmas=(0.1,))

KNOWN = (POSETRACK_17, POSETRACK_15, COCO_17, BOX_CENTER)
_DEFAULT_SIGMA = 0.05


def describe_skeleton(skeleton: Skeleton) -> str | dict[str, Any]:
    """The name of a known skeleton, else what `Skeleton.from_json` reads."""
    if skeleton in KNOWN:
        return skeleton.name
    return {key: value for key, value in asdict(skeleton).items() if value is not None}


def parse_skeleton(place: Place) -> Skeleton:
    """The inverse of `describe_skeleton`."""
    if isinstance(place.value, str):
        known = {skeleton.name: skeleton for skeleton in KNOWN}
        if place.value not in known:
            place.fail(f"one of {', '.join(known)} or an object with the joints")
        return known[place.value]
    joints = _names(place["joints"])
    sigmas, head = place.get("sigmas"), place.get("head")
    return Skeleton(
        name=place["name"].text(),
        joints=joints,
        edges=_pairs(place.get("edges"), len(joints)),
        flip_pairs=_pairs(place.get("flip_pairs"), len(joints)),
        sigmas=tuple(sigmas.numbers(len(joints)) if sigmas else [_DEFAULT_SIGMA] * len(joints)),
        head=_pair(head, len(joints)) if head else None,
    )


def category_of(skeleton: Skeleton) -> dict[str, Any]:
    """A skeleton as the `categories` entry of COCO and PoseTrack 2018: joint names, edges counted from 1."""
    edges = [[first + 1, second + 1] for first, second in skeleton.edges]
    category = {"supercategory": "person", "id": 1, "name": "person", "keypoints": list(skeleton.joints)}
    extra = {} if skeleton in KNOWN else {"joint_set": describe_skeleton(skeleton)}
    return {**category, "skeleton": edges, **extra}


def parse_category(place: Place) -> tuple[Skeleton, np.ndarray | None]:
    """The skeleton of a `categories` entry, and the order in which its joints stand in the file (None: the same).

    Joints that are a known skeleton's, by name and in any order, give that skeleton, otherwise a new one is made from
    the names and edges.
    """
    names = _names(place["keypoints"])
    if "joint_set" in place.mapping():
        skeleton = parse_skeleton(place["joint_set"])
        if skeleton.joints != names:
            place["joint_set"].fail("the same joints as in keypoints")
        return skeleton, None
    name = place.value.get("name", "custom")
    found = Skeleton(str(name), names, (), (), (_DEFAULT_SIGMA,) * len(names))
    for known in KNOWN:
        order = found.indices_of(known)
        if len(known) == len(found) and (order >= 0).all():
            return known, None if (np.diff(order) == 1).all() else order
    edges = tuple((first - 1, second - 1) for first, second in _pairs(place.get("skeleton"), len(names), base=1))
    return replace(found, edges=edges), None


def file_skeleton(document: Place, *, counted: bool) -> tuple[Skeleton, np.ndarray | None]:
    """`parse_category` of a file's category with keypoints.

    Args:
        document: The file.
        counted: Whether a file without categories has PoseTrack's 17 or 15 joints by the length of its keypoints.
    """
    if "categories" in document.mapping() or not counted:
        return parse_category(_keypoint_category(document["categories"]))
    first = next(document["annotations"].items(), None)
    if first is None:
        return POSETRACK_17, None
    count = len(list(first["keypoints"].items("51 or 45 numbers")))
    if count not in (51, 45):
        first["keypoints"].fail("51 or 45 numbers, or categories in the file", str(count))
    return POSETRACK_17 if count == 51 else POSETRACK_15, None


def of_keypoint_category(document: Place) -> list[int]:
    """Indices of the annotations that are of the category with keypoints; one without category_id is."""
    annotations = document.value["annotations"]
    if len(document.value.get("categories", ())) < 2:
        return list(range(len(annotations)))
    number = _keypoint_category(document["categories"]).value.get("id")
    return [i for i, entry in enumerate(annotations) if entry.get("category_id", number) == number]


def _keypoint_category(categories: Place) -> Place:
    """The one category that has keypoints."""
    found = [entry for entry in categories.items() if "keypoints" in entry.mapping()]
    if len(found) != 1:
        categories.fail("one category with keypoints", str(len(found)))
    return found[0]


def _names(place: Place) -> tuple[str, ...]:
    """Distinct names, at least one."""
    names = tuple(entry.text() for entry in place.items())
    if not names or len(set(names)) < len(names):
        place.fail("distinct joint names")
    return names


def _pairs(place: Place | None, count: int, base: int = 0) -> tuple[tuple[int, int], ...]:
    return () if place is None else tuple(_pair(entry, count, base) for entry in place.items())


def _pair(place: Place, count: int, base: int = 0) -> tuple[int, int]:
    """Two joint indices, counted from `base`."""
    first, second = place.numbers(2)
    if not all(value in range(base, count + base) for value in (first, second)):
        place.fail(f"two joint numbers from {base} to {count + base - 1}", f"{first}, {second}")
    return int(first), int(second)
