"""Writing then reading gives the same Poses, up to what a format has no field for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ptfast import COCO_17, POSETRACK_15, POSETRACK_17, Poses, Skeleton, read_poses, write_poses
from ptfast.io import BOX_CENTER
from ptfast.structures import joint_boxes, pose_areas

SEEDS = range(12)
HORSE = Skeleton("horse", ("ear", "hoof", "tail"), ((0, 1), (1, 2)), ((0, 2),), (0.1, 0.2, 0.3), head=(0, 1))
SUFFIX = {"mot": ".txt", "csv": ".csv", "parquet": ".parquet"}


def through(poses: Poses, folder: Path, format: str) -> Poses:
    path = folder / f"out{SUFFIX.get(format, '.json')}"
    write_poses(poses, path, format=format)
    found = read_poses(path)
    return found


def absent_as_zero(poses: Poses, *, scores: bool = False) -> Poses:
    present = poses.joint_visibility > 0
    kept = np.where(present, poses.joint_scores, 0) if scores else poses.joint_scores
    return replace(poses, keypoints=np.where(present[..., None], poses.keypoints, 0), joint_scores=kept)


def ids_from_zero(poses: Poses) -> Poses:
    order = list(dict.fromkeys(number for number in poses.track_ids.tolist() if number >= 0))
    return poses.with_track_ids(np.array([order.index(i) if i >= 0 else -1 for i in poses.track_ids.tolist()], int))


def none_where_empty(poses: Poses) -> Poses:
    """Files say nothing of head boxes that no pose has, of columns of no poses, and of no ignore regions at all."""
    if not any(poses.ignore_regions or ()):
        poses = replace(poses, ignore_regions=None)
    heads = poses.head_boxes
    if heads is None or np.isnan(heads).all():
        poses = replace(poses, head_boxes=None)
    return poses if len(poses.keypoints) else replace(poses, areas=None)


def told(poses: Poses) -> np.ndarray | None:
    """The numbers that the names of `random_poses` tell, where there are names alone."""
    return 2 * np.arange(len(poses)) if poses.frame_ids is None and poses.frame_names is not None else None


def in_video(poses: Poses, first: int) -> np.ndarray:
    """Numbers of frames in the video, which count from `first` where nothing tells them."""
    if poses.frame_ids is not None:
        return poses.frame_ids % 10_000
    return np.arange(first, first + len(poses)) if told(poses) is None else told(poses)


def ids_from_one(poses: Poses) -> np.ndarray:
    """Ids of frames in a file that needs some, from 1."""
    return in_video(poses, 1) + (told(poses) is not None) if poses.frame_ids is None else poses.frame_ids


def carried_by_tables(poses: Poses) -> Poses:
    return poses if told(poses) is None else replace(poses, frame_ids=told(poses))


def carried_by_posetrack18(poses: Poses) -> Poses:
    folder = f"images/val/{poses.sequence[:6]}_mpii_{poses.sequence}"
    names = tuple(f"{folder}/{number:06d}.jpg" for number in in_video(poses, 0))
    ids = 10**10 + int(poses.sequence[:6]) * 10**4 + in_video(poses, 0)
    return replace(
        none_where_empty(ids_from_zero(absent_as_zero(poses))),
        frame_names=poses.frame_names or names,
        frame_ids=ids if poses.frame_ids is None else poses.frame_ids,
    )


def carried_by_coco(poses: Poses) -> Poses:
    expected = carried_by_posetrack18(poses)
    areas = pose_areas(poses) if len(poses.keypoints) else None
    return replace(expected, track_ids=poses.track_ids, frame_ids=ids_from_one(poses), areas=areas)


def carried_by_posetrack17(poses: Poses) -> Poses:
    expected = carried_by_posetrack18(absent_as_zero(poses, scores=True))
    boxes = joint_boxes(expected.keypoints, expected.joint_visibility)
    return replace(expected, boxes=boxes, areas=None, frame_size=None, frame_ids=ids_from_one(poses))


def carried_by_frames(poses: Poses) -> Poses:
    expected = carried_by_posetrack18(absent_as_zero(poses, scores=True))
    numbers = 2 * np.arange(len(poses)) if poses.frame_names else in_video(poses, 0)
    dropped = {"head_boxes": None, "frame_ids": numbers, "is_labeled": None, "frame_size": None, "ignore_regions": None}
    visibility = np.where(poses.joint_visibility > 0, 2, 0)
    return replace(expected, track_ids=poses.track_ids, joint_visibility=visibility, **dropped)


def carried_by_coco_results(poses: Poses) -> Poses:
    kept = np.flatnonzero(np.diff(poses.frame_offsets))
    ids = ids_from_one(poses)
    step = math.gcd(*np.diff(ids[kept]).tolist()) if len(kept) > 2 else 1
    every = np.arange(ids[kept[0]], ids[kept[-1]] + 1, step)
    counts = dict(zip(ids[kept].tolist(), np.diff(poses.frame_offsets)[kept].tolist(), strict=True))
    filled = every if len(every) <= 2 * len(kept) else ids[kept]
    offsets = np.cumsum([0, *(counts.get(number, 0) for number in filled.tolist())])
    expected = replace(carried_by_frames(poses), frame_names=None, frame_ids=None)
    return replace(expected, frame_offsets=offsets, frame_ids=filled, sequence="out")


def carried_by_mot(poses: Poses) -> Poses:
    counts = np.diff(poses.frame_offsets)
    numbers = in_video(poses, 1)
    numbers = (numbers + (numbers.min() == 0)).tolist()
    peopled = [number for number, count in zip(numbers, counts, strict=True) if count]
    step = math.gcd(*np.diff(peopled).tolist()) if len(peopled) > 2 else 1
    every = np.arange(1 if step == 1 else peopled[0], peopled[-1] + 1, step)
    of_number = dict(zip(numbers, counts.tolist(), strict=True))
    return Poses(
        keypoints=(poses.boxes[:, None, :2] + poses.boxes[:, None, 2:]) / 2,
        frame_offsets=np.cumsum([0, *(of_number.get(number, 0) for number in every.tolist())]),
        skeleton=BOX_CENTER,
        joint_scores=poses.scores[:, None],
        boxes=poses.boxes,
        scores=poses.scores,
        track_ids=poses.track_ids,
        frame_ids=every,
        sequence="out",
    )


CASES = [
    ("csv", carried_by_tables, (POSETRACK_17, COCO_17, HORSE)),
    ("parquet", carried_by_tables, (POSETRACK_17, COCO_17, HORSE)),
    ("posetrack18", carried_by_posetrack18, (POSETRACK_17, COCO_17, HORSE, BOX_CENTER)),
    ("coco", carried_by_coco, (COCO_17, POSETRACK_15, POSETRACK_17, HORSE)),
    ("posetrack17", carried_by_posetrack17, (POSETRACK_15,)),
    ("frames", carried_by_frames, (COCO_17, POSETRACK_17, HORSE)),
    ("coco_results", carried_by_coco_results, (COCO_17,)),
    ("mot", carried_by_mot, (POSETRACK_17, BOX_CENTER)),
]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("format", "carried", "skeletons"), CASES, ids=[case[0] for case in CASES])
def test_what_is_written_is_read(
    format: str,
    carried: Callable[[Poses], Poses],
    skeletons: tuple[Skeleton, ...],
    seed: int,
    tmp_path: Path,
    random_poses: Callable[..., Poses],
    assert_same: Callable[[Poses, Poses], None],
) -> None:
    if format == "parquet":
        pytest.importorskip("pyarrow")
    poses = random_poses(seed, skeletons[seed % len(skeletons)])
    assert_same(through(poses, tmp_path, format), carried(poses))


@pytest.mark.parametrize("optional", [True, False])
@pytest.mark.parametrize("format", ["csv", "parquet", "posetrack18"])
def test_optional_columns_are_all_there_or_all_missing(
    format: str, optional: bool, tmp_path: Path, random_poses, assert_same
) -> None:
    if format == "parquet":
        pytest.importorskip("pyarrow")
    poses = random_poses(3, optional=optional)
    expected = carried_by_posetrack18(poses) if format == "posetrack18" else poses
    assert_same(through(poses, tmp_path, format), expected)


@pytest.mark.parametrize("format", ["csv", "parquet", "posetrack18", "posetrack17", "coco"])
def test_ignore_regions_of_which_there_are_none_are_none(format: str, tmp_path: Path) -> None:
    if format == "parquet":
        pytest.importorskip("pyarrow")
    poses = Poses(np.ones((1, 15, 2)), np.array([0, 1, 1]), POSETRACK_15, ignore_regions=((), ()))
    assert through(poses, tmp_path, format).ignore_regions is None


@pytest.mark.parametrize("frames", [0, 3])
@pytest.mark.parametrize("format", ["csv", "parquet", "posetrack18", "posetrack17", "coco", "frames"])
def test_a_sequence_without_poses_survives(format: str, frames: int, tmp_path: Path) -> None:
    if format == "parquet":
        pytest.importorskip("pyarrow")
    skeleton = POSETRACK_15 if format == "posetrack17" else POSETRACK_17
    poses = Poses(np.zeros((0, len(skeleton), 2)), np.zeros(frames + 1), skeleton, sequence="empty")
    found = through(poses, tmp_path, format)
    assert (len(found), found.keypoints.shape, found.skeleton) == (frames, (0, len(skeleton), 2), skeleton)


def test_all_of_a_csv_survives_even_without_poses(tmp_path: Path, random_poses, assert_same) -> None:
    poses = random_poses(5, optional=True)
    poses = poses.select(np.zeros(len(poses.keypoints), bool))
    assert_same(through(poses, tmp_path, "csv"), poses)


@pytest.mark.parametrize(("format", "skeleton"), [("posetrack18", POSETRACK_15), ("posetrack17", POSETRACK_17)])
def test_posetrack_formats_map_15_and_17_joints(
    format: str, skeleton: Skeleton, tmp_path: Path, random_poses, assert_same
) -> None:
    poses = random_poses(4, skeleton)
    other = poses.to_skeleton(POSETRACK_15 if skeleton == POSETRACK_17 else POSETRACK_17)
    write_poses(other, tmp_path / "other.json", format=format)
    assert_same(through(poses, tmp_path, format), read_poses(tmp_path / "other.json"))


def test_tensors_are_written_too(tmp_path: Path, random_poses, assert_same) -> None:
    pytest.importorskip("torch")
    poses = random_poses(1)
    assert_same(through(poses.to("cpu"), tmp_path, "csv"), carried_by_tables(poses))
