"""Time and memory of one subject on ever longer videos: `python benchmarks/long_videos.py "link" 20 10`.

Subject, people, and seconds to spend. Prints a line of JSON: a row a length, from 1,000 frames to 1,000,000, as far as
the seconds and 4 GB of input go. bench_linear_time.py runs each subject in a process of its own, so that its peak
memory is its own.
"""

from __future__ import annotations

import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bench_entailment
import bench_joining
import numpy as np
from bench_linking import iou_loop, norfair_loop, supervision_loop

from ptfast import _native
from ptfast.evaluation import posetrack
from ptfast.ops import iou_matrix
from ptfast.structures import Poses, Tracklets
from ptfast.synthetic import crowd
from ptfast.tracking import EntailmentLinker, OnlineLinker, join_tracklets, link, merge_hypotheses

LENGTHS = (1_000, 3_162, 10_000, 31_623, 100_000, 316_228, 1_000_000)
MOST_BYTES = 4e9
WARM_UP = 500  # frames
IMAGE = (320, 180)  # width and height
ALL = {"min_score": None, "min_joint_score": None}

Counts = dict[str, float]


def linked(poses: Poses, lookback: int = 4) -> Counts:
    """Linking a whole video; counts the pairs of poses that the native core compared."""
    counts: Counts = {"pairs": 0}
    native = _native.core.link_video

    def counted(*arguments: Any) -> None:
        counts["pairs"] += native(*arguments)

    _native.core.link_video = counted
    try:
        link(poses, lookback=lookback, **ALL)
    finally:
        _native.core.link_video = native
    return counts


def linked_online(poses: Poses) -> Counts:
    """The same frame by frame."""
    linker = OnlineLinker(**ALL)
    for frame in range(len(poses)):
        linker.update(poses.frame(frame))
    return {"pairs": linker._native.pairs()}


def linked_by_scores(poses: Poses) -> Counts:
    """KeyTrack's linking of a whole video, with a network that costs next to nothing."""
    linker = EntailmentLinker(bench_entailment.Nearness())
    linker.link(poses)
    return {"pairs": linker.counts.pairs}


def linked_by_scores_online(poses: Poses) -> Counts:
    """The same frame by frame."""
    linker = EntailmentLinker(bench_entailment.Nearness())
    for frame in range(len(poses)):
        linker.update(poses.frame(frame))
    return {"pairs": linker.counts.pairs}


def joined_and_merged(clips: Tracklets) -> Counts:
    """The tracklets of 9 frames about every frame, joined and merged."""
    frames = int(clips.first_frame.max()) + bench_joining.LENGTH
    return {"poses": len(merge_hypotheses(clips, join_tracklets(clips), frames=frames).scores)}


def evaluated(both: tuple[Poses, Poses]) -> Counts:
    """Scoring the tracks of a whole video, by all of PoseTrack's measures."""
    return {"mota": float(posetrack.evaluate(*both).mota[-1])}


def scored_by_motmetrics(both: tuple[Poses, Poses]) -> Counts:
    """MOTA of boxes alone, half of which must overlap to match."""
    import motmetrics

    frames = motmetrics.MOTAccumulator(auto_id=True)
    for f in range(len(both[0])):
        truth, found = (poses.frame(f) for poses in both)
        overlap = iou_matrix(truth.boxes, found.boxes)
        frames.update(truth.track_ids, found.track_ids, np.where(overlap < 0.5, np.nan, 1 - overlap))
    return {"mota": float(motmetrics.metrics.create().compute(frames, metrics=["mota"]).mota.iloc[0])}


def tracked(video: Iterable[np.ndarray], people: int) -> Counts:
    """Clip tracking from frames to poses, with a detector and a network that cost next to nothing."""
    return {"poses": sum(len(poses.scores) for poses in _stub_method(people).stream(video))}


