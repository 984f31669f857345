"""Steps that all writers share: values that a file can hold, names and numbers of frames, JSON text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ptfast._columns import frame_of_rows
from ptfast.io._columns import repeated_id
from ptfast.io._decimal import list_texts
from ptfast.io._gather import LARGEST
from ptfast.io.frame_numbers import numbers_in_video
from ptfast.structures import Poses

Texts = dict[str, Sequence[str | None]]  # a JSON object's values by key, each over all rows
dumps = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
MAX_POSETRACK_IDS = 10_000  # the official evaluator asserts ids below this


def lines(texts: Iterable[str]) -> Iterator[str]:
    """The inside of a JSON list, one entry a line."""
    separator = "\n"
    for text in texts:
        yield separator + text
        separator = ",\n"


def object_texts(columns: Texts) -> Iterator[str]:
    """One JSON object a row, of the keys' texts; a key is left out where it has none."""
    members = [[None if text is None else f'"{key}":{text}' for text in texts] for key, texts in columns.items()]
    for row in zip(*members, strict=True):
        yield f"{{{','.join(filter(None, row))}}}"


def id_texts(ids: np.ndarray) -> list[str | None]:
    """The texts of track ids (N,), None for none."""
    return [str(number) if number >= 0 else None for number in ids.tolist()]


def joint_scored(poses: Poses) -> np.ndarray:
    """(N, K) bool, whose score is not one that the file it came from lacked."""
    return np.asarray(poses.features.get("joint_scored", np.ones(poses.joint_scores.shape, bool)), bool)


def scored_texts(poses: Poses) -> list[str]:
    """For each pose x, y, score of all joints in one list; zeros for absent ones."""
    triples = np.concatenate([poses.keypoints, poses.joint_scores[..., None]], -1)
    triples = np.where(poses.joint_visibility[..., None] > 0, triples, np.float32(0))
    return list_texts(triples.reshape(len(triples), 3 * triples.shape[1]))


def check_writable(poses: Poses) -> None:
    """Raises ValueError where no reader would take the values back: not finite, or an id twice in a frame."""
    columns = {name: getattr(poses, name) for name in ("joint_scores", "boxes", "scores", "areas")}
    columns["keypoints"] = np.where(poses.joint_visibility[..., None] > 0, poses.keypoints, 0)
    if poses.head_boxes is not None:
        columns["head_boxes"] = np.where(np.isnan(poses.head_boxes).all(1)[:, None], 0, poses.head_boxes)
    for name, column in columns.items():
        if column is not None and not (np.abs(column) <= LARGEST).all():
            position = np.argwhere(~(np.abs(column) <= LARGEST))[0]
            value = column[tuple(position)]
            raise ValueError(f"poses.{name} must be finite to be written, got {value} in row {position[0]}")
    if not all(np.isfinite(polygon).all() for region in poses.ignore_regions or () for polygon in region):
        raise ValueError("poses.ignore_regions must be finite to be written, got a polygon that is not")
    if (poses.track_ids < -1).any():
        raise ValueError(f"poses.track_ids must be -1 or more to be written, got {poses.track_ids.min()}")
    frames = frame_of_rows(poses.frame_offsets)
    row = repeated_id(frames, poses.track_ids)
    if row is not None:
        raise ValueError(
            f"poses must hold each track id once a frame, got {poses.track_ids[row]} twice in frame {frames[row]}"
        )
    if poses.frame_ids is not None and len(np.unique(poses.frame_ids)) < len(poses):
        raise ValueError("poses.frame_ids must be distinct to be written, got one twice")


def frame_names(poses: Poses) -> tuple[str, ...]:
    """The frames' names, or images/val/<folder>/000000.jpg and so on, by their numbers, where they have none.

    The official PoseTrack 2018 reader takes a frame's id from its name: the folder must be a number, "_", where the
    video comes from (mpii, bonn or mpiinew) and perhaps "_" and more. A sequence that is called so is the folder; any
    other is put behind the number that it starts with (else 0) and mpii: walk becomes 000000_mpii_walk.
    """
    if poses.frame_names is not None:
        return poses.frame_names
    folder = re.sub(r"[/\\]", "-", poses.sequence)
    if not re.fullmatch(r"\d+_(mpii|bonn|mpiinew)(_.*)?", folder):
        folder = f"{sequence_number(poses):06d}_mpii" + (f"_{folder}" if folder else "")
    numbers = numbers_in_video(poses)
    if numbers is None or (numbers < 0).any():
        numbers = np.arange(len(poses))
    return tuple(f"images/val/{folder}/{number:06d}.jpg" for number in numbers.tolist())


def distinct_frame_names(poses: Poses) -> tuple[str, ...]:
    """`frame_names` for formats that know a frame by its name."""
    names = frame_names(poses)
    if len(set(names)) < len(names):
        raise ValueError("poses.frame_names must be distinct to be written in this format, got one twice")
    return names


def video_number(poses: Poses) -> str:
    """PoseTrack's vid_id: the digits that the sequence's name starts with, else the whole name."""
    digits = re.match(r"\d+", poses.sequence)
    return digits.group() if digits else poses.sequence


def sequence_number(poses: Poses) -> int:
    """PoseTrack's six-digit number of a sequence: that which its name starts with, else 0."""
    digits = video_number(poses)
    return int(digits[-6:]) if digits.isdecimal() else 0


def posetrack_ids(poses: Poses) -> np.ndarray:
    """(N,) int64 track ids counted from 0 in order of first appearance; -1 stays.

    Raises:
        ValueError: There are more than 10,000 ids; PoseTrack's go from 0 to 9,999.
    """
    tracked = poses.track_ids >= 0
    _, first, inverse = np.unique(poses.track_ids[tracked], return_index=True, return_inverse=True)
    if len(first) > MAX_POSETRACK_IDS:
        raise ValueError(f"poses must have at most 10,000 track ids to be written for PoseTrack, got {len(first):,}")
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    result = np.full(len(tracked), -1, np.int64)
    result[tracked] = rank[inverse.ravel()]
    return result
