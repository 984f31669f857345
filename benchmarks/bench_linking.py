"""Linking: against a plain loop and other trackers, and its time and memory against the length of the video."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from peers import peer
from scipy.optimize import linear_sum_assignment

from ptfast.structures import Poses
from ptfast.synthetic import crowd
from ptfast.tracking import OnlineLinker, link

ALL = {"min_score": None, "min_joint_score": None}
PLAIN = {"cost": "iou", "motion": "none", "lookback": 1, "max_cost": None, **ALL}
FRAMES, PEOPLE = 2_000, 20


@pytest.fixture(scope="module")
def poses() -> Poses:
    return crowd(0, frames=FRAMES, people=PEOPLE)


def iou_loop(poses: Poses) -> np.ndarray:
    """Detect-and-Track's linking as one would write it: NumPy IoU and SciPy's assignment, frame after frame."""
    boxes = [poses.boxes[a:b] for a, b in zip(poses.frame_offsets[:-1], poses.frame_offsets[1:], strict=True)]
    ids = [np.arange(len(boxes[0]))]
    following = len(boxes[0])
    for earlier, current in itertools.pairwise(boxes):
        low = np.maximum(earlier[:, None, :2], current[None, :, :2])
        high = np.minimum(earlier[:, None, 2:], current[None, :, 2:])
        inside = np.clip(high - low, 0, None).prod(-1)
        area_a, area_b = ((b[:, 2:] - b[:, :2]).prod(-1) for b in (earlier, current))
        rows, columns = linear_sum_assignment(1 - inside / (area_a[:, None] + area_b - inside))
        new = np.full(len(current), -1)
        new[columns] = ids[-1][rows]
        free = new < 0
        new[free] = following + np.arange(free.sum())
        following += free.sum()
        ids.append(new)
    return np.concatenate(ids)


def norfair_loop(poses: Poses) -> np.ndarray:
    from norfair import Detection, Tracker

    tracker = Tracker(distance_function="iou", distance_threshold=0.7)
    seen = []
    for boxes in frames_of(poses):
        detections = [Detection(points=box.reshape(2, 2)) for box in boxes]
        seen.append(len(tracker.update(detections=detections)))
    return np.array(seen)


def motpy_loop(poses: Poses) -> np.ndarray:
    from motpy import Detection, MultiObjectTracker

    tracker = MultiObjectTracker(dt=1 / 25)
    seen = []
    for boxes in frames_of(poses):
        tracker.step(detections=[Detection(box=box, score=1.0) for box in boxes])
        seen.append(len(tracker.active_tracks()))
    return np.array(seen)


def supervision_loop(poses: Poses) -> np.ndarray:
    import supervision

    tracker = supervision.ByteTrack()
    seen = []
    for boxes in frames_of(poses):
        ones = np.ones(len(boxes), np.float32)
        detections = supervision.Detections(xyxy=boxes, confidence=ones, class_id=ones.astype(int))
        seen.append(len(tracker.update_with_detections(detections)))
    return np.array(seen)


def online_ids(poses: Poses, **arguments: object) -> np.ndarray:
    linker = OnlineLinker(**arguments)
    return np.concatenate([linker.update(poses.frame(f)).track_ids for f in range(len(poses))])


def frames_of(poses: Poses) -> Iterator[np.ndarray]:
    for f in range(len(poses)):
        yield poses.frame(f).boxes


@pytest.mark.benchmark(group=f"linking {FRAMES} frames of {PEOPLE} people")
@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("motion", ["none", "velocity"])
@pytest.mark.parametrize("cost", ["iou", "oks", "pckh"])
def test_link(benchmark: Callable, threads: int, motion: str, cost: str, poses: Poses) -> None:
    arguments = {"cost": cost, "motion": motion, **ALL}
    ids = link(poses, **arguments).track_ids
    np.testing.assert_array_equal(ids, online_ids(poses, **arguments))
    benchmark(lambda: link(poses, **arguments))


@pytest.mark.benchmark(group=f"linking {FRAMES} frames of {PEOPLE} people")
@pytest.mark.parametrize("threads", [1, 2], indirect=True)
def test_link_adjacent_frames_by_iou(benchmark: Callable, threads: int, poses: Poses) -> None:
    np.testing.assert_array_equal(link(poses, **PLAIN).track_ids, iou_loop(poses))
    benchmark(lambda: link(poses, **PLAIN))


@pytest.mark.benchmark(group=f"linking {FRAMES} frames of {PEOPLE} people")
def test_online_linker(benchmark: Callable, poses: Poses) -> None:
    arguments = {"cost": "iou", "motion": "none", **ALL}
    ids = benchmark.pedantic(online_ids, args=(poses,), kwargs=arguments, rounds=3)
    np.testing.assert_array_equal(ids, link(poses, **arguments).track_ids)


@pytest.mark.benchmark(group=f"linking {FRAMES} frames of {PEOPLE} people")
def test_numpy_and_scipy_loop(benchmark: Callable, poses: Poses) -> None:
    benchmark(iou_loop, poses)


@pytest.mark.benchmark(group=f"linking {FRAMES} frames of {PEOPLE} people")
@pytest.mark.parametrize(
    ("library", "loop"), [("norfair", norfair_loop), ("motpy", motpy_loop), ("supervision", supervision_loop)]
)
def test_tracker_library(benchmark: Callable, library: str, loop: Callable, poses: Poses) -> None:
    """These follow boxes with filters of their own, so only their work is compared: how many people they report."""
    if library == "supervision" and not hasattr(peer(library), "ByteTrack"):
        pytest.skip("this supervision has no ByteTrack any more; it needs 0.26 to 0.30")
    peer(library)
    seen = benchmark.pedantic(loop, args=(poses,), rounds=3)
    assert np.median(seen) == PEOPLE


_MEASURE = """
import json, resource, sys, time
import numpy as np
from ptfast.synthetic import crowd
from ptfast.tracking import link

frames, people, motion = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
arguments = dict(cost="iou", motion=motion)
link(crowd(0, frames=100, people=people), **arguments)
poses = crowd(0, frames=frames, people=people)
columns = [value for value in vars(poses).values() if isinstance(value, np.ndarray)]
size = sum(column.nbytes for column in columns)
peak_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
seconds = []
for _ in range(3 if frames > 300_000 else 15):
    started = time.perf_counter()
    tracks = len(np.unique(link(poses, **arguments).track_ids))
    seconds.append(time.perf_counter() - started)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
row = dict(frames=frames, seconds=float(np.median(seconds)), input=size, peak=peak, peak_before=peak_before)
print(json.dumps(row))
"""


@pytest.mark.benchmark(group="linking long videos of 10 people")
@pytest.mark.parametrize("motion", ["none", "velocity"])
def test_time_is_linear_and_memory_bounded(benchmark: Callable, motion: str) -> None:
    """A process of its own for each length, so that its peak memory is its own."""
    lengths = [10_000, 31_623, 100_000, 316_228, 1_000_000]

    def measure() -> list[dict]:
        run = [sys.executable, "-c", _MEASURE]
        return [json.loads(subprocess.check_output([*run, str(length), "10", motion])) for length in lengths]

    rows = benchmark.pedantic(measure, rounds=1)
    seconds = [row["seconds"] for row in rows]
    slope = np.polyfit(np.log(lengths), np.log(seconds), 1)[0]
    memory = rows[-1]["peak"] / rows[-1]["input"]
    benchmark.extra_info |= {"slope": round(slope, 3), "peak memory / input": round(memory, 2), "rows": rows}
    assert 0.85 < slope < 1.15  # bounds for a noisy machine; the figure itself is in the results
    assert memory < 3
