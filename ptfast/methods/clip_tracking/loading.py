"""The detector and the settings that suit a pose network's weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ptfast.methods.clip_tracking.config import Config, merging_from
from ptfast.pipeline.by_name import TUBE_SETTINGS
from ptfast.pipeline.weights import POSE_NAMES, THRESHOLDS, settings_for, thresholds_of


def default_detector(weights: str | Path) -> str:
    """The person detector beside a pose network: one that has seen real people, or synthetic ones as the network has.

    Args:
        weights: The pose network's, by name or file.
    """
    return "detect-and-track" if weights in POSE_NAMES else "nanodet-g"


def config_for(weights: str | Path, detector: object, settings: dict[str, Any]) -> Config:
    """The settings that suit a pose network and a detector, as the cards of their weights say.

    A card's `min_new_score`, or its `min_score` where it has one score alone, is that of a detector's boxes; its
    `min_joint_score` is that of a pose network's joints.

    Args:
        weights: The pose network's, by name or file.
        detector: The detector's, or a detector.
        settings: Entries of Config that differ; `merging` may be a dictionary of those of its entries that differ.
    """
    card = settings_for(weights)
    own = {name: value for name, value in card.items() if name not in (*TUBE_SETTINGS, *THRESHOLDS)}
    boxes = thresholds_of(detector) if isinstance(detector, str | Path) else {}
    sure = boxes.get("min_new_score", boxes.get("min_score"))
    known = {} if sure is None else {"min_box_score": sure}
    chosen = known | own | settings
    merging = chosen.pop("merging", {})
    if isinstance(merging, dict):
        joints = {"joint_thresholds": card["min_joint_score"]} if "min_joint_score" in card else {}
        merging = merging_from(joints | own.get("merging", {}) | merging)
    return Config(**chosen, merging=merging)
