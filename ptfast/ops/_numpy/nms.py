"""Non-maximum suppression on NumPy arrays."""

from __future__ import annotations

import numpy as np

from ptfast import _native
from ptfast._check import as_floats, check_finite, core_array
from ptfast.ops._numpy.library import addresses


def nms_arrays(name: str, boxes: np.ndarray, scores: np.ndarray, threshold: float) -> tuple[np.ndarray, int]:
    """ptfast.ops.nms_padded for boxes (N, 4) and tube_nms_padded for tubes (N, T, 4) of checked shapes."""
    boxes = as_floats(name, boxes)
    scores = core_array(scores, boxes.dtype)
    _check_finite(name, boxes)
    _check_finite("scores", scores)
    n, t = len(boxes), boxes.shape[1] if boxes.ndim == 3 else 1
    kept = np.empty(n, np.int64)
    inputs = (_native.address(boxes), _native.address(scores))
    return kept, _native.cpu("tube_nms", boxes.dtype)(*inputs, n, t, threshold, _native.address(kept))


def oks_nms_arrays(
    keypoints: np.ndarray, scores: np.ndarray, areas: np.ndarray, sigmas: np.ndarray, threshold: float
) -> tuple[np.ndarray, int]:
    """ptfast.ops.oks_nms_padded for arrays whose shapes are already checked."""
    poses = _finite_poses(keypoints, scores, areas, sigmas)
    n, k, _ = poses[0].shape
    kept = np.empty(n, np.int64)
    suppress = _native.cpu("oks_nms", poses[0].dtype)
    return kept, suppress(addresses(poses), n, k, threshold, _native.address(kept))


def soft_oks_nms_arrays(
    keypoints: np.ndarray,
    scores: np.ndarray,
    areas: np.ndarray,
    sigmas: np.ndarray,
    threshold: float,
    max_detections: int,
) -> tuple[np.ndarray, np.ndarray]:
    """ptfast.ops.soft_oks_nms for arrays whose shapes are already checked."""
    poses = _finite_poses(keypoints, scores, areas, sigmas)
    n, k, _ = poses[0].shape
    count = min(n, max_detections)
    kept, rescored = np.empty(count, np.int64), np.empty(count, poses[0].dtype)
    suppress = _native.cpu("soft_oks_nms", poses[0].dtype)
    suppress(addresses(poses), n, k, count, threshold, *addresses((kept, rescored)))
    return kept, rescored


def _finite_poses(
    keypoints: np.ndarray, scores: np.ndarray, areas: np.ndarray, sigmas: np.ndarray
) -> tuple[np.ndarray, ...]:
    keypoints = as_floats("keypoints", keypoints)
    others = {"scores": scores, "areas": areas, "sigmas": sigmas}
    arrays = {"keypoints": keypoints} | {name: core_array(array, keypoints.dtype) for name, array in others.items()}
    for name, array in arrays.items():
        _check_finite(name, array)
    return tuple(arrays.values())


def _check_finite(name: str, array: np.ndarray) -> None:
    # As _check.check_finite, without its temporary arrays.
    if not _native.cpu("all_finite", array.dtype)(_native.address(array), array.size):
        check_finite(name, array)
