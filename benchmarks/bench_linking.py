"""Linking: against a plain loop and other trackers; bench_linear_time has its time and memory on long videos.

The number of flops depends on the poses; the roofline counts the bytes of the input and of the ids alone.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from peers import peer
from scipy.optimize import linear_sum_assignment

from ptfast.structures import Poses
from ptfast.synthetic import crowd
from ptfast.tracking import OnlineLinker, link, weighted_cost
from ptfast.tracking.filters import drop_low_joints, drop_short_tracks, drop_small_boxes

ALL = {"min_score": None, "min_joint_score": None}
PLAIN = {"cost": "iou", "motion": "none", "lookback": 1, "max_cost": None, **ALL}
FRAMES, PEOPLE = 2_000, 20


@pytest.fixture(scope="module")
def poses() -> Poses:
    return crowd(0, frames=FRAMES, people=PEOPLE)


@pytest.fixture(scope="module")
def expected(poses: Poses) -> Callable[[str, str], np.ndarray]:
    """The ids that OnlineLinker gives with a cost and a motion."""
    return cache(lambda cost, motion: online_ids(poses, cost=cost, motion=motion, **ALL))


def iou_loop(poses: Poses, solve: Callable = linear_sum_assignment) -> np.ndarray:
    """Detect-and-Track's linking as one would write it: NumPy IoU and SciPy's assignment, frame after frame."""
    boxes = [poses.boxes[a:b] for a, b in zip(poses.frame_offsets[:-1], poses.frame_offsets[1:], strict=True)]
    ids = [np.arange(len(boxes[0]))]
    following = len(boxes[0])
    for earlier, current in itertools.pairwise(boxes):
        low = np.maximum(earlier[:, None, :2], current[None, :, :2])
        high = np.minimum(earlier[:, None, 2:], current[None, :, 2:])
        inside = np.clip(high - low, 0, None).prod(-1)
        area_a, area_b = ((b[:, 2:] - b[:, :2]).prod(-1) for b in (earlier, current))
        rows, columns = solve(1 - inside / (area_a[:, None] + area_b - inside))
        new = np.full(len(current), -1)
        new[columns] = ids[-1][rows]
        free = new < 0
        new[free] = following + np.arange(free.sum())
        following += free.sum()
        ids.append(new)
    return np.concatenate(ids)


def norfair_loop(poses: Poses) -> np.ndarray:
    from norfair import Detection, Tracker

    tracker = Tracker(distance_function="iou_opt", distance_threshold=0.7)  # the faster one before norfair 2.2
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
        seen.append(len(tracker.update_with_detections(detections_of(boxes))))
    return np.array(seen)


def detections_of(boxes: np.ndarray) -> Any:
    """Detections as supervision and trackers take them, all of full confidence."""
    import supervision

    ones = np.ones(len(boxes), np.float32)
    return supervision.Detections(xyxy=boxes, confidence=ones, class_id=ones.astype(int))


def sort_loop(poses: Poses) -> np.ndarray:
    from trackers import SORTTracker

    return roboflow_loop(SORTTracker(), poses)


def byte_track_loop(poses: Poses) -> np.ndarray:
    from trackers import ByteTrackTracker

    return roboflow_loop(ByteTrackTracker(), poses)


def roboflow_loop(tracker: Any, poses: Poses) -> np.ndarray:
    return np.array([np.sum(tracker.update(detections_of(boxes)).tracker_id >= 0) for boxes in frames_of(poses)])


def online_ids(poses: Poses, **arguments: object) -> np.ndarray:
    linker = OnlineLinker(**arguments)
    return np.concatenate([linker.update(poses.frame(f)).track_ids for f in range(len(poses))])


def input_bytes(poses: Poses) -> int:
    return sum(column.nbytes for column in vars(poses).values() if isinstance(column, np.ndarray))


def frames_of(poses: Poses) -> Iterator[np.ndarray]:
    for f in range(len(poses)):
        yield poses.frame(f).boxes


@pytest.mark.benchmark(group=f"linking {FRAMES} frames of {PEOPLE} people")
@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("motion", ["none", "velocity"])
@pytest.mark.parametrize("cost", ["iou", "oks", "pckh"])
def test_link(
    benchmark: Callable, threads: int, motion: str, cost: str, poses: Poses, expected: Callable[[str, str], np.ndarray],
    roofline: Callable[..., None],
) -> None:  # fmt: skip
    arguments = {"cost": cost, "motion": motion, **ALL}
    ids = link(poses, **arguments).track_ids
    np.testing.assert_array_equal(ids, expected(cost, motion))
    benchmark(lambda: link(poses, **arguments))
    roofline(input_bytes(poses) + ids.nbytes)


@pytest.mark.benchmark(group=f"linking {FRAMES} frames of {PEOPLE} people")
@pytest.mark.parametrize("threads", [1, 2], indirect=True)
def test_link_adjacent_frames_by_iou(
    benchmark: Callable, threads: int, poses: Poses, roofline: Callable[..., None]
) -> None:
    ids = link(poses, **PLAIN).track_ids
    np.testing.assert_array_equal(ids, iou_loop(poses))
    benchmark(lambda: link(poses, **PLAIN))
    roofline(poses.boxes.nbytes + ids.nbytes)


@pytest.mark.benchmark(group=f"linking {FRAMES} frames of {PEOPLE} people")
@pytest.mark.parametrize("threads", [1, 2], indirect=True)
def test_online_linker(benchmark: Callable, threads: int, poses: Poses, roofline: Callable[..., None]) -> None:
    arguments = {"cost": "iou", "motion": "none", **ALL}
    ids = benchmark.pedantic(online_ids, args=(poses,), kwargs=arguments, rounds=3)
    np.testing.assert_array_equal(ids, link(poses, **arguments).track_ids)
    roofline(input_bytes(poses) + ids.nbytes)


@pytest.mark.benchmark(group=f"linking {FRAMES} frames of {PEOPLE} people")
def test_numpy_and_scipy_loop(benchmark: Callable, poses: Poses) -> None:
    benchmark(iou_loop, poses)


@pytest.mark.benchmark(group=f"linking {FRAMES} frames of {PEOPLE} people")
def test_numpy_and_lap_loop(benchmark: Callable, poses: Poses) -> None:
    """The same with the solver of lap or lapx, whichever is installed."""
    lap = peer("lap")

    def solve(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        columns = lap.lapjv(cost, extend_cost=True, return_cost=False)[0]
        return np.flatnonzero(columns >= 0), columns[columns >= 0]

    np.testing.assert_array_equal(iou_loop(poses, solve), link(poses, **PLAIN).track_ids)
    benchmark(iou_loop, poses, solve)


@pytest.mark.benchmark(group=f"linking {FRAMES} frames of {PEOPLE} people")
@pytest.mark.parametrize(
    ("library", "loop"),
    [
        ("norfair", norfair_loop), ("motpy", motpy_loop), ("supervision", supervision_loop), ("trackers", sort_loop),
        ("trackers", byte_track_loop),
    ],
)  # fmt: skip
def test_tracker_library(benchmark: Callable, library: str, loop: Callable, poses: Poses) -> None:
    """These follow boxes with filters of their own: only their work is compared, the number of people that they report.

    They run on one thread. One that takes seconds is timed once or twice.
    """
    if library == "supervision" and not hasattr(peer(library), "ByteTrack"):
        pytest.skip("this supervision has no ByteTrack any more; it needs 0.26 to 0.30")
    peer(library)
    few = crowd(0, frames=FRAMES // 20, people=PEOPLE)
    loop(few)
    started = time.perf_counter()
    loop(few)
    seconds = 20 * (time.perf_counter() - started)
    seen = benchmark.pedantic(loop, args=(poses,), rounds=min(3, max(1, int(5 / seconds))))
    assert np.median(seen) == PEOPLE


def weighted_loop(poses: Poses, features: np.ndarray) -> np.ndarray:
    """Links by IoU and the cosine of appearance features, in NumPy and SciPy."""
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    frames = iter(np.split(unit, poses.frame_offsets[1:-1]))
    earlier = [next(frames)]

    def solve(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        current = next(frames)
        appearance = 1 - earlier.pop() @ current.T
        earlier.append(current)
        return linear_sum_assignment(cost + 0.5 * appearance)

    return iou_loop(poses, solve)


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("library", ["ptfast", "numpy and scipy"])
def test_weighted_cost(
    benchmark: Callable, library: str, threads: int, poses: Poses, roofline: Callable[..., None]
) -> None:
    """A cost that is a function in Python: weighted_cost, frame after frame."""
    if library != "ptfast" and threads > 1:
        pytest.skip("SciPy's assignment runs on one thread")
    features = np.random.default_rng(0).standard_normal((PEOPLE, 128), np.float32)[poses.track_ids]
    features += 0.5 * np.random.default_rng(1).standard_normal(features.shape, np.float32)

    def linked() -> np.ndarray:
        cost = weighted_cost(iou=1, appearance=0.5)
        return link(replace(poses, features={"appearance": features}), **{**PLAIN, "cost": cost}).track_ids

    ids = linked()
    np.testing.assert_array_equal(ids, weighted_loop(poses, features))
    benchmark.group = f"linking {FRAMES} frames of {PEOPLE} people by boxes and features, {threads} thread(s)"
    benchmark.pedantic({"ptfast": linked}.get(library, lambda: weighted_loop(poses, features)), rounds=3)
    if library == "ptfast":
        roofline(poses.boxes.nbytes + features.nbytes + ids.nbytes)


@pytest.fixture(scope="module")
def scored(poses: Poses) -> Poses:
    """The same with joints' scores of all sizes, and with tracks of 10 to 200 frames."""
    frame, person = np.divmod(np.arange(len(poses.scores)), PEOPLE)
    scores = np.random.default_rng(0).random(poses.joint_scores.shape, np.float32)
    return replace(poses, joint_scores=scores, track_ids=person + PEOPLE * (frame // (10 * (person + 1))))


def selected(poses: Poses, chosen: np.ndarray) -> dict[str, np.ndarray]:
    """The chosen poses' columns, by plain indexing."""
    before = np.concatenate([[0], np.cumsum(chosen)])
    return {name: getattr(poses, name)[chosen] for name in COLUMNS} | {"frame_offsets": before[poses.frame_offsets]}


def without_low_joints(poses: Poses) -> dict[str, np.ndarray]:
    visibility = np.where(poses.joint_scores < 0.3, np.uint8(0), poses.joint_visibility)
    chosen = visibility.any(1)
    return selected(poses, chosen) | {"joint_visibility": visibility[chosen]}


def without_short_tracks(poses: Poses) -> dict[str, np.ndarray]:
    _, track, counts = np.unique(poses.track_ids, return_inverse=True, return_counts=True)
    return selected(poses, counts[track] >= 50)


def without_small_boxes(poses: Poses) -> dict[str, np.ndarray]:
    return selected(poses, (poses.boxes[:, 2:] - poses.boxes[:, :2]).prod(1) >= 3200)


COLUMNS = ("keypoints", "joint_scores", "joint_visibility", "boxes", "scores", "track_ids")
FILTERS = {
    "drop_low_joints": (lambda poses: drop_low_joints(poses, 0.3), without_low_joints),
    "drop_short_tracks": (lambda poses: drop_short_tracks(poses, 50), without_short_tracks),
    "drop_small_boxes": (drop_small_boxes, without_small_boxes),
}


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("library", ["ptfast", "numpy"])
def test_filters(
    benchmark: Callable, library: str, name: str, threads: int, scored: Poses, roofline: Callable[..., None]
) -> None:
    """No library filters poses: the same in NumPy, column by column."""
    filtered, plain = FILTERS[name]
    ours = filtered(scored)
    for column, values in plain(scored).items():
        np.testing.assert_array_equal(getattr(ours, column), values)
    benchmark.group = f"{name} of {FRAMES} frames of {PEOPLE} people, {threads} thread{'s' * (threads > 1)}"
    benchmark({"ptfast": filtered, "numpy": plain}[library], scored)
    if library == "ptfast":
        roofline(input_bytes(scored) + input_bytes(ours))
