"""Settings of linking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ptfast._check import check_positive, check_threshold
from ptfast.ops.assignment import Matcher
from ptfast.ops.linking import BuiltInCost, LinkOptions, Motion, RowCosts
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses
from ptfast.tracking.costs import Cost, asks_python, row_costs
from ptfast.tracking.match_scores import MatchScorer, check_scorer

# Chosen on training sequences alone; CONTRIBUTING.md says how.
SIGMA_SCALE = 2.0
MAX_COST = 0.95
MIN_SCORE = 0.4
MIN_JOINT_SCORE = 0.45


@dataclass(frozen=True)
class LinkSettings:
    """Arguments of `link` and `OnlineLinker`, checked.

    Attributes:
        cost: "oks", "iou", "pckh", or a function of two Poses of one frame each, earlier and current, that returns
            costs (N, M), or a `MatchScorer`.
        matcher: "hungarian" (least total cost) or "greedy" (lowest cost first).
        lookback: Number of frames back that a predecessor may be, at least 1.
        motion: "velocity", which moves the earlier pose before it is compared, or "none".
        sigma_scale: Factor on the skeleton's OKS sigmas.
        max_cost: Pairs that cost more are never made; None allows every pair.
        min_score: Poses with a lower score are dropped; None keeps all.
        min_joint_score: Joints with a lower score are marked absent; None keeps all.
        max_tracks: Number of poses in a frame that get an id, at most; None for all.

    Raises:
        ValueError: A setting is out of range.
        TypeError: lookback or max_tracks is no integer, or another of them no number.
    """

    cost: Cost = "oks"
    matcher: Matcher = "hungarian"
    lookback: int = 4
    motion: Motion = "velocity"
    sigma_scale: float = SIGMA_SCALE
    max_cost: float | None = MAX_COST
    min_score: float | None = MIN_SCORE
    min_joint_score: float | None = MIN_JOINT_SCORE
    max_tracks: int | None = None

    def __post_init__(self) -> None:
        if not asks_python(self.cost) and self.cost not in ("oks", "iou", "pckh"):
            raise ValueError(f"cost must be 'oks', 'iou', 'pckh' or a function of two Poses, got {self.cost!r}")
        if isinstance(self.cost, MatchScorer):
            check_scorer(self.cost, self.lookback)
        check_positive("sigma_scale", self.sigma_scale)
        check_threshold("min_score", self.min_score)
        check_threshold("min_joint_score", self.min_joint_score)
        options = self._options("oks")  # raises for the other settings
        for name in ("lookback", "max_tracks"):
            object.__setattr__(self, name, getattr(options, name))

    def sigmas(self, skeleton: Skeleton) -> list[float]:
        """The skeleton's OKS sigmas, widened for people's motion between frames."""
        return [sigma * self.sigma_scale for sigma in skeleton.sigmas]

    def options(self, frame: Callable[[int], Poses]) -> LinkOptions:
        """The settings as `link_columns` takes them.

        Args:
            frame: Gives the NumPy poses of a frame by its number; asked where the cost is a function.
        """
        return self._options(row_costs(self.cost, frame) if asks_python(self.cost) else self.cost)

    def _options(self, cost: BuiltInCost | RowCosts) -> LinkOptions:
        return LinkOptions(cost, self.matcher, self.lookback, self.motion, self.max_cost, self.max_tracks)
