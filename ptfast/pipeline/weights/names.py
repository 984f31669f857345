"""Names of weights: of those that come along, and of published ones."""

from __future__ import annotations

from pathlib import Path

from ptfast.pipeline.weights.cache import fetch
from ptfast.pipeline.weights.zoo import ZOO

FOLDER = Path(__file__).parent
MASK_RCNN_NAMES = ("detect-and-track", "detect-and-track-2d")
POSE_NAMES = ("clip-tracking", "clip-tracking-2d", "simple-baselines")
MATCHER_NAMES = ("matcher",)
MOVENET_NAMES = ("movenet-multipose", "movenet-thunder")
NANODET_NAMES = ("nanodet-g",)
ENTAILMENT_NAMES = ("keytrack",)
NAMES = MASK_RCNN_NAMES + POSE_NAMES + MATCHER_NAMES + MOVENET_NAMES + NANODET_NAMES + ENTAILMENT_NAMES


def path_of(weights: str | Path) -> Path:
    """The file of weights by name, a str, or the path itself.

    Published ones (`ptfast.pipeline.weights.ZOO`) are fetched if they are not in the cache yet.

    Raises:
        ConnectionError: They cannot be fetched.
        FileNotFoundError: They are not in the cache, and a browser alone can fetch them.
        ValueError: The file in the cache is another one, or the name is empty.
    """
    if weights == "":
        raise ValueError("weights must be a file or a name that ptfast weights list shows, got an empty name")
    if weights in NAMES:
        return FOLDER / f"{weights}.safetensors"
    return fetch(ZOO[weights]) if isinstance(weights, str) and weights in ZOO else Path(weights)
