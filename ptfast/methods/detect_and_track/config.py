"""Settings of Detect-and-Track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ptfast.pipeline.mask_rcnn import MaskRcnnSettings
from ptfast.tracking import Cost, LinkSettings, Matcher


@dataclass(frozen=True)
class Config(MaskRcnnSettings):
    """The paper's settings: those of its network, which are `MaskRcnnSettings`, and of matching.

    Attributes:
        min_score: Detections under it are dropped before matching (section 4.2, table 1).
        min_area: Boxes of a smaller area, in square pixels, are dropped (released code).
        min_joint_score: Joints with a smaller logit are dropped (section 4.1).
        cost: What two detections are compared by (section 3.1, table 3): "iou" of boxes, "pckh" or "oks" of joints,
            "lstm", the learned matcher, or a function as `ptfast.link` takes it.
        cost_weights: Weights of 1 - IoU, 1 - PCKh and the cosine distance of the crops' features, whose sum replaces
            `cost`; None for `cost` alone.
        matcher: "hungarian" or "greedy" (table 2).
        lookback: Frames back that a detection is matched with.
        max_cost: Costlier pairs are never made; None matches every possible pair, as the paper does.
        joint_score: A joint's score in the result: "box", its detection's score, as in the released code, or "logit",
            its own.

    Raises:
        ValueError: A setting is out of range.
    """

    min_score: float = 0.95
    min_area: float = 50.0
    min_joint_score: float | None = 1.95
    cost: Cost | Literal["lstm"] = "iou"
    cost_weights: tuple[float, float, float] | None = None
    matcher: Matcher = "hungarian"
    lookback: int = 1
    max_cost: float | None = None
    joint_score: Literal["box", "logit"] = "box"

    def __post_init__(self) -> None:
        super().__post_init__()
        LinkSettings(  # raises for what stage 2 would refuse, hours later perhaps
            cost="iou" if self.cost == "lstm" else self.cost,
            matcher=self.matcher,
            lookback=self.lookback,
            motion="none",
            sigma_scale=1.0,
            max_cost=self.max_cost,
            min_score=self.min_score,
            min_joint_score=self.min_joint_score,
            max_tracks=None,
        )

    @property
    def sees_crops(self) -> bool:
        """True if linking weighs the features of crops."""
        return self.cost_weights is not None and self.cost_weights[2] > 0
