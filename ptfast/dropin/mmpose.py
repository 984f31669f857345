"""mmpose's oks_iou, oks_nms, get_heatmap_maximum, refine_keypoints and refine_keypoints_dark, by ptfast.ops.

    from ptfast.dropin.mmpose import oks_nms    # instead of: from mmpose.evaluation.functional.nms import oks_nms

Equal to mmpose 1.3.2, but for this: OKS is computed in float64 throughout, with values below 1e-34 as 0, and oks_nms
compares it with the threshold in float64, mmpose in float32. refine_keypoints_dark computes in float64 and leaves the
heatmaps as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ptfast.dropin._heatmaps import peaks
from ptfast.dropin._mmpose_dark import blurred, logarithms, taylor_step, taylor_steps
from ptfast.dropin._pose_nms import SIGMAS, Crowd, first_areas, oks_row, places
from ptfast.ops import heatmap_peaks

__all__ = ["get_heatmap_maximum", "oks_iou", "oks_nms", "refine_keypoints", "refine_keypoints_dark"]

MAX_BLUR = 31  # the widest that heatmap_peaks takes
FEW = 4  # keypoints that are refined sooner one by one than all at once


def oks_iou(
    g: np.ndarray, d: np.ndarray, a_g: float, a_d: np.ndarray, sigmas: np.ndarray | None = None,
    vis_thr: float | None = None,
) -> np.ndarray:  # fmt: skip
    """OKS of one pose with others, by ptfast.ops.oks_matrix.

    Args:
        g: (3K,) x, y, visibility of each joint.
        d: (N, 3K) the same of the others.
        a_g: The pose's area, square pixels.
        a_d: (N,) the others'. OKS divides by the mean of both.
        sigmas: (K,), default COCO's 17.
        vis_thr: Joints at or under this visibility in either pose do not count.

    Returns:
        (N,) float32; 0 where no joint counts.
    """
    d = np.asarray(d)
    if not len(d):
        return np.zeros(0, np.float32)
    g = np.asarray(g)
    counted = None if vis_thr is None else (d[:, 2::3] > vis_thr) & (g[2::3] > vis_thr)
    row = oks_row(places(g[None])[0], places(d), float(a_g), first_areas(a_d, len(d)), _sigmas(sigmas), counted)
    return row.astype(np.float32)


def oks_nms(
    kpts_db: Sequence[Any], thr: float, sigmas: np.ndarray | None = None, vis_thr: float | None = None,
    score_per_joint: bool = False,
) -> np.ndarray | list[Any]:  # fmt: skip
    """Greedy non-maximum suppression of poses by their OKS, by ptfast.ops.oks_nms.

    Args:
        kpts_db: Dictionaries with "keypoints" (K, 3) x, y, visibility, "score" and "area".
        thr: Highest OKS that two kept poses may have.
        sigmas: (K,), default COCO's 17.
        vis_thr: Joints at or under this visibility in either pose do not count.
        score_per_joint: Takes the mean of each "score", an array.

    Returns:
        (M,) indices of the kept poses, highest score first; equal scores in the order of NumPy's argsort, reversed. An
        empty list for no poses.
    """
    if len(kpts_db) == 0:
        return []
    scores = np.array([person["score"].mean() if score_per_joint else person["score"] for person in kpts_db])
    return Crowd(kpts_db, scores, _sigmas(sigmas), vis_thr, True, np.float32).suppress(thr)


def get_heatmap_maximum(heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The highest pixel of each heatmap and its value, by ptfast.ops.heatmap_peaks.

    Args:
        heatmaps: (K, H, W) or (B, K, H, W).

    Returns:
        (..., K, 2) float32 x, y, at (-1, -1) where the value is 0 or less, and (..., K) values of the maps' dtype.

    Raises:
        AssertionError: The maps are no array of three or four dimensions.
    """
    if not isinstance(heatmaps, np.ndarray):
        raise AssertionError("heatmaps should be numpy.ndarray")
    if heatmaps.ndim not in (3, 4):
        raise AssertionError(f"Invalid shape {heatmaps.shape}")
    locations, values = peaks(heatmaps)
    locations[values <= 0] = -1
    return locations, values


