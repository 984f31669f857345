"""Merging of the hypotheses of a whole video: time and memory against the video's length, and against plain Python."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast.reference.merging import merge_joint
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Tracklets
from ptfast.tracking import merge_hypotheses, warm_up

FRAMES, PEOPLE, CLIP = 10_000, 20, 9
LENGTHS = (1_250, 2_500, 5_000, 10_000)


@cache
def hypotheses(frames: int, people: int = PEOPLE) -> tuple[Tracklets, np.ndarray]:
    """A tracklet of 9 frames for each person and frame, so that 9 cover a frame, and the persons (M,).

    Joints are jittered by a tenth of the head, and in one of ten tracklets a joint lies on somebody else.
    """
    rng = np.random.default_rng(0)
    body = rng.uniform(-1, 1, (15, 2)) * (20, 60)
    body[14] = body[12] + (0, -25)
    place = np.cumsum(rng.normal(0, 2, (frames + CLIP, people, 2)), 0) + np.arange(people)[:, None] * (60, 0)
    first = np.repeat(np.arange(frames) - CLIP // 2, people)
    person = np.tile(np.arange(people), frames)
    keypoints = np.empty((len(first), CLIP, 15, 2), np.float32)
    scores = rng.uniform(0.3, 1, keypoints.shape[:3]).astype(np.float32)
    for t in range(CLIP):
        keypoints[:, t] = place[first + t + CLIP // 2, person][:, None] + body
        keypoints[:, t] += rng.normal(0, 2.5, keypoints[:, t].shape)
    keypoints += np.where(rng.random((len(first), 1, 15, 1)) < 0.1, np.float32(60), np.float32(0))
    return Tracklets(keypoints, scores, first, POSETRACK_15), person


@cache
def plain_seconds(**options: Any) -> float:
    """Seconds of the specification in plain Python for a frame of a person, from 40 frames with an equal result."""
    few, few_ids = hypotheses(40, 2)
    poses = merge_hypotheses(few, few_ids, frames=40, **options)
    plain = {name: value for name, value in options.items() if name != "method"}
    plain["smoothness"] = 1.0 if options.get("distance") == "radius" else 0.1
    started = time.perf_counter()
    for joint in range(15):
        keypoints, _, visibility = merge_joint(few, few_ids, 1, joint, 40, **plain)
        np.testing.assert_allclose(poses.keypoints[1::2, joint], keypoints, rtol=1e-5, atol=1e-4)
        np.testing.assert_array_equal(poses.joint_visibility[1::2, joint], visibility)
    return (time.perf_counter() - started) / 40


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize(
    "options",
    [
        {}, {"method": "dijkstra"}, {"merge": "spatial"}, {"merge": "temporal"}, {"merge": "highest"},
        {"weighted": True, "distance": "radius"},
    ],
    ids=lambda options: " ".join(str(value) for value in options.values()) or "default",
)  # fmt: skip
def test_merge_hypotheses(
    benchmark: Any, options: dict, threads: int, held_against: Callable, roofline: Callable[..., None]
) -> None:
    """No library merges hypotheses: the specification in plain Python."""
    frames = FRAMES // 4 if options else FRAMES
    seconds = plain_seconds(**options) * frames * PEOPLE
    tracklets, ids = hypotheses(frames)
    benchmark.group = f"merging {frames} frames of {PEOPLE} people, 9 hypotheses a joint, {threads} thread(s)"
    benchmark.pedantic(lambda: merge_hypotheses(tracklets, ids, frames=frames, **options), rounds=3, warmup_rounds=1)
    # Read are the hypotheses, written are a joint's place, score and visibility. Clustering takes at least the distance
    # of each two hypotheses (6 flops, see bench_mean_shift), a path through them each step (9, see
    # bench_shortest_path), and the highest score a comparison.
    joints = frames * PEOPLE * 15
    flops = {"temporal": 9 * CLIP**2, "highest": CLIP}.get(options.get("merge", ""), 6 * CLIP * (CLIP - 1) / 2)
    roofline(tracklets.keypoints.nbytes + tracklets.joint_scores.nbytes + 13 * joints, flops * joints)
    held_against(seconds, 100, peer="the specification in plain Python, from 40 frames of one person")
    assert options or benchmark.stats is None or benchmark.stats.stats.median < 3


@pytest.mark.benchmark(group="merging, against the length of the video")
def test_time_is_linear_in_frames(benchmark: Any, median_seconds: Callable) -> None:
    seconds = []
    for frames in LENGTHS:
        tracklets, ids = hypotheses(frames)
        seconds.append(median_seconds(lambda t=tracklets, i=ids, f=frames: merge_hypotheses(t, i, frames=f), 3))
    slope = float(np.polyfit(np.log(LENGTHS), np.log(seconds), 1)[0])
    benchmark.extra_info |= {"frames": LENGTHS, "seconds": seconds, "slope": slope}
    benchmark.pedantic(lambda: merge_hypotheses(tracklets, ids, frames=LENGTHS[-1]), rounds=3)
    assert 0.85 < slope < 1.15  # bounds for a noisy machine; the figure itself is in the results


_MEASURE = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from bench_merging import hypotheses
from ptfast.tracking import merge_hypotheses

merge_hypotheses(*hypotheses(100))
tracklets, ids = hypotheses(int(sys.argv[1]))
memory = lambda key: next(int(x.split()[1]) << 10 for x in Path("/proc/self/status").open() if x.startswith(key))
Path("/proc/self/clear_refs").write_text("5")  # forgets the peak that making the tracklets left
before = memory("VmRSS")
poses = merge_hypotheses(tracklets, ids, frames=int(sys.argv[1]))
grown = memory("VmHWM") - before
columns = (poses.keypoints, poses.joint_scores, poses.joint_visibility, poses.boxes, poses.scores, poses.track_ids)
print(json.dumps([grown, sum(column.nbytes for column in columns), tracklets.keypoints.nbytes]))
"""


@pytest.mark.benchmark(group="merging, memory beside the output")
def test_memory_follows_the_output(benchmark: Any) -> None:
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("needs Linux's peak of memory")
    call = [sys.executable, "-c", _MEASURE, str(FRAMES // 2), str(Path(__file__).parent)]
    grown, output, given = json.loads(subprocess.run(call, capture_output=True, text=True, check=True).stdout)
    benchmark.extra_info |= {"grown_bytes": grown, "output_bytes": output, "keypoints_bytes": given}
    benchmark.pedantic(lambda: None, rounds=1)
    assert grown < 4 * output


@pytest.mark.benchmark(group="merging, loading its kernels from the cache")
def test_kernels_load_from_the_cache(benchmark: Any) -> None:
    """`ptfast info` reports this; the first time on a machine they are compiled."""
    warm_up()
    call = [sys.executable, "-c", "from ptfast.tracking import warm_up; print(warm_up())"]
    seconds = [float(subprocess.run(call, capture_output=True, text=True, check=True).stdout) for _ in range(3)]
    benchmark.extra_info |= {"seconds": sorted(seconds)}
    benchmark.pedantic(lambda: None, rounds=1)
    assert sorted(seconds)[1] < 3
