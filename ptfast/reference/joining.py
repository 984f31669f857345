"""Joining of tracklets, one key frame after the other: the specification of ptfast.tracking.joining."""

from __future__ import annotations

import numpy as np

from ptfast.reference.assignment import assign
from ptfast.reference.oks import oks_matrix
from ptfast.structures import Tracklets


def join_tracklets(
    tracklets: Tracklets,
    *,
    frames: int | None = None,
    min_similarity: float | None,
    sigma_scale: float,
    min_joint_score: float | None,
    matcher: str,
) -> np.ndarray:
    """As ptfast.tracking.join_tracklets, in float64: (M,) int64."""
    visible = _visible(tracklets, frames, -np.inf if min_joint_score is None else min_joint_score)
    sigmas = np.array(tracklets.skeleton.sigmas) * sigma_scale
    length = tracklets.keypoints.shape[1]
    rows_of = {int(f): np.flatnonzero(tracklets.first_frame == f).tolist() for f in np.unique(tracklets.first_frame)}
    starts = sorted(rows_of)
    ids, following, followed = np.full(len(tracklets), -1), 0, set()
    for k, start in enumerate(starts):
        for d in range(1, k + 1):
            gap = start - starts[k - d]
            if gap >= length:
                break
            earlier = [i for i in rows_of[starts[k - d]] if i not in followed]
            current = [j for j in rows_of[start] if ids[j] < 0]
            costs = [[-_similarity(tracklets, visible, sigmas, i, j, gap) for j in current] for i in earlier]
            limit = None if min_similarity is None else -min_similarity
            columns = assign(np.reshape(costs, (len(earlier), len(current))), max_cost=limit, method=matcher)
            for i, column in zip(earlier, columns, strict=True):
                if column >= 0:
                    ids[current[column]] = ids[i]
                    followed.add(i)
        for j in rows_of[start]:
            if ids[j] < 0:
                ids[j], following = following, following + 1
    return ids


def _visible(tracklets: Tracklets, frames: int | None, min_joint_score: float) -> np.ndarray:
    """(M, T, K) bool, the joints that count."""
    visible = tracklets.joint_scores >= np.float32(min_joint_score)
    for row, first in enumerate(tracklets.first_frame):
        for t in range(visible.shape[1]):
            if first + t < 0 or (frames is not None and first + t >= frames):
                visible[row, t] = False
    return visible


def _similarity(
    tracklets: Tracklets, visible: np.ndarray, sigmas: np.ndarray, earlier: int, later: int, gap: int
) -> float:
    """Mean OKS of two tracklets over their common frames in which both have joints that count, 0 without any."""
    x1, y1, x2, y2 = tracklets.boxes[later].astype(np.float64)
    area = np.array([(x2 - x1) * (y2 - y1)])
    values = []
    for t in range(tracklets.keypoints.shape[1] - gap):
        one, two = (earlier, t + gap), (later, t)
        if visible[one].any() and visible[two].any():
            a, b = tracklets.keypoints[one][None], tracklets.keypoints[two][None]
            seen = {"a_visible": visible[one][None], "b_visible": visible[two][None]}
            values.append(oks_matrix(a, b, area=area, sigmas=sigmas, **seen)[0, 0])
    return float(np.mean(values)) if values else 0.0
