"""Skeletons in files: known ones by name or by their joints, others written out, and COCO's categories."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from ptfast._json import Content, bad_value, decode
from ptfast.skeletons import COCO_17, POSETRACK_15, POSETRACK_17, Skeleton

# Files of boxes alone (MOT, detections) give poses of one joint, the box's centre; its sigma has no source.
BOX_CENTER = Skeleton(name="box_center", joints=("center",), edges=(), flip_pairs=(), sigmas=(0.1,))

KNOWN = (POSETRACK_17, POSETRACK_15, COCO_17, BOX_CENTER)


def describe_skeleton(skeleton: Skeleton) -> str | dict[str, Any]:
    """The name of a known skeleton, else what `Skeleton.from_json` reads."""
    if skeleton in KNOWN:
        return skeleton.name
    return {key: value for key, value in asdict(skeleton).items() if value is not None}


def parse_skeleton(content: Content, file: str, place: str) -> Skeleton:
    """The inverse of `describe_skeleton`."""
    found = decode(content, str | Skeleton, file, place)
    if isinstance(found, str):
        known = {skeleton.name: skeleton for skeleton in KNOWN}
        if found not in known:
            raise bad_value(file, place, f"one of {', '.join(known)} or an object with the joints", repr(found))
        return known[found]
    if not found.joints or not all(map(math.isfinite, found.sigmas)):
        raise bad_value(file, place, "at least one joint and finite sigmas", found)
    return found


def known_joints(names: tuple[str, ...]) -> tuple[Skeleton, np.ndarray | None] | None:
    """The known skeleton that has these joints, in any order, and the order in which they stand (None: its own)."""
    found = Skeleton("", names)
    for known in KNOWN:
        order = found.indices_of(known)
        if len(known) == len(names) and (order >= 0).all():
            return known, None if (np.diff(order) == 1).all() else order
    return None


class Category(msgspec.Struct):
    """An entry of the `categories` of COCO and PoseTrack 2018; edges count joints from 1."""

    keypoints: tuple[str, ...] | UnsetType = UNSET
    id: Any = None
    name: Any = "custom"
    skeleton: Any = ()
    joint_set: Any = UNSET


def describe_category(skeleton: Skeleton) -> dict[str, Any]:
    """The category of a skeleton; one that is not known is in it."""
    edges = [[first + 1, second + 1] for first, second in skeleton.edges]
    category = {"supercategory": "person", "id": 1, "name": "person", "keypoints": list(skeleton.joints)}
    extra = {} if skeleton in KNOWN else {"joint_set": describe_skeleton(skeleton)}
    return {**category, "skeleton": edges, **extra}


def parse_category(category: Category, file: str, place: str) -> tuple[Skeleton, np.ndarray | None]:
    """The skeleton of a category with keypoints, and the order in which its joints stand in the file (None: its own).

    Joints that are not those of a known skeleton make one of their names and the category's edges.
    """
    names = category.keypoints or ()
    if not names or len(set(names)) < len(names):
        raise bad_value(file, f"{place}.keypoints", "distinct joint names", ", ".join(names) or "none")
    if category.joint_set is not UNSET:
        skeleton = parse_skeleton(category.joint_set, file, f"{place}.joint_set")
        if skeleton.joints != names:
            raise bad_value(file, f"{place}.joint_set", "the same joints as in keypoints", ", ".join(skeleton.joints))
        return skeleton, None
    if (known := known_joints(names)) is not None:
        return known
    edges = decode(category.skeleton, tuple[tuple[float, float], ...], file, f"{place}.skeleton")
    for index, edge in enumerate(edges):
        if not all(joint in range(1, len(names) + 1) for joint in edge):
            expected, found = f"two joint numbers from 1 to {len(names)}", ", ".join(f"{joint:g}" for joint in edge)
            raise bad_value(file, f"{place}.skeleton[{index}]", expected, found)
    return Skeleton(
        str(category.name), names, tuple((int(first) - 1, int(second) - 1) for first, second in edges)
    ), None
