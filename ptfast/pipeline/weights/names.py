"""Names of the weights that come along."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
MASK_RCNN_NAMES = ("detect-and-track", "detect-and-track-2d")
POSE_NAMES = ("clip-tracking", "clip-tracking-2d")
MATCHER_NAMES = ("matcher",)
MOVENET_NAMES = ("movenet-multipose", "movenet-thunder")
NANODET_NAMES = ("nanodet-g",)
NAMES = MASK_RCNN_NAMES + POSE_NAMES + MATCHER_NAMES + MOVENET_NAMES + NANODET_NAMES


def path_of(weights: str | Path) -> Path:
    """The file of weights that come along, by their name, or the path itself."""
    return FOLDER / f"{weights}.safetensors" if weights in NAMES else Path(weights)
