"""Small sequences made by hand, and where the optional data lies."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses

# Two joints stand for all: a right wrist 100 pixels under the head top. A head box of 6 by 8 makes the head size 6, so
# that a joint is right within 3 pixels.
WRIST, HEAD = POSETRACK_15.index("right_wrist"), POSETRACK_15.index("head_top")


@pytest.fixture
def data() -> Path:
    """The folder of optional data; the test is skipped where there is none."""
    folder = Path(os.environ.get("PTFAST_DATA", Path(__file__).parents[3] / "shared" / "data"))
    if not (folder / "poseval_golden").is_dir():
        pytest.skip(f"needs the optional data in {folder} or $PTFAST_DATA")
    return folder


def sequence(frames: list[list[tuple[int, float]]], **columns: Any) -> Poses:
    """Poses of people given as (track id, x); their wrist stands at (x, 100) and their head top at (x, 0)."""
    people = [person for frame in frames for person in frame]
    keypoints, visibility = np.zeros((len(people), 15, 2)), np.zeros((len(people), 15), np.uint8)
    for row, (_, x) in enumerate(people):
        keypoints[row, HEAD], keypoints[row, WRIST] = (x, 0), (x, 100)
        visibility[row, [HEAD, WRIST]] = 1
    heads = np.tile([0.0, 0.0, 6.0, 8.0], (len(people), 1))
    given: dict[str, Any] = {
        "keypoints": keypoints,
        "frame_offsets": np.cumsum([0] + [len(frame) for frame in frames]),
        "skeleton": POSETRACK_15,
        "joint_visibility": visibility,
        "head_boxes": heads,
        "track_ids": np.array([name for name, _ in people], np.int64),
        "sequence": "a",
    }
    return Poses(**(given | columns))


@pytest.fixture
def make() -> Callable[..., Poses]:
    return sequence
