"""Costs for `link` that weigh overlap, pose and appearance against each other."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from ptfast._check import Array, check_finite, check_integer, check_number, check_shape, is_tensor
from ptfast.ops.boxes import iou_matrix
from ptfast.ops.pckh import pckh_matrix
from ptfast.structures import Poses, head_sizes
from ptfast.tracking._linking import Cost


class FeatureStore:
    """Appearance features that go with poses through linking.

    Linking drops, selects and moves rows; all that stays with a row are the columns of Poses. `attach` therefore
    numbers the rows in their track_ids, which linking does not read and replaces in the end, and a cost looks the
    features up by that number. A store serves one video at a time.

    Args:
        calls: How many of the latest calls of `attach` are remembered. A stream that attaches frame by frame needs
            lookback + 1 of them; a whole video takes one.

    Raises:
        ValueError: `calls` is not positive.

    Example:
        >>> store = FeatureStore()
        >>> linker = OnlineLinker(cost=weighted_cost(iou=1, appearance=0.5, features=store))
        >>> for poses, features in stream:
        ...     tracked = linker.update(store.attach(poses, features))
    """

    def __init__(self, calls: int = 5) -> None:
        self._blocks: deque[tuple[int, np.ndarray]] = deque(maxlen=check_integer("calls", calls, 1))
        self._next = 0

    def attach(self, poses: Poses, features: Array) -> Poses:
        """Remembers the features of poses that are to be linked next.

        Args:
            poses: N poses, of one frame or of many.
            features: (N, D) a row for each pose, before linking drops any; of any length, not all zeros.

        Returns:
            The same poses, with numbers in place of their track_ids. They are what to link.

        Raises:
            ValueError: The shape does not fit the poses or the features before, or a feature is NaN or infinite.
        """
        rows = features.detach().cpu().numpy() if is_tensor(features) else np.asarray(features)
        count = poses.scores.shape[0]
        sizes = {"D": self._blocks[-1][1].shape[1]} if self._blocks else {}
        check_shape("features", rows, ("N", "D"), N=count, **sizes)
        check_finite("features", rows)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        self._blocks.append((self._next, (rows / np.maximum(norms, 1e-12)).astype(np.float32)))
        numbers = np.arange(self._next, self._next + count)
        self._next += count
        return poses.with_track_ids(numbers)

    def of(self, poses: Poses) -> np.ndarray:
        """(N, D) float32 features, of unit length, of N poses of one frame.

        Raises:
            ValueError: The poses did not come from `attach`, or too many calls ago.
        """
        numbers = np.asarray(poses.track_ids)
        for first, rows in reversed(self._blocks):
            if len(numbers) and first <= numbers.min() and numbers.max() < first + len(rows):
                return rows[numbers - first]
        if len(numbers):
            known = f"the latest {self._blocks.maxlen} calls of FeatureStore.attach"
            raise ValueError(f"poses must come from one of {known}, got the rows {numbers[:4].tolist()}")
        return np.zeros((0, self._blocks[-1][1].shape[1] if self._blocks else 0), np.float32)


@dataclass(frozen=True)
class _WeightedCost:
    """Three costs of every pair of two frames' poses, weighed and summed."""

    iou: float
    pckh: float
    appearance: float
    features: FeatureStore | None

    def __call__(self, earlier: Poses, current: Poses) -> np.ndarray:
        total = np.zeros((len(earlier.scores), len(current.scores)), np.float32)
        if self.iou:
            total += self.iou * (1 - iou_matrix(earlier.boxes, current.boxes))
        if self.pckh:
            visible = {"a_visible": earlier.joint_visibility, "b_visible": current.joint_visibility}
            sizes = head_sizes(current).astype(np.float32)
            total += self.pckh * (1 - pckh_matrix(earlier.keypoints, current.keypoints, head_sizes=sizes, **visible))
        if self.appearance and self.features is not None:
            total += self.appearance * (1 - self.features.of(earlier) @ self.features.of(current).T)
        return total


def weighted_cost(
    iou: float = 1.0, pckh: float = 0.0, appearance: float = 0.0, *, features: FeatureStore | None = None
) -> Cost:
    """A cost for `link` and `OnlineLinker`: the weighted sum of up to three costs of every pair of poses.

    They are 1 - IoU of the boxes; 1 - PCKh, the share of common joints that lie within half the current pose's head
    size; and 1 - the cosine of the angle between two appearance features, which is 0 to 2. Weights need not sum to 1,
    but `max_cost` is compared with the sum. Weights 1, 0, 0 are those of the released code.

    Args:
        iou: Weight of the boxes' overlap.
        pckh: Weight of the poses' likeness.
        appearance: Weight of the features' likeness.
        features: Where the features are; needed if their weight is not 0. `link` the poses that its `attach` gives.

    Returns:
        "iou" or "pckh" where that alone counts, with weight 1, which the native core computes; else a function of two
        Poses of one frame each, N and M poses, that gives costs (N, M) float32.

    Raises:
        ValueError: A weight is negative, all are 0, or appearance has a weight but no features.

    Source:
        Girdhar et al. 2018 (Detect-and-Track), section 3.1, "Likelihood metrics", and table 3.
    """
    weights = {"iou": iou, "pckh": pckh, "appearance": appearance}
    for name, weight in weights.items():
        check_number(name, weight, 0)
    if not any(weights.values()):
        raise ValueError("one of iou, pckh and appearance must be positive, got 0 for all")
    if appearance and features is None:
        raise ValueError(f"features must be a FeatureStore where appearance is {appearance}, got None")
    if (iou, pckh, appearance) == (1, 0, 0):
        return "iou"
    if (iou, pckh, appearance) == (0, 1, 0):
        return "pckh"
    return _WeightedCost(iou, pckh, appearance, features)
