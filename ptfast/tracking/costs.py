"""Costs for `link` that weigh overlap, pose and appearance against each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ptfast._check import check_finite, check_number, check_shape, format_shape
from ptfast.ops.boxes import iou_matrix
from ptfast.ops.linking import BuiltInCost, RowCosts
from ptfast.ops.pckh import pckh_matrix
from ptfast.structures import Poses, head_sizes
from ptfast.tracking.match_scores import MAX_SPEED, MatchScorer, in_joints_of, scores_of, within_reach

if TYPE_CHECKING:
    from typing_extensions import TypeIs

CostFunction = Callable[[Poses, Poses], np.ndarray]
Cost = BuiltInCost | CostFunction | MatchScorer

_SHORTEST = 1e-12  # feature that is brought to unit length: one of zeros stays as it is


def weighted_cost(iou: float = 1.0, pckh: float = 0.0, appearance: float = 0.0, *, feature: str = "appearance") -> Cost:
    """Weighted sum of up to three costs of every pair of poses, as a cost for `link` and `OnlineLinker`.

    They are 1 - IoU of the boxes; 1 - PCKh, the share of common joints that lie within half the current pose's head
    size; and 1 - the cosine of the angle between two appearance features, which is 0 to 2, and 1 where a feature is
    zero. Weights need not sum to 1, but `max_cost` is compared with the sum. Weights 1, 0, 0 are those of the released
    code.

    Args:
        iou: Weight of the boxes' overlap.
        pckh: Weight of the poses' likeness.
        appearance: Weight of the features' likeness.
        feature: Name of the column of `Poses.features` that is compared, (N, D) of any scale. It is needed where
            appearance has a weight.

    Returns:
        "iou" or "pckh" where that alone counts, with weight 1, which the native core computes; else a function of two
        Poses of one frame each, N and M poses, that gives costs (N, M) float32. The function raises ValueError where
        the column is missing, has another shape, or is NaN or infinite.

    Raises:
        ValueError: A weight is negative, or all are 0.

    Source:
        Girdhar et al. 2018 (Detect-and-Track), section 3.1, "Likelihood metrics", and table 3.

    Example:
        >>> poses = replace(poses, features={"appearance": embeddings})
        >>> tracked = link(poses, cost=weighted_cost(iou=1, appearance=0.5))
    """
    weights = {"iou": iou, "pckh": pckh, "appearance": appearance}
    for name, weight in weights.items():
        check_number(name, weight, 0)
    if not any(weights.values()):
        raise ValueError("one of iou, pckh and appearance must be positive, got 0 for all")
    if (iou, pckh, appearance) == (1, 0, 0):
        return "iou"
    if (iou, pckh, appearance) == (0, 1, 0):
        return "pckh"
    return _WeightedCost(iou, pckh, appearance, feature)


@dataclass(frozen=True)
class _WeightedCost:
    """Weights of three costs, which a call applies to every pair of two frames' poses."""

    iou: float
    pckh: float
    appearance: float
    feature: str

    def __call__(self, earlier: Poses, current: Poses) -> np.ndarray:
        total = np.zeros((len(earlier.scores), len(current.scores)), np.float32)
        if self.iou:
            total += self.iou * (1 - iou_matrix(earlier.boxes, current.boxes))
        if self.pckh:
            visible = {"a_visible": earlier.joint_visibility, "b_visible": current.joint_visibility}
            sizes = head_sizes(current).astype(np.float32)
            total += self.pckh * (1 - pckh_matrix(earlier.keypoints, current.keypoints, head_sizes=sizes, **visible))
        if self.appearance:
            total += self.appearance * (1 - _cosines(earlier, current, self.feature))
        return total


def _cosines(earlier: Poses, current: Poses, feature: str) -> np.ndarray:
    """(N, M) float32 cosines of the angles between the features of N and M poses."""
    a = _unit_rows(earlier, feature)
    return a @ _unit_rows(current, feature, D=a.shape[1]).T


def _unit_rows(poses: Poses, feature: str, **sizes: int) -> np.ndarray:
    """(N, D) float32 features of unit length."""
    name = f"features[{feature!r}]"
    if feature not in poses.features:
        raise ValueError(f"{name} must be there where appearance has a weight, got features {[*poses.features]}")
    rows = poses.features[feature]
    check_shape(name, rows, ("N", "D"), **sizes)
    check_finite(name, rows)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.maximum(norms, _SHORTEST)).astype(np.float32)


def asks_python(cost: object) -> TypeIs[CostFunction | MatchScorer]:
    """Returns True for a cost that is none of the native core's."""
    return callable(cost) or isinstance(cost, MatchScorer)


def row_costs(cost: CostFunction | MatchScorer, frame: Callable[[int], Poses]) -> RowCosts:
    """A cost of Poses as `ptfast.ops.linking.LinkOptions` has it: of rows of numbered frames.

    Args:
        cost: Costs (N, M) of two Poses of one frame each, or what scores pairs. Frames between two numbers that a
            video leaves out are counted, so the numbers tell a scorer how many frames apart two poses are.
        frame: Gives the NumPy poses of a frame by its number.

    Returns:
        A function that raises ValueError where the costs have another shape, or hold NaN or -inf.
    """

    scores_pairs = isinstance(cost, MatchScorer)

    def costs(earlier: int, rows_a: list[int], shifts: list[float], current: int, rows_b: list[int]) -> list[float]:
        a, b = _rows(frame(earlier), rows_a), _rows(frame(current), rows_b)
        if shifts:
            a = _moved(a, np.array(shifts, np.float32).reshape(-1, 2))
        found = _score_costs(cost, a, b, current - earlier) if scores_pairs else cost(a, b)  # type: ignore
        values = np.asarray(found, np.float32)
        wanted = (len(rows_a), len(rows_b))
        if values.shape != wanted or not (values > -np.inf).all():
            shapes = f"{format_shape(wanted)} without NaN or -inf, got {format_shape(values.shape)}"
            raise ValueError(f"cost must return numbers of shape {shapes}")
        return values.ravel().tolist()

    return costs


def _score_costs(scorer: MatchScorer, earlier: Poses, current: Poses, apart: int) -> np.ndarray:
    """(N, M) 1 - match score of every pair of two frames' poses; 1 for those who would have moved too fast."""
    costs = np.ones((len(earlier.scores), len(current.scores)))
    i, j = np.indices(costs.shape).reshape(2, -1)
    near = within_reach(earlier.boxes[i], current.boxes[j], np.full(len(i), apart), MAX_SPEED)
    pairs = np.stack([i[near], j[near]], 1)
    earlier, current = in_joints_of(scorer, earlier), in_joints_of(scorer, current)
    costs[i[near], j[near]] -= scores_of(scorer, earlier, current, pairs, np.full(len(pairs), apart))
    return costs


def _rows(poses: Poses, rows: list[int]) -> Poses:
    if len(rows) == len(poses.scores):
        return poses
    mask = np.zeros(len(poses.scores), bool)
    mask[rows] = True
    return poses.select(mask)


def _moved(poses: Poses, shifts: np.ndarray) -> Poses:
    """The poses, each moved by its shift (N, 2) in pixels."""
    return replace(poses, keypoints=poses.keypoints + shifts[:, None], boxes=poses.boxes + np.tile(shifts, (1, 2)))
