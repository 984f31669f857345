"""What the `annotations` of a COCO or PoseTrack 2018 file say of each pose."""

from __future__ import annotations

from typing import Any

import numpy as np

from ptfast.io._bulk import optional, optional_floats, optional_integers, optional_table, require, table
from ptfast.io._decimal import from_corner_and_size
from ptfast.io._rows import areas_or_none, boxes_or_extents, joint_scores, mask_of, pose_scores


def pose_columns(annotations: list[dict[str, Any]], count: int, posetrack: bool) -> dict[str, Any]:
    """Pose columns of Poses in file order, `count` joints each; the flags' meaning as in `read_annotations`."""
    n = len(annotations)
    triples = table([annotation["keypoints"] for annotation in annotations], 3 * count).reshape(n, count, 3)
    keypoints, flags = triples[..., :2], triples[..., 2]
    with_scores, given_scores = optional_table(annotations, "scores", count, 0)
    # A predictor may write anything as a flag, an annotator only what is defined.
    require(np.isin(flags[~mask_of(with_scores, n)] if posetrack else flags, (0, 1, 2)).all())
    visibility = _posetrack_visibility(annotations, keypoints, flags) if posetrack else flags.astype(np.uint8)
    keypoints = np.where(visibility[..., None] > 0, keypoints, 0)
    scores = joint_scores(mask_of(with_scores, n), given_scores, visibility)
    with_score, given_score = optional_floats(annotations, "score", 0)
    with_box, corners = optional_table(annotations, "bbox", 4, 0)
    with_head, head_corners = optional_table(annotations, "bbox_head", 4, np.nan)
    with_area, areas = optional_floats(annotations, "area", 0)
    boxes = boxes_or_extents(mask_of(with_box, n), from_corner_and_size(corners), keypoints, visibility)
    return {
        "keypoints": keypoints,
        "joint_scores": scores,
        "joint_visibility": visibility,
        "boxes": boxes,
        "scores": pose_scores(mask_of(with_score, n), given_score, scores, visibility),
        "track_ids": optional_integers(annotations, "track_id", -1)[1],
        "head_boxes": from_corner_and_size(head_corners) if with_head.size else None,
        "areas": areas_or_none(with_area, areas, boxes),
    }


def _posetrack_visibility(annotations: list[dict[str, Any]], keypoints: np.ndarray, flags: np.ndarray) -> np.ndarray:
    """(N, K) uint8. Writers of this package add "visibility" where joints are hidden, as flags cannot say it."""
    visibility = np.where(flags > 0, 2, (keypoints != 0).any(-1) | (flags != 0)).astype(np.uint8)
    index, values = optional(annotations, "visibility")
    given = table(values, flags.shape[1])
    require(np.isin(given, (0, 1, 2)).all())
    visibility[index] = given
    return visibility
