"""Writes JSON of images, annotations and categories: PoseTrack 2018 and COCO keypoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ptfast.io._decimal import corner_and_size, shortest
from ptfast.io._joint_sets import category_of
from ptfast.io._json import dumps, listing
from ptfast.io._sequences import frame_names, frames_of_rows, posetrack_ids, sequence_number, video_number
from ptfast.skeletons import POSETRACK_15, POSETRACK_17
from ptfast.structures import Poses, pose_areas


def encode_posetrack18(poses: Poses) -> Iterator[str]:
    """PoseTrack 2018: 15 joints become 17, ids are renumbered, images without ids get PoseTrack's numbers."""
    if poses.skeleton == POSETRACK_15:
        poses = poses.to_skeleton(POSETRACK_17)
    ids = _frame_ids(poses, first=10**10 + sequence_number(poses) * 10**4)
    video = {"nframes": len(poses), "vid_id": video_number(poses), "has_no_densepose": True}
    images = [{**image, "frame_id": image["id"], **video} for image in _images(poses, ids)]
    optional = _optional(poses, posetrack_ids(poses))
    flags = (poses.joint_visibility > 0).astype(np.uint8)
    optional["visibility"] = [row if 1 in row else None for row in poses.joint_visibility.tolist()]
    yield from _document(poses, images, _annotations(poses, ids, flags, poses.areas, optional))


def encode_coco(poses: Poses) -> Iterator[str]:
    """COCO keypoint annotations, with the keys of PoseTrack 2018 for what COCO has no field for."""
    ids = _frame_ids(poses, first=1)
    optional = _optional(poses, poses.track_ids)
    optional["num_keypoints"] = (poses.joint_visibility > 0).sum(1).tolist()
    optional["iscrowd"] = [0] * len(poses.keypoints)
    annotations = _annotations(poses, ids, poses.joint_visibility, pose_areas(poses), optional)
    yield from _document(poses, _images(poses, ids), annotations)


def _document(poses: Poses, images: list[dict[str, Any]], annotations: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield '{"images":['
    yield from listing(images)
    yield '],\n"annotations":['
    yield from listing(annotations)
    yield f'],\n"categories":[{dumps(category_of(poses.skeleton))}]'
    yield f',\n"sequence":{dumps(poses.sequence)}}}\n' if poses.sequence else "}\n"


def _frame_ids(poses: Poses, first: int) -> list[int]:
    return list(range(first, first + len(poses))) if poses.frame_ids is None else poses.frame_ids.tolist()


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


def _optional(poses: Poses, track_ids: np.ndarray) -> dict[str, list[Any]]:
    """Keys that an annotation may lack: a list over the poses, None where one does."""
    columns: dict[str, list[Any]] = {"track_id": [number if number >= 0 else None for number in track_ids.tolist()]}
    if poses.head_boxes is not None:
        known = ~np.isnan(poses.head_boxes).any(1)
        heads = corner_and_size(poses.head_boxes).tolist()
        columns["bbox_head"] = [head if here else None for head, here in zip(heads, known, strict=True)]
    return columns


def _annotations(
    poses: Poses, ids: list[int], flags: np.ndarray, areas: np.ndarray | None, optional: dict[str, list[Any]]
) -> Iterator[dict[str, Any]]:
    """One dict a pose; flags (N, K) uint8. Ids are 100 (or more) times the image's plus a running number."""
    counts = np.diff(poses.frame_offsets)
    step = max(100, 10 ** len(str(counts.max(initial=0))))
    columns: dict[str, list[Any]] = {
        "keypoints": _triples(poses, flags),
        "scores": shortest(poses.joint_scores).tolist(),
        "score": shortest(poses.scores).tolist(),
        "bbox": corner_and_size(poses.boxes).tolist(),
        **optional,
    }
    if areas is not None:
        columns["area"] = shortest(areas).tolist()
    offsets = poses.frame_offsets.tolist()
    for row, frame in enumerate(frames_of_rows(poses).tolist()):
        image = ids[frame]
        head = {"id": image * step + row - offsets[frame], "image_id": image, "category_id": 1}
        yield head | {key: values[row] for key, values in columns.items() if values[row] is not None}


def _triples(poses: Poses, flags: np.ndarray) -> list[list[float]]:
    """For each pose x, y, flag of all joints in one list; 0, 0, 0 for absent ones."""
    triples = np.empty((*flags.shape, 3), object)
    triples[..., :2] = shortest(np.where(flags[..., None] > 0, poses.keypoints, 0))
    triples[..., 2] = flags
    triples[flags == 0] = 0
    return triples.reshape(len(flags), 3 * flags.shape[1]).tolist()
