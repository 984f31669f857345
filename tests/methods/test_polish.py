"""The window that merges hypotheses: its settings, and tracks that go on from block to block."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ptfast.io import Frame
from ptfast.methods.clip_tracking import Dropped, Merging
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


def merged(given: Tracklets, merging: Merging, dropped: Dropped | None = None) -> Poses:
    """The window's poses of all frames."""
    window, found = MovingMerge(given.keypoints.shape[1], merging, dropped), []
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


def crowd() -> tuple[Tracklets, np.ndarray]:
    """Tracklets of six people over 40 frames, with their ids: some small, some unsure, some there for a few frames."""
    rng, parts, ids = np.random.default_rng(4), [], []
    for person, (height, sure, key_frames) in enumerate(
        [(60, 0.9, range(40)), (60, 0.5, range(40)), (15, 0.9, range(5, 30)), (60, 0.15, range(40)),
         (70, 0.9, range(33, 34)), (55, 0.6, range(10, 14))]
    ):  # fmt: skip
        first, body = np.array(key_frames) - REACH, rng.uniform(0, height, (15, 2)) + 100 * person
        shape = (len(first), LENGTH, 15)
        keypoints = body * rng.uniform(0.7, 1, (len(first), 1, 1, 1)) + rng.normal(0, 1, (*shape, 2))
        scores = sure * rng.uniform(0.4, 1.1, shape)
        parts.append(Tracklets(keypoints, scores, first, POSETRACK_15))
        ids.append(np.full(len(first), person))
    return Tracklets.concatenate(parts), np.concatenate(ids)


def polished(merging: Merging, dropped: Dropped) -> Poses:
    """The window's poses of the crowd."""
    (given, ids), found = crowd(), []
    window = MovingMerge(LENGTH, merging, dropped)
    for frame in range(40):
        here = given.first_frame + REACH == frame
        record = FrameTracklets.of_frame(Frame(None, f"{frame}", frame), given.select(here))
        found.extend(window.update(record, ids[here]))
    return Poses.concatenate([*found, *window.finish()])


@pytest.mark.parametrize("thresholds", [0.25, tuple(np.linspace(0.2, 0.45, 15).tolist())])
@pytest.mark.parametrize(("block", "lookahead"), [(64, 32), (6, 5), (1, 5)])
def test_what_is_dropped_is_counted_and_nothing_else_changes(
    block: int, lookahead: int, thresholds: float | tuple[float, ...]
) -> None:
    """The filters are redone here on poses that none was dropped of."""
    window = {"block": block, "lookahead": lookahead}
    dropped, none = Dropped(), Dropped()
    shown = polished(Merging(min_area=1500.0, min_length=6, joint_thresholds=thresholds, **window), dropped)
    every = polished(Merging(min_area=0.0, min_length=1, **window), none)
    sides = every.boxes[:, 2:] - every.boxes[:, :2]
    large = sides.prod(1) >= 1500
    sure = every.joint_visibility.astype(bool) & (every.joint_scores >= np.array(thresholds))
    strong = large & sure.any(1)
    long = strong & (np.bincount(every.track_ids[strong], minlength=6)[every.track_ids] >= 6)
    counts = [every.track_ids.size, (~large).sum(), (large & ~strong).sum(), (strong & ~long).sum()]
    assert [dropped.poses, dropped.small, dropped.low_joints, dropped.short] == counts and min(counts) > 0
    joints = int((every.joint_visibility[long] > 0).sum())
    assert (dropped.joints, dropped.weak_joints) == (joints, joints - int(sure[long].sum())) != (joints, 0)
    assert none == Dropped(poses=counts[0], joints=int((every.joint_visibility > 0).sum()))
    for name in ("keypoints", "joint_scores", "boxes", "scores", "track_ids"):
        np.testing.assert_array_equal(getattr(shown, name), getattr(every, name)[long])
    np.testing.assert_array_equal(shown.joint_visibility > 0, sure[long])
    assert not shown.features
