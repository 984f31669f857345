"""Greedy and soft suppression, one item at a time."""

from __future__ import annotations

import numpy as np

from ptfast.reference.boxes import iou_matrix, tube_iou_matrix
from ptfast.reference.oks import oks_matrix


def nms(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """ptfast.ops.nms: boxes (N, 4), scores (N,) -> (M,)."""
    return _greedy(iou_matrix(boxes, boxes), scores, threshold)


def tube_nms(tubes: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """ptfast.ops.tube_nms: tubes (N, T, 4), scores (N,) -> (M,)."""
    return _greedy(tube_iou_matrix(tubes, tubes), scores, threshold)


def oks_nms(
    keypoints: np.ndarray, scores: np.ndarray, areas: np.ndarray, sigmas: np.ndarray, threshold: float
) -> np.ndarray:
    """ptfast.ops.oks_nms: keypoints (N, K, 2), scores and areas (N,) -> (M,)."""
    return _greedy(oks_matrix(keypoints, keypoints, area=(areas, areas), sigmas=sigmas), scores, threshold)


def soft_oks_nms(
    keypoints: np.ndarray,
    scores: np.ndarray,
    areas: np.ndarray,
    sigmas: np.ndarray,
    threshold: float,
    *,
    max_detections: int = 20,
) -> tuple[np.ndarray, np.ndarray]:
    """ptfast.ops.soft_oks_nms in float64."""
    similarity = oks_matrix(keypoints, keypoints, area=(areas, areas), sigmas=sigmas)
    left = np.array(scores, np.float64)
    taken: list[int] = []
    rescored = []
    for _ in range(min(len(left), max_detections)):
        best = max((i for i in range(len(left)) if i not in taken), key=lambda i: left[i])
        taken.append(best)
        rescored.append(left[best])
        left *= np.exp(-(similarity[best] ** 2) / threshold)
    return np.array(taken, np.int64), np.array(rescored)


def _greedy(overlaps: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        if not (overlaps[i, kept] > overlaps.dtype.type(threshold)).any():
            kept.append(int(i))
    return np.array(kept, np.int64)
