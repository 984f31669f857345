"""Columns of Poses, compared as a whole."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.structures import Poses

COLUMNS = ("keypoints", "joint_scores", "joint_visibility", "boxes", "scores", "track_ids", "frame_offsets")


@pytest.fixture(scope="session")
def same():
    def equal(a: Poses, b: Poses) -> bool:
        return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in COLUMNS)

    return equal
