"""Settings of Simple Baselines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ptfast._check import check_integer, check_number, check_threshold
from ptfast.tracking import LinkSettings, Matcher
from ptfast.tracking.settings import MAX_COST, SIGMA_SCALE

Similarity = Literal["bbox", "pose", "flow", "multi-flow"]


@dataclass(frozen=True)
class Config:
    """The paper's settings, and those that it leaves open.

    The flip test and the quarter offset (section 4.1) are settings of the pose network, `ptfast.pipeline.TubePoses`,
    and its defaults.

    Attributes:
        min_box_score: The detector's boxes under it are dropped (section 4.2); None keeps all.
        min_score: Poses with a lower score are neither tracked nor carried on; None keeps all, as the paper does. A
            pose's score is its box's times the mean score of the joints that are seen.
        min_new_score: A track is tentative, and left out of the result, until one of its poses has at least this
            score. None shows all of every track, as the paper does.
        min_joint_score: Joints with a lower score count neither in OKS nor in propagated boxes (section 4.2). They stay
            in the result. None counts all.
        propagate: Boxes around poses that flow carries complement the detector's (section 3.1).
        enlargement: Share by which such a box is longer and wider than its joints' extent (section 3.1).
        propagated_score: Factor on a box's score for each frame that flow carries it on. The paper is silent; 1 would
            rank a box that nobody has detected for long like a new one.
        max_undetected: Frames in a row in which flow alone may propose a person, after which they are dropped. The
            paper is silent; the default is the least of the best ones on training films (docs/simple-baselines.md).
        min_propagated_score: A person whom flow alone proposes is lost where the mean score of all joints that the pose
            network finds in the box is lower; None keeps everyone. The paper is silent; without it false poses live on
            as long as true ones (docs/simple-baselines.md).
        max_overlap: IoU above which a box yields to another (section 3.3, the NMS of both kinds of boxes). The
            detector's go first, by score, then those of flow. The paper is silent; it is that of `NanoDetBoxes`.
        max_oks: Of two poses that are more alike, one is a double of the other: a detected person stays, or else the
            one with the higher score. The paper is silent; it is that of `TopDown`.
        similarity: What M_sim holds (section 3.2, table 5): "bbox", IoU of boxes; "pose", OKS; "flow", OKS with the
            poses of the frame before, carried by flow; "multi-flow", with those of `queue_length` frames.
        queue_length: L_Q, frames that Q holds (section 3.3), which "multi-flow" alone looks back to. The paper is
            silent; it is the lookback of `ptfast.link`.
        chained: Q's poses are carried one frame further in each frame, by one flow field; False computes a field from
            each of Q's frames to the new one, as equation 1 has it.
        matcher: "greedy" (section 3.3) or "hungarian".
        max_cost: Pairs of a lower similarity than 1 - max_cost are never made; None allows every pair, as the paper
            does. The default is that of `ptfast.link`, as is the next one.
        sigma_scale: Factor on the skeleton's OKS sigmas when similarity is computed; 1 in the paper.
        max_failed: Share of joints whose flow fails its check, or whose surroundings look different in the new frame,
            above which that is taken for the first one of another scene: nothing is carried into it, and no id.
        max_difference: Grey levels, 0 to 255, by which a joint's surroundings may differ in the mean. Both are those
            with the fewest errors on training films, videos and pictures (`benchmarks/tune_cuts.py`).
        batch: Frames that the detector sees at a time. A live stream is that many frames late.

    Raises:
        ValueError: A setting is out of range.
        TypeError: A whole number is none, or a number is none.
    """

    min_box_score: float | None = 0.5
    min_score: float | None = None
    min_new_score: float | None = None
    min_joint_score: float | None = 0.4
    propagate: bool = True
    enlargement: float = 0.15
    propagated_score: float = 0.9
    max_undetected: int = 8
    min_propagated_score: float | None = 0.4
    max_overlap: float = 0.6
    max_oks: float = 0.6
    similarity: Similarity = "multi-flow"
    queue_length: int = 4
    chained: bool = True
    matcher: Matcher = "greedy"
    max_cost: float | None = MAX_COST
    sigma_scale: float = SIGMA_SCALE
    max_failed: float = 0.95
    max_difference: float = 30.0
    batch: int = 4

    def __post_init__(self) -> None:
        if self.similarity not in get_args(Similarity):
            raise ValueError(f"similarity must be one of {get_args(Similarity)}, got {self.similarity!r}")
        for name in ("propagated_score", "max_overlap", "max_oks", "max_failed"):
            check_number(name, getattr(self, name), 0, 1)
        for name in ("enlargement", "max_difference"):
            check_number(name, getattr(self, name), 0)
        for name, least in (("max_undetected", 0), ("queue_length", 1), ("batch", 1)):
            check_integer(name, getattr(self, name), least)
        if self.min_box_score is not None:
            check_number("min_box_score", self.min_box_score, float("-inf"))
        for name in ("min_new_score", "min_propagated_score"):
            check_threshold(name, getattr(self, name))
        LinkSettings(  # raises for what linking refuses
            matcher=self.matcher,
            max_cost=self.max_cost,
            sigma_scale=self.sigma_scale,
            min_score=self.min_score,
            min_joint_score=self.min_joint_score,
        )

    @property
    def compares_carried(self) -> bool:
        """True if similarity is that of poses carried by flow."""
        return self.similarity in ("flow", "multi-flow")

    @property
    def needs_flow(self) -> bool:
        """True if poses are carried by flow at all."""
        return self.propagate or self.compares_carried

    @property
    def lookback(self) -> int:
        """Frames that Q holds: those of `queue_length` where similarity looks back so far, else one."""
        return self.queue_length if self.similarity == "multi-flow" else 1
