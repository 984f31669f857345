"""Writes PoseTrack 2017 JSON (annolist)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from ptfast.io._decimal import shortest
from ptfast.io._json import dumps, lines
from ptfast.io._sequences import distinct_frame_names, posetrack_ids
from ptfast.skeletons import POSETRACK_15, POSETRACK_17
from ptfast.structures import Poses

_HEAD_KEYS = ("x1", "y1", "x2", "y2")
# Text at once, not a dict for the encoder: a large file has millions of points, and this takes a third of the time.
_POINT = '{"id":[%d],"x":[%r],"y":[%r],"is_visible":[%d],"score":[%r]}'


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
    yield from lines(_frames(poses))
    yield "]"
    yield f',\n"sequence":{dumps(poses.sequence)}}}\n' if poses.sequence else "}\n"


def _frames(poses: Poses) -> Iterator[str]:
    numbers = range(1, len(poses) + 1) if poses.frame_ids is None else poses.frame_ids.tolist()
    labeled = None if poses.is_labeled is None else poses.is_labeled.astype(int).tolist()
    people = _people(poses)
    for frame, (name, number) in enumerate(zip(distinct_frame_names(poses), numbers, strict=True)):
        first, last = poses.frame_offsets[frame : frame + 2]
        entry: dict[str, Any] = {"image": [{"name": name}], "imgnum": [number]}
        if labeled is not None:
            entry["is_labeled"] = [labeled[frame]]
        if poses.ignore_regions is not None:
            regions = [polygon.tolist() for polygon in poses.ignore_regions[frame]]
            entry["ignore_regions"] = [{"point": [{"x": [x], "y": [y]} for x, y in region]} for region in regions]
        yield f'{dumps(entry)[:-1]},"annorect":[{",".join(islice(people, last - first))}]}}'


def _people(poses: Poses) -> Iterator[str]:
    """The annorect of every pose; a person without joints has no points."""
    track_ids, scores = posetrack_ids(poses).tolist(), shortest(poses.scores).tolist()
    heads = None if poses.head_boxes is None else shortest(poses.head_boxes).tolist()
    points, starts = _points(poses)
    for index, (track_id, score) in enumerate(zip(track_ids, scores, strict=True)):
        person: dict[str, list[float]] = {}
        if heads is not None and heads[index][0] == heads[index][0]:
            person |= {key: [value] for key, value in zip(_HEAD_KEYS, heads[index], strict=True)}
        if track_id >= 0:
            person["track_id"] = [track_id]
        person["score"] = [score]
        own = ",".join(points[starts[index] : starts[index + 1]])
        parts = f'{{"point":[{own}]}}' if own else ""
        yield f'{dumps(person)[:-1]},"annopoints":[{parts}]}}'


def _points(poses: Poses) -> tuple[list[str], list[int]]:
    """The points of all joints that are there, and where each pose's points start."""
    row, joint = np.nonzero(poses.joint_visibility)
    visible = (poses.joint_visibility[row, joint] == 2).astype(int)
    xy, scores = shortest(poses.keypoints[row, joint]), shortest(poses.joint_scores[row, joint])
    values = zip(joint.tolist(), *xy.T.tolist(), visible.tolist(), scores.tolist(), strict=True)
    starts = np.searchsorted(row, np.arange(len(poses.keypoints) + 1))
    return list(map(_POINT.__mod__, values)), starts.tolist()
