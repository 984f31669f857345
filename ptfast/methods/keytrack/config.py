"""Settings of KeyTrack."""

from __future__ import annotations

from dataclasses import dataclass

from ptfast._check import check_integer, check_number, check_positive, check_threshold
from ptfast.tracking import LinkSettings, Matcher
from ptfast.tracking.match_scores import MAX_SPEED
from ptfast.tracking.temporal_oks import ENLARGEMENT, MIN_JOINT_SCORE, MIN_OKS


@dataclass(frozen=True)
class Config:
    """The paper's settings, and those that it leaves open.

    Attributes:
        min_box_score: The detector's boxes under it are dropped (A.4); None keeps all.
        min_score: Poses with a lower score are neither looked for again nor tracked; None keeps all, as the paper
            does. A pose's score is its box's times the mean score of the joints that are seen.
        min_new_score: A track is tentative, and left out of the result, until one of its poses has at least this
            score. None shows all of every track, as the paper does.
        min_joint_score: Joints with a lower score count neither in OKS nor in boxes, and are absent in the result
            (A.4). None counts all.
        temporal_oks: People of the frame before are looked for again where they were (section 3.3).
        enlargement: alpha, factor on the extent of their joints (A.1, A.4).
        min_oks: OKS that a pose found again needs with the one before (section 3.3, table 2).
        max_oks: Of two poses that are more alike, the one whose joints score more stays (section 3.3, A.4).
        propagated_score: Factor on a box's score for each frame in which the detector misses the person. The paper is
            silent; the default is that of Simple Baselines, as are the next two.
        max_undetected: Frames in a row in which a person may be found again without being detected, after which they
            are dropped. The paper has no bound.
        min_propagated_score: Such a person is lost where the mean score of all joints is lower; None keeps everyone, as
            the paper does.
        lookback: delta, frames back that a pose is compared with (sections 3.2 and 5.1, A.4).
        neighbours: n, nearest poses of each of these frames that it is compared with (section 3.1). The paper does not
            give it.
        matcher: "greedy" (section 3.1) or "hungarian" (section 5.1).
        min_match_score: Probability under which two poses are not of one person. The paper is silent; the default is
            where the network's two classes are equally likely.
        max_speed: As `ptfast.tracking.EntailmentLinker` has it; None asks the network about every pair, as the paper
            does.
        sure_margin: As `ptfast.tracking.EntailmentLinker` has it.
        batch: Frames that the detector sees at a time. A live stream is that many frames late.

    Raises:
        ValueError: A setting is out of range.
        TypeError: A whole number is none, or a number is none.
    """

    min_box_score: float | None = 0.2
    min_score: float | None = None
    min_new_score: float | None = None
    min_joint_score: float | None = MIN_JOINT_SCORE
    temporal_oks: bool = True
    enlargement: float = ENLARGEMENT
    min_oks: float = MIN_OKS
    max_oks: float = MIN_OKS
    propagated_score: float = 0.9
    max_undetected: int = 8
    min_propagated_score: float | None = 0.4
    lookback: int = 4
    neighbours: int = 4
    matcher: Matcher = "greedy"
    min_match_score: float = 0.5
    max_speed: float | None = MAX_SPEED
    sure_margin: float | None = None
    batch: int = 4

    def __post_init__(self) -> None:
        for name in ("min_oks", "max_oks", "propagated_score", "min_match_score"):
            check_number(name, getattr(self, name), 0, 1)
        check_number("enlargement", self.enlargement, 0)
        for name, least in (("max_undetected", 0), ("neighbours", 1), ("batch", 1)):
            check_integer(name, getattr(self, name), least)
        if self.max_speed is not None:
            check_positive("max_speed", self.max_speed)
        if self.sure_margin is not None:
            check_number("sure_margin", self.sure_margin, 0, 1)
        for name in ("min_box_score", "min_new_score", "min_propagated_score"):
            check_threshold(name, getattr(self, name))
        LinkSettings(  # raises for what linking refuses
            matcher=self.matcher,
            lookback=self.lookback,
            min_score=self.min_score,
            min_joint_score=self.min_joint_score,
        )
