"""Settings of `Online`."""

from __future__ import annotations

from dataclasses import dataclass

from ptfast._check import check_integer, check_threshold
from ptfast.pipeline.one_shot import MultiPoseSettings
from ptfast.tracking import LinkSettings


@dataclass(frozen=True)
class Config(MultiPoseSettings):
    """Settings of the estimator, which are `MultiPoseSettings`, and of linking.

    `Online.load` takes the thresholds that suit a network's scores from its card, where it has some. An estimator of
    the caller's own knows nothing of the settings of MultiPose, and the thresholds of scores are then to be chosen
    for it.

    Attributes:
        batch: Frames that the estimator sees at a time. A live stream is that many frames late.
        min_score: People with a lower score are dropped before linking.
        min_joint_score: Joints with a lower score are marked absent before linking.
        min_new_score: A track is tentative, and left out, until one of its poses has at least this score. None shows
            all of every track.

    Raises:
        ValueError: A setting is out of range.
        TypeError: A whole number is none.
    """

    batch: int = 4
    min_score: float | None = 0.12
    min_joint_score: float | None = 0.1
    min_new_score: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_integer("batch", self.batch, 1)
        LinkSettings(min_score=self.min_score, min_joint_score=self.min_joint_score)  # raises for what linking refuses
        check_threshold("min_new_score", self.min_new_score)
