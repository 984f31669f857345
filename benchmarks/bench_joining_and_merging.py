"""Joining and merging, one after the other, and a stream's memory. bench_linear_time has longer videos."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from bench_joining import FRAMES, LENGTH, PEOPLE, joined_by_numpy, tracklets

from ptfast.io import Frame
from ptfast.methods.clip_tracking import Merging
from ptfast.methods.clip_tracking.polish import MovingMerge
from ptfast.pipeline import FrameTracklets
from ptfast.reference.merging import merge_joint
from ptfast.structures import Poses, Tracklets
from ptfast.tracking import OnlineJoiner, join_tracklets, merge_hypotheses

MERGING = Merging(min_area=0.0)


def tracks(clips: Tracklets, frames: int) -> Poses:
    return merge_hypotheses(clips, join_tracklets(clips), frames=frames)


def streamed(clips: Tracklets, frames: int) -> int:
    """The number of poses when the same tracklets come frame by frame."""
    joiner, window, poses = OnlineJoiner(), MovingMerge(LENGTH, MERGING), 0
    starts = np.searchsorted(clips.first_frame, np.arange(-(LENGTH // 2), frames - LENGTH // 2 + 1))
    for frame in range(frames):
        cut = clips.select(np.arange(starts[frame], starts[frame + 1]))
        for shown in window.update(FrameTracklets.of_frame(Frame(None, "", frame), cut), joiner.update(cut)):
            poses += len(shown.scores)
    return poses + sum(len(shown.scores) for shown in window.finish())


@pytest.fixture(scope="module")
def many() -> Tracklets:
    return tracklets(FRAMES)


@pytest.mark.benchmark(group=f"joining and merging {FRAMES} frames of {PEOPLE} people, {LENGTH} hypotheses a joint")
@pytest.mark.parametrize("threads", [1, 2], indirect=True)
def test_joining_and_merging(benchmark: Any, threads: int, many: Tracklets) -> None:
    few = many.select(many.first_frame < 40)
    ids = joined_by_numpy(few)
    poses = tracks(few, 48)
    keypoints, _, visibility = merge_joint(few, ids, 3, 7, 48)
    np.testing.assert_array_equal(join_tracklets(few), ids)
    np.testing.assert_array_equal(poses.joint_visibility[poses.track_ids == 3, 7], visibility)
    np.testing.assert_allclose(poses.keypoints[poses.track_ids == 3, 7], keypoints, rtol=1e-5, atol=1e-4)
    benchmark.pedantic(tracks, args=(many, FRAMES), rounds=5, warmup_rounds=1)
    if benchmark.stats is not None and threads == 2:
        assert benchmark.stats.stats.median < 3


@pytest.mark.benchmark(group="joining and merging a stream")
def test_memory_is_that_of_the_window(benchmark: Any, many: Tracklets) -> None:
    """The peak of what a stream holds beside its input is the same after four times the frames."""
    peaks = {}
    for frames in (500, 2000):
        tracemalloc.start()
        streamed(many, frames)
        peaks[frames] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    benchmark.extra_info |= {"peak_bytes": {str(frames): peak for frames, peak in peaks.items()}}
    benchmark.pedantic(streamed, args=(many, 500), rounds=3)
    assert peaks[2000] < 1.1 * peaks[500]
