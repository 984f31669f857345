"""Poses as one table, a row a pose: what CSV and Parquet files hold.

    frame         frame of the row; in a file that is written from 0, one after the other
    sequence      the sequence's name                                         where there is one
    frame_name, frame_id, is_labeled (0 or 1), width, height                  where the poses have them
    ignore_regions  JSON [[[x, y], ...], ...], in the first row of a frame    where the poses have them
    skeleton      JSON as `Skeleton.from_json` reads it, in the first row     where it is not a known one
    track_id      -1 for none
    score, x1, y1, x2, y2
    head_x1, head_y1, head_x2, head_y2, area                                  where the poses have them
    <joint>_x, <joint>_y, <joint>_score, <joint>_visibility                   for every joint, in the skeleton's order

A frame without poses has one row whose track_id and everything after it are empty. A head box may be empty as well.
Rows may stand in any order of frames; those of one frame keep theirs. Where frames have no frame_id and their numbers
are others than 0, 1, 2, ..., these are the ids; numbers that are left out are then frames without poses, unless there
are more columns of frames, which only rows can tell.
Columns may stand in any order, and others are ignored. Everything in Poses is in the table, also the coordinates of
absent joints (0 where they are not finite).

What people leave out in tables of their own is filled: a joint whose x or y is empty or NaN is absent, a joint's score
may be empty or NaN, or its column missing, and then a pose's score is the mean of its joints' where that is so, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from ptfast.io._decimal import shortest
from ptfast.io._writing import dumps, joint_scored
from ptfast.io.joint_sets import KNOWN, describe_skeleton
from ptfast.structures import Poses

Columns = dict[str, np.ma.MaskedArray]

BOX = ("x1", "y1", "x2", "y2")
HEAD_BOX = tuple(f"head_{name}" for name in BOX)
PER_JOINT = ("x", "y", "score", "visibility")
_TEXTS = ("sequence", "frame_name", "ignore_regions", "skeleton")
_WHOLES = ("frame", "frame_id", "is_labeled", "width", "height", "track_id")


def kinds_of(names: Iterable[str]) -> dict[str, type]:
    """str, int or float, what the cells hold, for each of the names that is a column of the table."""
    joints = joints_of(names)
    kinds: dict[str, type] = dict.fromkeys(_TEXTS, str) | dict.fromkeys(_WHOLES, int)
    kinds |= dict.fromkeys(("score", *BOX, *HEAD_BOX, "area"), float)
    for joint in joints:
        kinds |= {f"{joint}_{part}": int if part == "visibility" else float for part in PER_JOINT}
    return {name: kinds[name] for name in names if name in kinds}


def joints_of(names: Iterable[str]) -> tuple[str, ...]:
    """The joints that columns of these names are of, in their order."""
    return tuple(name.removesuffix("_visibility") for name in names if name.endswith("_visibility"))


def to_columns(poses: Poses) -> Columns:
    """Masked arrays of R rows, masked where a cell is empty; floats as the shortest decimals."""
    counts = np.maximum(np.diff(poses.frame_offsets), 1)
    frames = np.repeat(np.arange(len(poses)), counts)
    filled = np.repeat(np.diff(poses.frame_offsets) > 0, counts)
    columns = {"frame": np.ma.masked_array(frames)}
    first_of_frame = np.diff(frames, prepend=-1) > 0
    for name, values in _frame_values(poses).items():
        columns[name] = np.ma.masked_array(values[frames])
    if poses.ignore_regions is not None:
        texts = [dumps([polygon.tolist() for polygon in regions]) for regions in poses.ignore_regions]
        columns["ignore_regions"] = np.ma.masked_array(np.array(texts, object)[frames], ~first_of_frame)
    if poses.skeleton not in KNOWN and len(frames):
        text = np.full(len(frames), json.dumps(describe_skeleton(poses.skeleton)), object)
        columns["skeleton"] = np.ma.masked_array(text, np.arange(len(frames)) > 0)
    unscored = dict(zip((f"{joint}_score" for joint in poses.skeleton.joints), ~joint_scored(poses).T, strict=True))
    for name, values in _pose_values(poses).items():
        spread = np.zeros(len(frames), values.dtype)
        spread[filled] = values
        missing = ~filled
        if name in HEAD_BOX:
            missing = missing | np.isnan(spread)
        if name in unscored:
            missing = missing.copy()
            missing[filled] = unscored[name]
        columns[name] = np.ma.masked_array(spread, missing)
    return columns


def _frame_values(poses: Poses) -> dict[str, np.ndarray]:
    """Columns with one value a frame, (F,)."""
    values: dict[str, Any] = {}
    if poses.sequence:
        values["sequence"] = np.full(len(poses), poses.sequence, object)
    if poses.frame_names is not None:
        values["frame_name"] = np.array(poses.frame_names, object)
    if poses.frame_ids is not None:
        values["frame_id"] = poses.frame_ids
    if poses.is_labeled is not None:
        values["is_labeled"] = poses.is_labeled.astype(np.int64)
    if poses.frame_size is not None:
        values |= {"width": poses.frame_size[:, 0], "height": poses.frame_size[:, 1]}
    return values


def _pose_values(poses: Poses) -> dict[str, np.ndarray]:
    """Columns with one value a pose, (N,)."""
    values = {"track_id": poses.track_ids, "score": shortest(poses.scores)}
    values |= dict(zip(BOX, shortest(poses.boxes).T, strict=True))
    if poses.head_boxes is not None:
        values |= dict(zip(HEAD_BOX, shortest(poses.head_boxes).T, strict=True))
    if poses.areas is not None:
        values["area"] = shortest(poses.areas)
    readable = np.isfinite(poses.keypoints) | (poses.joint_visibility[..., None] > 0)
    keypoints, scores = shortest(np.where(readable, poses.keypoints, 0)), shortest(poses.joint_scores)
    for index, joint in enumerate(poses.skeleton.joints):
        values[f"{joint}_x"], values[f"{joint}_y"] = keypoints[:, index].T
        values[f"{joint}_score"] = scores[:, index]
        values[f"{joint}_visibility"] = poses.joint_visibility[:, index].astype(np.int64)
    return values
