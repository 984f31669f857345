"""What the study of real people counts: right joints, people found in frames, ids in videos, COCO's AP."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from people_in_pictures import Pictures

from ptfast._columns import frame_of_rows
from ptfast.ops import assign, oks_matrix
from ptfast.skeletons import COCO_17, POSETRACK_15
from ptfast.structures import Poses, pose_areas

BODY_SHARE = 0.53  # of a box's area that a person covers, as COCO's evaluation takes it where no area is annotated
SAME = 0.5  # OKS


def torso_sizes(keypoints: np.ndarray, annotated: np.ndarray, diagonals: np.ndarray) -> np.ndarray:
    """(N,) lengths of torsos: the longest of the diagonals from a shoulder to the hip across that are annotated.

    NaN where none is. The longest is the one that is turned away least.

    Args:
        keypoints: (N, K, 2).
        annotated: (N, K) bool.
        diagonals: (D, 2) indices of a shoulder and a hip.
    """
    ends = keypoints[:, diagonals]  # (N, D, 2, 2)
    lengths = np.linalg.norm(ends[:, :, 0] - ends[:, :, 1], axis=-1)
    longest = np.where(annotated[:, diagonals].all(2), lengths, -np.inf).max(1)
    return np.where(longest > 0, longest, np.nan)


def pck(
    found: np.ndarray, keypoints: np.ndarray, annotated: np.ndarray, sizes: np.ndarray, threshold: float = 0.2
) -> float:
    """Percentage of annotated joints that are found within a share of the torso, of the people who have one.

    Args:
        found: (N, K, 2).
        keypoints: (N, K, 2) annotated.
        annotated: (N, K) bool.
        sizes: (N,) torsos, NaN for people who do not count.
        threshold: The share.
    """
    counted = annotated & ~np.isnan(sizes)[:, None]
    away = np.linalg.norm(found - keypoints, axis=-1)
    return float(100 * (away <= threshold * sizes[:, None])[counted].mean())


def pck_of(
    pictures: Pictures, joints: Mapping[str, np.ndarray], names: Sequence[str], sides: Sequence[str], counted: slice
) -> float:
    """PCK within a fifth of the torso, of pictures of one person each.

    Args:
        pictures: N pictures.
        joints: (N, 2) found places of a joint, by its name.
        names: The joints that count.
        sides: Of the shoulders, from which the torso goes to the hip across; the longest counts.
        counted: Of the pictures.
    """
    other = {"left": "right", "right": "left"}
    across = np.stack([pictures.of(f"{side}_shoulder", f"{other[side]}_hip") for side in sides])
    sizes = torso_sizes(pictures.keypoints, pictures.annotated, across)[counted]
    known = pictures.of(*names)
    found = np.stack([joints[name] for name in names], 1)[counted]
    return round(pck(found, pictures.keypoints[counted][:, known], pictures.annotated[counted][:, known], sizes), 1)


def people_found(truth: Poses, found: Poses) -> dict[str, int]:
    """People whom poses find at OKS 0.5, frame by frame one pose a person, and how often their ids change.

    OKS is over the joints that both have, with the sigmas of PoseTrack's 15, on the area of the person's body.

    Args:
        truth: Annotated people, perhaps with ids.
        found: Poses of the same frames, perhaps with ids.

    Returns:
        Numbers of people, of those found, of poses that are nobody, and of changes of a person's id from one found
        pose to the next.
    """
    truth, found = truth.to_skeleton(POSETRACK_15), found.to_skeleton(POSETRACK_15)
    areas = BODY_SHARE * pose_areas(truth).astype(np.float64)
    last: dict[int, int] = {}
    hits = changes = 0
    for frame in range(len(truth)):
        people, poses = (np.arange(*side.frame_offsets[frame : frame + 2]) for side in (truth, found))
        similarity = oks_matrix(
            found.keypoints[poses],
            truth.keypoints[people],
            area=areas[people],
            sigmas=np.array(POSETRACK_15.sigmas, np.float32),
            a_visible=found.joint_visibility[poses] > 0,
            b_visible=truth.joint_visibility[people] > 0,
        )
        pair = assign(1 - similarity, max_cost=1 - SAME)
        for pose, person in zip(poses[pair >= 0], people[pair[pair >= 0]], strict=True):
            name, now = int(truth.track_ids[person]), int(found.track_ids[pose])
            hits, changes = hits + 1, changes + (last.get(name, now) != now)
            last[name] = now
    return {"people": len(truth.scores), "found": hits, "false": len(found.scores) - hits, "id changes": changes}


def ids_in_video(tracks: Poses, seconds: float) -> dict[str, float]:
    """Number of ids, of new ids a second, and of people a frame."""
    ids = np.unique(tracks.track_ids[tracks.track_ids >= 0]).size
    return {
        "ids": ids,
        "ids a second": round(ids / seconds, 2),
        "people a frame": round(len(tracks.scores) / max(len(tracks), 1), 2),
        "frames a track": round(len(tracks.scores) / max(ids, 1), 1),
    }


def coco_average_precision(
    annotations: Path | dict[str, Any], poses: Poses, image_ids: Sequence[int], most: int = 20
) -> dict[str, float]:
    """COCO's AP, AP50, AP medium, AP large and AR of keypoints by pycocotools, in percent.

    Args:
        annotations: COCO's file, or its content.
        poses: People with joints of any skeleton, a frame an image.
        image_ids: Ids of the images.
        most: People of an image that count, those with the highest scores; 20 are COCO's.

    Returns:
        The figures, without those of sizes of which nobody is annotated; of no poses at all, AP, AP50 and AR.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    if not len(poses.scores):  # pycocotools takes no empty results
        return dict.fromkeys(("AP", "AP50", "AR"), 0.0)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = json.loads(annotations.read_text()) if isinstance(annotations, Path) else annotations
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(coco_results(poses, image_ids)), "keypoints")
        evaluation.params.imgIds, evaluation.params.maxDets = list(image_ids), [most]
        evaluation.evaluate()
        evaluation.accumulate()
    precision, recall = evaluation.eval["precision"][:, :, 0, :, 0], evaluation.eval["recall"][:, 0, 0, 0]
    figures = {
        "AP": precision[:, :, 0],
        "AP50": precision[0, :, 0],
        "AP medium": precision[:, :, 1],
        "AP large": precision[:, :, 2],
        "AR": recall,
    }
    return {name: round(100 * float(part.mean()), 1) for name, part in figures.items() if (part >= 0).all()}


def coco_results(poses: Poses, image_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Poses as COCO's results; absent joints are at (0, 0)."""
    poses = poses.to_skeleton(COCO_17)
    there = poses.joint_visibility[..., None] > 0
    joints = np.where(there, np.concatenate([poses.keypoints, poses.joint_scores[..., None]], 2), 0)
    frames = frame_of_rows(poses.frame_offsets).tolist()
    return [
        {"image_id": image_ids[frame], "category_id": 1, "keypoints": row.ravel().tolist(), "score": float(score)}
        for frame, row, score in zip(frames, joints.astype(float), poses.scores, strict=True)
    ]
