"""HRNet's lib/nms/nms.py and lib/core/inference.py (leoxiaobin/deep-high-resolution-net.pytorch), by ptfast.ops.

    from ptfast.dropin.hrnet import oks_nms     # instead of: from nms.nms import oks_nms

Equal to commit 6f69e46, but for this: OKS is computed in float64 throughout, where HRNet squares float32 differences in
float32. In oks_iou of five poses or more, values below 1e-34 are 0. Differences of unsigned heatmaps do not wrap
around. get_final_preds takes a single number as scale without printing it.

HRNet's bug is kept: with `in_vis_thre` a joint counts if it is visible in the second pose, whatever the first says.
`visible_in_both=True` does as was meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ptfast.dropin._heatmaps import peaks
from ptfast.dropin._pose_nms import FEW, SIGMAS, SPACING, Crowd, first_areas, oks_row, places
from ptfast.ops import soft_oks_nms as suppress_softly

__all__ = ["get_final_preds", "get_max_preds", "oks_iou", "oks_nms", "soft_oks_nms"]

MAX_DETECTIONS = 20


def oks_iou(
    g: np.ndarray, d: np.ndarray, a_g: float, a_d: np.ndarray, sigmas: np.ndarray | None = None,
    in_vis_thre: float | None = None, *, visible_in_both: bool = False,
) -> np.ndarray:  # fmt: skip
    """OKS of one pose with others, by ptfast.ops.oks_matrix.

    Args:
        g: (3K,) x, y, visibility of each joint.
        d: (N, 3K) the same of the others.
        a_g: The pose's area, square pixels.
        a_d: (N,) the others'. OKS divides by the mean of both.
        sigmas: (K,) array. Anything else, also a list, stands for COCO's 17.
        in_vis_thre: Joints of `d` at or under this visibility do not count.
        visible_in_both: Nor do those of `g`, as was meant.

    Returns:
        (N,) float64; 0 where no joint counts.
    """
    d = np.asarray(d)
    if not len(d):
        return np.zeros(0)
    g = np.asarray(g)
    counted = None if in_vis_thre is None else d[:, 2::3] > in_vis_thre
    if counted is not None and visible_in_both:
        counted &= g[2::3] > in_vis_thre
    return oks_row(places(g[None])[0], places(d), float(a_g), first_areas(a_d, len(d)), _sigmas(sigmas), counted)


def oks_nms(
    kpts_db: Sequence[Any], thresh: float, sigmas: np.ndarray | None = None, in_vis_thre: float | None = None,
    *, visible_in_both: bool = False,
) -> list[Any]:  # fmt: skip
    """Greedy non-maximum suppression of poses by their OKS, by ptfast.ops.oks_nms.

    Args:
        kpts_db: Dictionaries with "keypoints" (K, 3) x, y, visibility, "score" and "area".
        thresh: Highest OKS that two kept poses may have.
        sigmas: (K,) array. Anything else, also a list, stands for COCO's 17.
        in_vis_thre: Joints of the pose with the lower score at or under this visibility do not count.
        visible_in_both: Nor do those of the other one, as was meant.

    Returns:
        Indices of the kept poses, highest score first; equal scores in the order of NumPy's argsort, reversed.
    """
    if len(kpts_db) == 0:
        return []
    return list(_crowd(kpts_db, sigmas, in_vis_thre, visible_in_both).suppress(thresh))


def soft_oks_nms(
    kpts_db: Sequence[Any], thresh: float, sigmas: np.ndarray | None = None, in_vis_thre: float | None = None,
    *, visible_in_both: bool = False,
) -> np.ndarray | list[Any]:  # fmt: skip
    """Soft non-maximum suppression of poses by their OKS, by ptfast.ops.soft_oks_nms: the first 20 in falling order.

    Taking a pose multiplies the scores of the others by exp(-OKS^2 / thresh).

    Args:
        kpts_db: Dictionaries with "keypoints" (K, 3) x, y, visibility, "score" and "area".
        thresh: The larger, the more slowly scores fall with OKS.
        sigmas, in_vis_thre, visible_in_both: Those of oks_nms.

    Returns:
        (M,) intp indices in the order taken, M at most 20; an empty list for no poses.
    """
    if len(kpts_db) == 0:
        return []
    crowd = _crowd(kpts_db, sigmas, in_vis_thre, visible_in_both)
    scores = crowd.scores
    # The native operation breaks ties otherwise than a sort in every round, and does not let a score fall below e^-80.
    certain = thresh > 1 / 80 and len(set(scores.tolist())) == len(scores) and np.isfinite(scores).all()
    if len(scores) <= FEW or not certain or not crowd.is_usual():
        return _softly(crowd, thresh)
    poses = (crowd.poses, scores.astype(np.float64), crowd.areas + SPACING, crowd.joint_sigmas())
    return suppress_softly(*poses, float(thresh), max_detections=MAX_DETECTIONS)[0].astype(np.intp, copy=False)


def get_max_preds(batch_heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The highest pixel of each heatmap and its value, by ptfast.ops.heatmap_peaks.

    Args:
        batch_heatmaps: (N, K, H, W).

    Returns:
        (N, K, 2) float32 x, y, at (0, 0) where the value is not positive, and (N, K, 1) values of the maps' dtype.

    Raises:
        AssertionError: The maps are no array of four dimensions.
    """
    return _decode(batch_heatmaps, "none")


