"""Joining of tracklets: against NumPy and SciPy, key frame after key frame, and time against the video's length."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from ptfast.structures import Tracklets
from ptfast.synthetic import crowd
from ptfast.tracking import OnlineJoiner, join_tracklets

LENGTH, PEOPLE = 9, 20
MIN_SIMILARITY, MIN_JOINT_SCORE = 0.3, 0.2
FRAMES, PEER_FRAMES = 10_000, 300
MISS = 0.05


def tracklets(frames: int, people: int = PEOPLE) -> Tracklets:
    """Clips of 9 frames about every frame of people who walk to and fro; some people missed, some joints unsure."""
    rng = np.random.default_rng(0)
    poses = crowd(0, frames=frames + LENGTH - 1, people=people)
    keypoints = poses.keypoints.reshape(-1, people, 15, 2)
    clips = np.lib.stride_tricks.sliding_window_view(keypoints, LENGTH, 0).transpose(0, 1, 4, 2, 3)  # (F, P, T, K, 2)
    found = rng.random((frames, people)) >= MISS
    clips = clips[found]
    clips += 0.3 * rng.standard_normal(clips.shape, np.float32)
    scores = rng.random(clips.shape[:3], np.float32) ** np.float32(0.25)  # one in 625 under the threshold
    first = np.broadcast_to(np.arange(frames)[:, None], found.shape)[found]
    return Tracklets(clips, scores, first, poses.skeleton)


def joined_by_numpy(clips: Tracklets) -> np.ndarray:
    """Plain joining: OKS by broadcasting, SciPy's assignment, nearest earlier key frames first."""
    sigmas = 2 * np.array(clips.skeleton.sigmas, np.float32)
    size = clips.boxes[:, 2:] - clips.boxes[:, :2]
    areas = size[:, 0] * size[:, 1]
    rows = [np.flatnonzero(clips.first_frame == frame) for frame in range(int(clips.first_frame.max()) + 1)]
    ids, followed, following = np.full(len(clips), -1), np.zeros(len(clips), bool), 0
    for frame, current in enumerate(rows):
        for gap in range(1, min(LENGTH, frame + 1)):
            a = rows[frame - gap][~followed[rows[frame - gap]]]
            b = current[ids[current] < 0]
            if not len(a) or not len(b):
                continue
            one, two = clips.keypoints[a, gap:][:, None], clips.keypoints[b, : LENGTH - gap][None]
            seen = (clips.joint_scores >= MIN_JOINT_SCORE)[a, gap:][:, None] & (
                clips.joint_scores[b, : LENGTH - gap] >= MIN_JOINT_SCORE
            )
            squared = ((one - two) ** 2).sum(-1)
            terms = np.exp(-squared / sigmas**2 / areas[b][:, None, None] / 2) * seen
            similarity = (terms.sum(-1) / np.maximum(seen.sum(-1), 1)).mean(-1)
            for i, j in zip(*linear_sum_assignment(-np.maximum(similarity, MIN_SIMILARITY)), strict=True):
                if similarity[i, j] >= MIN_SIMILARITY:
                    ids[b[j]], followed[a[i]] = ids[a[i]], True
        new = current[ids[current] < 0]
        ids[new] = following + np.arange(len(new))
        following += len(new)
    return ids


def online_ids(clips: Tracklets) -> np.ndarray:
    joiner = OnlineJoiner()
    parts = np.split(np.arange(len(clips)), np.flatnonzero(np.diff(clips.first_frame)) + 1)
    return np.concatenate([joiner.update(clips.select(rows)) for rows in parts])


@pytest.fixture(scope="module")
def many() -> Tracklets:
    return tracklets(FRAMES)


@pytest.mark.benchmark(group=f"joining {FRAMES} key frames of {PEOPLE} people, {LENGTH} frames each")
@pytest.mark.parametrize("threads", [1, 2], indirect=True)
def test_join_tracklets(benchmark: Any, threads: int, many: Tracklets, roofline: Callable[..., None]) -> None:
    """Its result is that of NumPy and SciPy, which the tests below hold against it on fewer frames."""
    benchmark.extra_info["tracks"] = len(set(join_tracklets(many)))
    benchmark.pedantic(join_tracklets, args=(many,), rounds=5)
    roofline(*least_work(many, FRAMES))


def least_work(clips: Tracklets, frames: int) -> tuple[float, float, float]:
    """Bytes, flops and exponentials for the roofline: the OKS of each two tracklets of consecutive key frames.

    Tracklets with a gap between them are left out: how many there are hangs on the data. Coordinates and scores are
    read once, and ids written; a joint of two poses takes 7 flops and an exponential (see bench_oks).
    """
    terms = (frames - 1) * (PEOPLE * (1 - MISS)) ** 2 * (LENGTH - 1) * 15
    return clips.keypoints.nbytes + clips.joint_scores.nbytes + 8 * len(clips), 7 * terms, terms


@pytest.mark.benchmark(group=f"joining {PEER_FRAMES} key frames of {PEOPLE} people, {LENGTH} frames each")
@pytest.mark.parametrize("threads", [1, 2], indirect=True)
def test_against_numpy_and_scipy(
    benchmark: Any, threads: int, held_against: Callable, median_seconds: Callable, roofline: Callable[..., None]
) -> None:
    """No library joins tracklets: a program in NumPy and SciPy."""
    clips = tracklets(PEER_FRAMES)
    np.testing.assert_array_equal(join_tracklets(clips), joined_by_numpy(clips))
    benchmark(lambda: join_tracklets(clips))
    roofline(*least_work(clips, PEER_FRAMES))
    held_against(median_seconds(lambda: joined_by_numpy(clips), rounds=3), library="NumPy and SciPy")


@pytest.mark.benchmark(group=f"joining {PEER_FRAMES} key frames of {PEOPLE} people, {LENGTH} frames each")
@pytest.mark.parametrize("threads", [1, 2], indirect=True)
def test_online_joiner(benchmark: Any, threads: int, roofline: Callable[..., None]) -> None:
    """The same tracklets come frame by frame."""
    clips = tracklets(PEER_FRAMES)
    np.testing.assert_array_equal(online_ids(clips), join_tracklets(clips))
    benchmark.pedantic(online_ids, args=(clips,), rounds=5)
    roofline(*least_work(clips, PEER_FRAMES))


@pytest.mark.benchmark(group="joining long videos")
def test_time_is_linear(benchmark: Any, many: Tracklets) -> None:
    """Processor time, lengths in turn and the least of each, so that what else the machine does counts little."""
    lengths = [1250, 2500, 5000, FRAMES]
    parts = [many.select(many.first_frame < length) for length in lengths]

    def measure() -> list[float]:
        least = [np.inf] * len(parts)
        for _ in range(5):
            for i, part in enumerate(parts):
                started = time.process_time()
                join_tracklets(part)
                least[i] = min(least[i], time.process_time() - started)
        return least

    seconds = benchmark.pedantic(measure, rounds=1)
    slope = np.polyfit(np.log(lengths), np.log(seconds), 1)[0]
    benchmark.extra_info |= {"slope": round(slope, 3), "seconds": dict(zip(map(str, lengths), seconds, strict=True))}
    assert 0.85 < slope < 1.15  # bounds for a noisy machine; the figure itself is in the results