def _stub_method(people: int) -> Any:
    import torch

    from ptfast.methods import ClipTracking
    from ptfast.methods.clip_tracking import Config, Merging
    from ptfast.pipeline import TubePoses, each_image

    torch.set_num_threads(1)
    joints, side = 15, 8
    heatmaps = torch.zeros(1, joints, 1, side, side)
    heatmaps[0, range(joints), 0, torch.arange(joints) // 4 * 2, torch.arange(joints) % 4 * 2] = 1.0

    class Stub(torch.nn.Module):
        architecture, multiple = SimpleNamespace(image_mean=(0.5, 0.5, 0.5), joints=joints), side

        def forward(self, clips: torch.Tensor) -> torch.Tensor:
            return heatmaps.expand(len(clips), -1, clips.shape[2], -1, -1)

    boxes, scores = _boxes(people)
    network = TubePoses(Stub(), (4 * side, 4 * side), flip=False, precision="float32")
    config = Config(step=4, merging=Merging(min_area=0.0))
    return ClipTracking(network, each_image(lambda image: (boxes, scores)), config=config)


def tracked_by_flow(video: Iterable[np.ndarray], people: int) -> Counts:
    """Simple Baselines from frames to poses, with a detector and a network that cost next to nothing."""
    return {"poses": sum(len(poses.scores) for poses in _flow_method(people).stream(video))}


def _flow_method(people: int) -> Any:
    from ptfast.methods import SimpleBaselines
    from ptfast.pipeline import each_image
    from ptfast.pipeline.flow import SparseFlow
    from ptfast.skeletons import POSETRACK_15

    _one_thread()
    joint = np.arange(len(POSETRACK_15))
    inside = np.stack([joint % 4, joint // 4], 1).astype(np.float32) / 3  # of the box

    def joints(frames: Any, boxes: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        keypoints = boxes[:, None, :2] + inside * (boxes[:, None, 2:] - boxes[:, None, :2])
        return keypoints[:, None], np.ones((len(boxes), 1, len(joint)), np.float32)

    return SimpleBaselines(each_image(lambda image: _boxes(people)), joints, SparseFlow(), POSETRACK_15)


def _one_thread() -> None:
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def _boxes(people: int) -> tuple[np.ndarray, np.ndarray]:
    """People's boxes in an image, and scores."""
    place = np.arange(people)
    corner = np.stack([place % 10 * 32, place // 10 * 16], 1).astype(np.float32)
    return np.concatenate([corner, corner + 16], 1), np.ones(people, np.float32)


def _noisy_images(frames: int, people: int) -> Iterable[np.ndarray]:
    """The same image again and again, in which flow finds every point."""
    image = np.random.default_rng(0).integers(0, 256, (*IMAGE[::-1], 3), np.uint8)
    return (image for _ in range(frames))


def _images(frames: int, people: int) -> Iterable[np.ndarray]:
    image = np.zeros((*IMAGE[::-1], 3), np.uint8)
    return (image for _ in range(frames))


def _crowd(frames: int, people: int) -> Poses:
    return crowd(0, frames=frames, people=people)


def _clips(frames: int, people: int) -> Tracklets:
    return bench_joining.tracklets(frames - bench_joining.LENGTH + 1, people)


def _truth_and_tracks(frames: int, people: int) -> tuple[Poses, Poses]:
    truth = _crowd(frames, people)
    noise = np.random.default_rng(0).standard_normal(truth.keypoints.shape, np.float32)
    return truth, replace(truth, keypoints=truth.keypoints + 2 * noise)


# Subject: what makes its input of frames and people, what is timed, bytes of input a pose, and whose peer it is.
SUBJECTS: dict[str, tuple[Callable, Callable, int, str]] = {
    "link": (_crowd, linked, 230, ""),
    "link online": (_crowd, linked_online, 230, ""),
    "link by scores, stub network": (_crowd, linked_by_scores, 230, ""),
    "link by scores online, stub network": (_crowd, linked_by_scores_online, 230, ""),
    "join and merge": (_clips, joined_and_merged, 1700, ""),
    "evaluate": (_truth_and_tracks, evaluated, 460, ""),
    "track, stub network": (_images, tracked, 0, ""),
    "track with flow, stub network": (_noisy_images, tracked_by_flow, 0, ""),
    "NumPy and SciPy loop": (_crowd, iou_loop, 230, "link"),
    "norfair": (_crowd, norfair_loop, 230, "link"),
    "supervision's ByteTrack": (_crowd, supervision_loop, 230, "link"),
    "NumPy and SciPy joining": (_clips, bench_joining.joined_by_numpy, 1700, "join and merge"),
    "motmetrics, MOTA of boxes": (_truth_and_tracks, scored_by_motmetrics, 460, "evaluate"),
}
PACKAGES = {  # what a subject needs besides
    "norfair": "norfair",
    "supervision's ByteTrack": "supervision",
    "motmetrics, MOTA of boxes": "motmetrics",
}


def measure(subject: str, people: int, seconds: float, lengths: Sequence[int] = LENGTHS) -> list[dict]:
    """A row a length: frames, seconds and those of the processor (medians where that is quick), bytes, counts."""
    make, run, pose_bytes, _ = SUBJECTS[subject]
    also = (people,) if subject.startswith("track") else ()
    # What happens once, such as loading of kernels and the first filling of a stream's window, is over then.
    run(make(WARM_UP, people), *also)
    rows, left, spent = [], seconds, 0.0
    for frames in lengths:
        if frames * people * pose_bytes > MOST_BYTES or 3.5 * spent > left:
            break
        given = make(frames, people)
        before, times, busy, counts = _reset_peak(), [], [], None
        while not times or (sum(times) < 0.5 and len(times) < 3):
            if times and subject.startswith("track"):
                given = make(frames, people)
            started, started_busy = time.perf_counter(), time.process_time()
            counts = run(given, *also)
            times.append(time.perf_counter() - started)
            busy.append(time.process_time() - started_busy)
        spent = sum(times)
        left -= spent
        row = {"frames": frames, "seconds": statistics.median(times), "cpu_seconds": statistics.median(busy)}
        rows.append(row | {"peak_bytes": _peak() - before} | (counts if isinstance(counts, dict) else {}))
    return rows


def _reset_peak() -> int:
    """Forgets the process's peak of memory (Linux); returns what it has now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(key))


if __name__ == "__main__":
    name, crowd_size, budget = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    if name in PACKAGES:
        importlib.import_module(PACKAGES[name])
    print(json.dumps(measure(name, crowd_size, budget)))