def get_final_preds(
    config: Any, batch_heatmaps: np.ndarray, center: np.ndarray, scale: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Joints in the image, from heatmaps of crops, by ptfast.ops.heatmap_peaks.

    Args:
        config: With its TEST.POST_PROCESS peaks move by a quarter of a pixel towards the higher neighbours.
        batch_heatmaps: (N, K, H, W).
        center: (N, 2) of the crops, image pixels.
        scale: (N, 2) of the crops, in 200 pixels. The first is used for both axes. Also (N,).

    Returns:
        (N, K, 2) float32 x, y in the image and (N, K, 1) values of the maps' dtype.

    Raises:
        AssertionError: The maps are no array of four dimensions.
    """
    coordinates, values = _decode(batch_heatmaps, "quarter" if config.TEST.POST_PROCESS else "none")
    height, width = batch_heatmaps.shape[2:]
    rows = range(len(coordinates))
    return _to_image(coordinates, np.take(center, rows, 0), np.take(scale, rows, 0), height, width), values


def _sigmas(sigmas: Any) -> np.ndarray:
    return sigmas if isinstance(sigmas, np.ndarray) else SIGMAS


def _crowd(people: Sequence[Any], sigmas: Any, threshold: float | None, both: bool) -> Crowd:
    scores = np.array([person["score"] for person in people])
    return Crowd(people, scores, _sigmas(sigmas), threshold, both, np.float64)


def _softly(crowd: Crowd, threshold: float) -> np.ndarray:
    """Soft suppression that sorts in every round, so that equal scores change places as in HRNet."""
    order = crowd.scores.argsort()[::-1]
    scores = crowd.scores[order]
    taken: list[np.intp] = []
    while order.size > 1 and len(taken) < MAX_DETECTIONS:
        taken.append(order[0])
        overlap, order = crowd.row(order[0], order[1:]), order[1:]
        scores = scores[1:] * np.exp(-(overlap**2) / threshold)
        ranking = scores.argsort()[::-1]
        order, scores = order[ranking], scores[ranking]
    return np.array([*taken, *order][:MAX_DETECTIONS], np.intp)


def _decode(heatmaps: Any, refine: Any) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(heatmaps, np.ndarray):
        raise AssertionError("batch_heatmaps should be numpy.ndarray")
    if heatmaps.ndim != 4:
        raise AssertionError("batch_images should be 4-ndim")
    coordinates, values = peaks(heatmaps, refine)
    return np.where(values[..., None] > 0, coordinates, np.float32(0)), values[..., None]


def _to_image(coordinates: np.ndarray, centre: np.ndarray, scale: np.ndarray, height: int, width: int) -> np.ndarray:
    """Through HRNet's affine map: the heatmap's centre goes to the crop's, a width to 200 times the scale.

    HRNet solves for it from three points that it rounds to float32: the centre, one half a width above it and one half
    a width to the left of that. The map is theirs here too, so that results agree to the last bits of float32.
    """
    half = np.zeros(centre.shape)
    half[:, 1] = -0.5 * 200.0 * (scale if scale.ndim == 1 else scale[:, 0])
    middle, above = centre.astype(np.float32), (centre + half).astype(np.float32)
    up = middle - above
    left = above + np.stack([-up[:, 1], up[:, 0]], 1)
    across, down = (above.astype(np.float64) - left, middle.astype(np.float64) - above)
    steps = (coordinates.astype(np.float64) - (width / 2, height / 2)) / (width / 2)
    x, y = steps[..., :1], steps[..., 1:]
    return (middle[:, None] + x * across[:, None] + y * down[:, None]).astype(np.float32)
