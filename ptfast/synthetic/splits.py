"""Fixed sets of synthetic videos to be judged by, and the seeds that are kept from training for them.

Seeds from TEST_SEEDS upward are for test sets alone, and those from VALIDATION_SEEDS up to there for validation.
Training takes seeds below both.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from ptfast.skeletons import SKELETONS
from ptfast.structures import Poses

if TYPE_CHECKING:
    from ptfast.synthetic.film import Film

VALIDATION_SEEDS = 8_000_000
TEST_SEEDS = 9_000_000


def load_test_set(name: str = "benchmark_v1") -> list[Film]:
    """The videos of a fixed test set, drawn as they are asked for.

    "benchmark_v1" is 20 videos of 64 frames of 256x256 pixels at 25 frames a second, with 3 to 8 people at a time,
    seen by cameras that pan and shake. 27 % of the people in all frames have more than 30 % of their joints hidden.
    Its seeds are from 9,000,000 upward, which no training takes. Those from 8,000,000 to 8,999,999 are for validation.

    Args:
        name: The test set's file in the package, without its suffix.

    Returns:
        One `ptfast.synthetic.Film` for each video. Its `poses` are the truth.

    Raises:
        ValueError: There is no test set of that name.
    """
    from ptfast.synthetic.film import render  # here, as it loads OpenCV

    videos = read_test_set(name)["videos"]
    return [render(**{**row["arguments"], "skeleton": SKELETONS[row["arguments"]["skeleton"]]}) for row in videos]


def read_test_set(name: str = "benchmark_v1") -> dict:
    """The content of a test set's file: `videos`, each with the `arguments` of `render` and what was counted in it.

    Raises:
        ValueError: There is no test set of that name.
    """
    folder = files("ptfast.synthetic")
    known = sorted(path.name.removesuffix(".json") for path in folder.iterdir() if path.name.endswith(".json"))
    if name not in known:
        raise ValueError(f"name must be one of {', '.join(known)}, got {name!r}")
    return json.loads((folder / f"{name}.json").read_text())


def mostly_hidden(poses: Poses, share: float = 0.3) -> np.ndarray:
    """(N,) bool: people of whose labelled joints (visibility above 0) more than `share` are hidden (visibility 1)."""
    labelled = (poses.joint_visibility > 0).sum(1)
    return (poses.joint_visibility == 1).sum(1) > share * labelled
