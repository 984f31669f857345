"""Settings of clip tracking."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ptfast._check import check_integer, check_number
from ptfast.tracking.merging import MergeSettings


@dataclass(frozen=True)
class Merging:
    """Settings of merging hypotheses, and of the tracks that are kept.

    Attributes:
        merge: "spatiotemporal" (section 3.3), "spatial" or "temporal" alone, or "highest", the most confident
            hypothesis of each joint (table 7).
        method: Algorithm of the cheapest path, "dijkstra" or "viterbi". Both find the same.
        weighted: Clusters' centres are means weighted by the hypotheses' scores.
        radius: Radius of a cluster, as a share of the person's head size (section 4.2).
        distance: Unit of the path's distances, "pixels" or cluster radii.
        smoothness: Lambda; None is 0.1 for pixels and 1 for radii.
        joint_thresholds: Joints with lower scores are absent in the result: one number, or one a joint.
        min_area: Poses with smaller boxes, in square pixels, are dropped (section 4.1).
        min_length: Tracks in fewer frames than that, of what the former two leave, are dropped (section 4.1).
        block: Frames that the window moves on by.
        lookahead: Frames that a path is followed beyond those that are given out. Later frames cannot change these.
    """

    merge: Literal["spatiotemporal", "spatial", "temporal", "highest"] = "spatiotemporal"
    method: Literal["dijkstra", "viterbi"] = "viterbi"
    weighted: bool = False
    radius: float = 0.5
    distance: Literal["pixels", "radius"] = "pixels"
    smoothness: float | None = None
    joint_thresholds: float | tuple[float, ...] = 0.0
    min_area: float = 3200.0
    min_length: int = 5
    block: int = 64
    lookahead: int = 32

    def __post_init__(self) -> None:
        check_integer("min_length", self.min_length, 1)
        check_integer("block", self.block, 1)
        check_integer("lookahead", self.lookahead, 0)
        if self.min_length > self.lookahead + 1:
            raise ValueError(
                f"min_length must be at most {self.lookahead + 1}, one more than lookahead, got {self.min_length}"
            )
        check_number("min_area", self.min_area, 0)
        if np.isnan(self.joint_thresholds).any():
            raise ValueError("joint_thresholds must be numbers, got nan")
        MergeSettings(self.merge, self.method, self.weighted, self.radius, self.distance, self.smoothness, 0.0)


def merging_from(entries: dict[str, Any]) -> Merging:
    """Reads settings of a card, where lists stand for tuples."""
    settings: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in entries.items()
    }
    return Merging(**settings)


@dataclass(frozen=True)
class Config:
    """The paper's settings, and those that it leaves open.

    Attributes:
        frames: |C|, frames of a clip, odd (section 4.2). Nothing joins clips of 1 frame, so each of their poses is a
            track of its own.
        step: S, frames from one key frame to the next: 1 to |C| - 1, so that clips overlap (section 4.2, figure 5b).
            The first and the last frame of a shot are key frames too where no other one's clip reaches them.
        batch: Key frames at a time.
        min_box_score: Detections under it get no tube; None gives one to all.
        min_similarity: Mean OKS under which two tracklets are not joined; None joins every possible pair, as the paper.
        sigma_scale: Factor on the skeleton's OKS sigmas when joining.
        merging: Settings of making one pose of several hypotheses (section 3.3), and of the tracks that are kept
            (section 4.1).
    """

    frames: int = 9
    step: int = 1
    batch: int = 8
    min_box_score: float | None = 0.5
    min_similarity: float | None = 0.3
    sigma_scale: float = 1.0
    merging: Merging = field(default_factory=Merging)

    def __post_init__(self) -> None:
        check_integer("frames", self.frames, 1)
        if self.frames % 2 == 0:
            raise ValueError(f"frames must be odd, got {self.frames}")
        check_integer("step", self.step, 1, max(1, self.frames - 1))
        check_integer("batch", self.batch, 1)
        if self.min_box_score is not None:
            check_number("min_box_score", self.min_box_score, -np.inf)
        if self.frames == 1 and self.merging.min_length > 1:
            raise ValueError(
                f"merging.min_length must be 1 where frames is 1, as nothing joins single frames, "
                f"got {self.merging.min_length}"
            )
