"""Time of Simple Baselines' stages on a large film, with a detector and a pose network that know the truth."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import torch
from remembered import DROPPED, WithoutSome
from stopwatch import Stopwatch
from tqdm import tqdm

import ptfast
from ptfast.io import Frame
from ptfast.methods import SimpleBaselines
from ptfast.methods.simple_baselines import Config, QueueLinker
from ptfast.methods.simple_baselines import method as stages
from ptfast.ops import iou_matrix
from ptfast.pipeline import given_boxes
from ptfast.pipeline.flow import PointFlow, load_point_flow
from ptfast.structures import Poses
from ptfast.synthetic import render
from ptfast.synthetic.splits import TEST_SEEDS

LARGE = (960, 540)
PEOPLE = 8
ROUNDS = 3
THREADS = (1, 2)
CLOCKS = (time.perf_counter, time.process_time)
NETWORKS = "detector and pose network"
SUBJECTS = (  # what it is called, the flow, its shorter side, and settings
    ("sparse", "sparse", None, {}),
    ("sparse, 480 wide", "sparse", 270, {}),
    ("sparse, not chained", "sparse", None, {"chained": False}),
    ("DIS, 480 wide", "dis-fast", 270, {}),
    ("no propagation, S_Pose", None, None, {"propagate": False, "similarity": "pose"}),
)


def stage_times(frames: int) -> Iterator[dict[str, Any]]:
    """A row for each flow and number of threads: milliseconds a frame of everything but the networks, and each stage's.

    Args:
        frames: Length of the film.
    """
    film = render(TEST_SEEDS, frames=frames, people=PEOPLE, size=LARGE, pan=4)
    images = list(film)
    for (title, name, side, settings), threads in tqdm([*itertools.product(SUBJECTS, THREADS)], desc="time"):
        set_threads(threads)
        flow = None if name is None else load_point_flow(name, short_side=side)
        subject = images, film.poses, flow, Config(**settings)
        rounds = [[seconds(*subject, clock) for clock in CLOCKS] for _ in range(ROUNDS)]
        elapsed, processor = (middle(runs) for runs in zip(*rounds, strict=True))
        each = {stage: round(1000 * value / frames, 2) for stage, value in processor.items()}
        totals = [round(1000 * sum(run.values()) / frames, 2) for run in (elapsed, processor)]
        head = {"flow": title, "threads": threads, "ms a frame": totals[0], "of the processor": totals[1]}
        yield head | each


def set_threads(count: int) -> None:
    """Threads of every library."""
    for set_number in (torch.set_num_threads, cv2.setNumThreads, ptfast.set_num_threads):
        set_number(count)


def middle(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    """The run with the median of all runs' times."""
    return sorted(runs, key=lambda run: sum(run.values()))[len(runs) // 2]


def seconds(
    images: list[np.ndarray], truth: Poses, flow: PointFlow | None, config: Config, clock: Callable[[], float]
) -> dict[str, float]:
    """Seconds of each stage of tracking a film once, by a clock."""
    detector = WithoutSome(given_boxes(replace(truth, scores=np.ones_like(truth.scores))), DROPPED, 0)
    method = SimpleBaselines(detector, TruePoses(truth), flow, truth.skeleton, config)
    watch = Stopwatch(torch.device("cpu"), clock)
    places: list[tuple[Any, str, str]] = [
        (method, "detector", NETWORKS),
        (method, "person_poses", NETWORKS),
        (method, "_seen", "preparing the image"),
        (stages, "carried", "carrying Q's poses"),
        (stages, "flow_boxes", "propagated boxes"),
        (stages, "unified", "NMS of boxes"),
        (stages, "without_doubles", "NMS of poses"),
        (QueueLinker, "update", "matching"),
    ]
    with watch.on(places):
        watch.timed("the rest", method.track)(images)
    booked = {part: watch.seconds.get(part, 0.0) for _, _, part in places} | {"the rest": watch.seconds["the rest"]}
    return {part: value for part, value in booked.items() if part != NETWORKS}


class TruePoses:
    """A pose network that knows the joints of the person whose box each box overlaps most with.

    Args:
        truth: The video's people.
    """

    def __init__(self, truth: Poses) -> None:
        self._truth = truth

    def __call__(
        self, frames: Sequence[Frame], boxes: np.ndarray, frame_index: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Joints (M, 1, K, 2) and their scores (M, 1, K) in boxes (M, 4) of the one frame."""
        people = self._truth.frame(frames[0].index)
        nearest = iou_matrix(boxes, people.boxes).argmax(1)
        keypoints = people.keypoints[nearest][:, None]
        return keypoints, np.ones(keypoints.shape[:3], np.float32)
