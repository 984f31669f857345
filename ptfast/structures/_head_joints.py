"""Neck and head top of people whose skeleton lacks them, as COCO's does, extrapolated from shoulders and face."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ptfast._check import Array
from ptfast._columns import like, namespace_of
from ptfast.skeletons import Skeleton
from ptfast.structures._pose_columns import JOINT_COLUMNS, JOINT_SCORED, take_joints

HEAD_JOINTS = ("head_bottom", "head_top")
USED = ("left_shoulder", "right_shoulder", "left_ear", "right_ear", "left_eye", "right_eye", "nose")
SHOULDERS, EARS, EYES, NOSE, FACE = slice(0, 2), slice(2, 4), slice(4, 6), slice(6, 7), slice(2, 7)  # in USED
# How far the head joints are along the line from the middle of the shoulders to that of the ears, or to what else is
# there where an ear is absent: benchmarks/tune_head_joints.py chose these numbers, and the order of what is used.
ALONG_TO_EARS = (0.3, 1.7)
ALONG_TO_OTHERS = (0.3, 1.5)


def add_head_joints(
    taken: Mapping[str, Array], columns: Mapping[str, Array], source: Skeleton, target: Skeleton
) -> None:
    """Writes head joints that only the target has into its columns, if the source has shoulders and some of the face.

    Args:
        taken: Joint columns (N, L, ...) of the target's L joints, and perhaps JOINT_SCORED, which are written to.
        columns: The same columns (N, K, ...) of the source's K joints.
        source: The skeleton that the poses have.
        target: The one that they get.
    """
    index = np.array([source.index(joint) for joint in USED])
    places = [target.index(joint) if source.index(joint) < 0 else -1 for joint in HEAD_JOINTS]
    if max(places) < 0 or index[SHOULDERS].min() < 0 or index[FACE].max() < 0:
        return
    heads = head_joints({name: take_joints(column, index) for name, column in columns.items()})
    for head, place in enumerate(places):
        if place >= 0:
            for name in taken:
                taken[name][:, place] = heads[name][:, head]


def head_joints(columns: Mapping[str, Array]) -> dict[str, Array]:
    """The joint columns (N, 2, ...) of head_bottom and head_top; absent joints are 0.

    Args:
        columns: keypoints (N, 7, 2), joint_scores, joint_visibility and perhaps JOINT_SCORED (N, 7) of the joints USED.
    """
    keypoints, joint_scores, visibility = (columns[name] for name in JOINT_COLUMNS)
    xp, used = namespace_of(keypoints), visibility > 0
    by_ears = used[:, EARS].all(1)
    used[:, EYES] &= ~by_ears[:, None]
    used[:, NOSE] &= ~(used[:, EARS].any(1) | used[:, EYES].any(1))[:, None]
    there = used[:, SHOULDERS].all(1) & used[:, FACE].any(1)
    used &= there[:, None]
    middle = keypoints[:, SHOULDERS].mean(1)[:, None]
    line = _mean(keypoints[:, FACE], used[:, FACE])[:, None] - middle
    along = like(keypoints, np.array([ALONG_TO_OTHERS, ALONG_TO_EARS], np.float32))[by_ears * 1]
    heads = middle + along[..., None] * line
    lowest = xp.amin(xp.where(used, visibility, xp.full_like(visibility, 255)), 1)
    made = {
        "keypoints": xp.where(there[:, None, None], heads, xp.zeros_like(heads)),
        "joint_scores": _mean(joint_scores[..., None], used),
        "joint_visibility": xp.where(there, lowest, xp.zeros_like(lowest))[:, None],
    }
    if JOINT_SCORED in columns:
        made[JOINT_SCORED] = ((columns[JOINT_SCORED] > 0) | ~used).all(1)[:, None]
    return {name: xp.broadcast_to(column, (len(keypoints), 2, *column.shape[2:])) for name, column in made.items()}


def _mean(values: Array, used: Array) -> Array:
    """(N, C) means of values (N, J, C) over the joints that are used (N, J); 0 where none is."""
    xp = namespace_of(values)
    count = xp.asarray(used.sum(1).clip(1), dtype=values.dtype)
    return xp.where(used[..., None], values, xp.zeros_like(values)).sum(1) / count[:, None]