def refine_keypoints(keypoints: np.ndarray, heatmaps: np.ndarray) -> np.ndarray:
    """Moves keypoints, in place, by a quarter of a pixel on each axis towards the higher of their two neighbours.

    They need not be peaks, which heatmap_peaks would refine, so this is NumPy's work: all keypoints at once.

    Args:
        keypoints: (N, K, 2) x, y in heatmap pixels. Fractions are cut off to find the pixel.
        heatmaps: (K, H, W).

    Returns:
        The same array.
    """
    count, joints = keypoints.shape[:2]
    if count * joints <= FEW:
        for k in range(joints):
            for point in keypoints[:, k]:
                right, below = _slopes(heatmaps[k], *point[:2].astype(int).tolist())
                point += (_quarter(right), _quarter(below))
        return keypoints
    height, width = heatmaps.shape[1:]
    x, y = keypoints[..., 0].astype(int), keypoints[..., 1].astype(int)
    joint = np.broadcast_to(np.arange(joints), x.shape)
    slopes = np.zeros((*x.shape, 2), np.float32)
    across = (x > 1) & (x < width - 1) & (y > 0) & (y < height)
    down = (y > 1) & (y < height - 1) & (x > 0) & (x < width)
    k, u, v = joint[across], x[across], y[across]
    slopes[across, 0] = heatmaps[k, v, u + 1] - heatmaps[k, v, u - 1]
    k, u, v = joint[down], x[down], y[down]
    slopes[down, 1] = heatmaps[k, v + 1, u] - heatmaps[k, v - 1, u]
    keypoints += np.sign(slopes) * np.float32(0.25)
    return keypoints


def refine_keypoints_dark(
    keypoints: np.ndarray, heatmaps: np.ndarray, blur_kernel_size: int, *, overwrite_heatmaps: bool = False
) -> np.ndarray:
    """Moves keypoints, in place, to the top of a parabola through the logarithm of the blurred heatmaps (DARK).

    Those that stand on their map's peak are refined by ptfast.ops.heatmap_peaks, which blurs only what it needs, the
    others after blurring their whole maps with OpenCV.

    Args:
        keypoints: (N, K, D) x, y first, in heatmap pixels. Fractions are cut off to find the pixel.
        heatmaps: (K, H, W).
        blur_kernel_size: Odd number of taps.
        overwrite_heatmaps: Leaves the logarithms of the blurred heatmaps in their place, as mmpose does.

    Returns:
        The same array of keypoints.
    """
    if blur_kernel_size % 2 != 1:
        raise AssertionError
    height, width = heatmaps.shape[1:]
    x, y = keypoints[..., 0].astype(int), keypoints[..., 1].astype(int)
    n, k = ((x > 1) & (x < width - 2) & (y > 1) & (y < height - 2)).nonzero()  # who is still to be moved
    x, y = x[n, k], y[n, k]
    if not overwrite_heatmaps and 3 <= blur_kernel_size <= MAX_BLUR and len(k):
        flat = heatmaps.reshape(len(heatmaps), -1)
        tops = flat.argmax(1)
        place = x + width * y
        on_top = (place == tops[k]) & np.isfinite(flat[k, place])  # a NaN would be the top
        if on_top.any():
            refined, _ = heatmap_peaks(heatmaps, refine="taylor", blur_kernel=blur_kernel_size)
            n_top, k_top = n[on_top], k[on_top]
            keypoints[n_top, k_top, :2] += (refined - np.stack([tops % width, tops // width], 1))[k_top]
            n, k, x, y = (each[~on_top] for each in (n, k, x, y))
    if overwrite_heatmaps:
        for heatmap in heatmaps:
            heatmap[...] = logarithms(blurred(heatmap, blur_kernel_size))
    if len(k) and (overwrite_heatmaps or len(k) > FEW):
        logs = heatmaps
        if not overwrite_heatmaps:
            logs = np.zeros_like(heatmaps)
            for each in set(k.tolist()):
                logs[each] = logarithms(blurred(heatmaps[each], blur_kernel_size))
        keypoints[n, k, :2] += taylor_steps(logs, k, x, y)
    elif len(k):
        for person, joint, column, row in zip(*(each.tolist() for each in (n, k, x, y)), strict=True):
            around = slice(row - 2, row + 3), slice(column - 2, column + 3)
            keypoints[person, joint, :2] += taylor_step(logarithms(blurred(heatmaps[joint], blur_kernel_size)[around]))
    return keypoints


def _quarter(slope: Any) -> Any:
    """A quarter with the slope's sign; 0 and NaN stay."""
    return 0.25 if slope > 0 else -0.25 if slope < 0 else slope * 0


def _slopes(heatmap: np.ndarray, x: int, y: int) -> list[Any]:
    """Right minus left and lower minus upper neighbour of a pixel, each 0 where a neighbour is not well inside."""
    height, width = heatmap.shape
    across = heatmap[y, x + 1] - heatmap[y, x - 1] if 1 < x < width - 1 and 0 < y < height else 0.0
    down = heatmap[y + 1, x] - heatmap[y - 1, x] if 1 < y < height - 1 and 0 < x < width else 0.0
    return [across, down]


def _sigmas(sigmas: Any) -> np.ndarray:
    return SIGMAS if sigmas is None else np.asarray(sigmas)
