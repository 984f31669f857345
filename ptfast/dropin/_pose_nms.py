"""OKS and suppression of poses as HRNet and mmpose hand them over: rows of x, y, visibility, or dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ptfast.dropin._sigmas import joint_sigmas
from ptfast.ops import oks_matrix
from ptfast.ops import oks_nms as suppress
from ptfast.skeletons import COCO_17

SIGMAS = np.asarray(COCO_17.sigmas)
SPACING = float(np.spacing(1))  # what both add to the mean of two areas
NOTHING = 1e-34  # an OKS below this is 0 here, since the terms of oks_matrix do not fall below exp(-80)
_EIGHT_VARIANCES = 8 * SIGMAS * SIGMAS
FEW = 4  # poses that the bare formula in NumPy compares sooner than oks_matrix does


def places(rows: np.ndarray) -> np.ndarray:
    """(N, K, 2) float64 of (N, 3K) x, y, visibility."""
    return rows.reshape(len(rows), -1, 3)[:, :, :2].astype(np.float64)


def first_areas(areas: Any, count: int) -> np.ndarray:
    """(count,) float64. Raises IndexError, in NumPy's words, where there are fewer."""
    found = np.asarray(areas, np.float64)
    return found if found.shape == (count,) else found.take(range(count))


def oks_row(
    pose: np.ndarray, others: np.ndarray, area: float, areas: np.ndarray, sigmas: np.ndarray,
    counted: np.ndarray | None = None, bare: bool = False,
) -> np.ndarray:  # fmt: skip
    """(N,) float64 OKS of one pose with others, divided by the mean of their areas.

    Args:
        pose: (K, 2) float64.
        others: (N, K, 2) float64.
        area: The pose's, in square pixels.
        areas: (N,) the others'.
        sigmas: (K,), or (1,) for all joints.
        counted: (N, K) bool, joints that count; default all. Without one, OKS is 0.
        bare: Tells next to nothing from nothing.
    """
    if sigmas.shape != pose.shape[:1]:
        sigmas = joint_sigmas(sigmas, len(pose))
    mean = (area + areas) / 2 + SPACING
    if not bare and len(others) > FEW and mean.min() > 0:
        pair = areas + SPACING, np.full(1, area + SPACING)
        oks = oks_matrix(others, pose[None], area=pair, sigmas=sigmas, a_visible=counted)[:, 0]
        oks[oks < NOTHING] = 0
        return oks
    # Areas may be negative or NaN, of a box the wrong way round: the bare formula then, whatever it gives, as theirs.
    offsets = others - pose
    offsets *= offsets
    spreads = _EIGHT_VARIANCES if sigmas is SIGMAS else 8 * sigmas * sigmas
    terms = np.exp(-(offsets[..., 0] + offsets[..., 1]) / spreads / mean[:, None])
    if counted is None:
        return np.add.reduce(terms, 1) / max(1, len(pose))
    terms[~counted] = 0
    return np.add.reduce(terms, 1) / np.maximum(np.add.reduce(counted, 1), 1)


class Crowd:
    """The poses of one image.

    Args:
        people: Dictionaries with "keypoints" (K, 3) x, y, visibility and "area".
        scores: (N,).
        sigmas: (K,), or (1,) for all joints.
        threshold: Joints count whose visibility is over it; None for all.
        both: Takes the visibility in both poses of a pair, not in the second alone.
        dtype: The original's, for OKS.
    """

    def __init__(
        self, people: Sequence[Any], scores: np.ndarray, sigmas: np.ndarray, threshold: float | None, both: bool,
        dtype: type,
    ) -> None:  # fmt: skip
        self.scores = scores
        rows = np.array([person["keypoints"].flatten() for person in people])
        self.poses = places(rows)
        self.areas = first_areas([person["area"] for person in people], len(people))
        self.sigmas = sigmas
        self.visible = None if threshold is None else rows[:, 2::3] > threshold
        self.both, self.dtype = both, dtype

    def is_usual(self) -> bool:
        """Tells whether the native operations take it: all joints count, and all numbers are finite."""
        if self.visible is not None or not 0 <= self.areas.min() <= self.areas.max() < np.inf:
            return False
        return bool(np.isfinite(self.poses).all())

    def row(self, one: int, others: np.ndarray | slice, bare: bool = False) -> np.ndarray:
        """OKS of a pose with others, given by their indices."""
        counted = None
        if self.visible is not None:
            counted = self.visible[others] & self.visible[one] if self.both else self.visible[others]
        areas = self.areas[one], self.areas[others]
        oks = oks_row(self.poses[one], self.poses[others], *areas, self.sigmas, counted, bare)
        return oks.astype(self.dtype, copy=False)

    def joint_sigmas(self) -> np.ndarray:
        """(K,)."""
        return joint_sigmas(self.sigmas, self.poses.shape[1])

    def suppress(self, threshold: float) -> np.ndarray:
        """Indices of the poses that greedy suppression keeps, by descending score.

        Equal scores go in the order of scores.argsort()[::-1], as in both originals.
        """
        order = self.scores.argsort()[::-1]
        if len(order) > FEW and threshold >= NOTHING and self.is_usual():
            ranks = -np.arange(len(order), dtype=np.float64)
            areas, limit = self.areas[order] + SPACING, min(float(threshold), 1.0)
            return order[suppress(self.poses[order], ranks, areas, self.joint_sigmas(), limit)]
        if len(order) == 2:  # no array of indices need be made, which takes a quarter of the time
            first = int(order[0])
            overlap = self.row(first, slice(1 - first, 2 - first), threshold < NOTHING)
            return order if overlap <= threshold else order[:1]
        kept = []
        while order.size > 1:
            kept.append(order[0])
            order = order[1:][self.row(order[0], order[1:], threshold < NOTHING) <= threshold]
        return np.array([*kept, *order])
