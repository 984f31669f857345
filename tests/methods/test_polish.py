"""The window that merges hypotheses: its settings, and tracks that go on from block to block."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ptfast.io import Frame
from ptfast.methods.clip_tracking import Merging
from ptfast.methods.clip_tracking.polish import MovingMerge
from ptfast.pipeline import FrameTracklets
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses, Tracklets
from ptfast.tracking import merge_hypotheses

FRAMES, LENGTH = 12, 5
REACH = LENGTH // 2


def tracklets(spread: float = 0.0, far: float = 0.0) -> Tracklets:
    """One about each frame, of a person 15 pixels high who walks to the right; joints are often seen `far` away."""
    rng = np.random.default_rng(0)
    body = rng.uniform(0, 15, (15, 2))
    first = np.arange(FRAMES) - REACH
    shift = 2.0 * (first[:, None] + np.arange(LENGTH))
    keypoints = body + np.stack([shift, np.zeros_like(shift)], -1)[:, :, None]
    keypoints = keypoints + rng.normal(0, spread, keypoints.shape) if spread else keypoints
    keypoints = keypoints + far * (rng.random((FRAMES, LENGTH, 15, 1)) < 0.4) * [1, 1]
    return Tracklets(keypoints, rng.uniform(0.3, 0.9, keypoints.shape[:3]), first, POSETRACK_15)


def merged(given: Tracklets, merging: Merging) -> Poses:
    """The window's poses of all frames."""
    window, found = MovingMerge(given.keypoints.shape[1], merging), []
    for frame in range(FRAMES):
        here = given.select(given.first_frame + given.keypoints.shape[1] // 2 == frame)
        record = FrameTracklets.of_frame(Frame(None, f"{frame}", frame), here)
        found.extend(window.update(record, np.full(len(here), 3)))
    return Poses.concatenate([*found, *window.finish()])


@pytest.mark.parametrize(
    "settings",
    [
        {"merge": "spatial"}, {"merge": "temporal"}, {"merge": "highest"}, {"weighted": True}, {"radius": 0.2},
        {"smoothness": 3.0}, {"distance": "radius"},
    ],
)  # fmt: skip
def test_hypotheses_are_merged_as_the_settings_say(settings: dict[str, Any]) -> None:
    given, ids = tracklets(1.0, 5.0), np.zeros(FRAMES, np.int64)
    found = merged(given, Merging(min_area=0.0, min_length=1, **settings))
    wanted, usual = (merge_hypotheses(given, ids, frames=FRAMES, **how).keypoints for how in (settings, {}))
    np.testing.assert_array_equal(found.keypoints, wanted)
    assert np.abs(wanted - usual).max() > 0.1


@pytest.mark.parametrize(("last", "kept"), [(10, 10), (5, 5), (4, 0)])
def test_a_track_is_as_long_as_in_all_blocks_together(last: int, kept: int) -> None:
    """Clips of one frame: a track has as many frames as key frames; blocks of four see the end of ten alone."""
    given = tracklets()
    one = Tracklets(given.keypoints[:last, REACH:-REACH], given.joint_scores[:last, REACH:-REACH], np.arange(last),
                    POSETRACK_15)  # fmt: skip
    found = merged(one, Merging(min_area=0.0, block=4, lookahead=4))
    assert len(found) == FRAMES and len(found.scores) == kept
    assert np.diff(found.frame_offsets)[:kept].all()


def test_frames_that_the_other_filters_empty_do_not_count() -> None:
    given = tracklets()
    given.joint_scores[np.arange(LENGTH) + given.first_frame[:, None] > 5] = 0.1
    for length, kept in ((6, 6), (7, 0)):
        found = merged(given, Merging(min_area=0.0, min_length=length, joint_thresholds=0.2))
        assert len(found.scores) == kept
