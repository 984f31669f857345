"""Time of Simple Baselines' stages on a large film, with a detector and a pose network that know the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from remembered import DROPPED, WithoutSome
from stopwatch import Stopwatch
from tqdm import tqdm

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
NETWORKS = "detector and pose network"
SUBJECTS = (  # what it is called, the flow, its shorter side, and settings
    ("sparse", "sparse", None, {}),
    ("sparse, 480 wide", "sparse", 270, {}),
    ("sparse, not chained", "sparse", None, {"chained": False}),
    ("DIS, 480 wide", "dis-fast", 270, {}),
    ("no propagation, S_Pose", None, None, {"propagate": False, "similarity": "pose"}),
)


def stage_times(frames: int) -> Iterator[dict[str, Any]]:
    """A row for each flow: milliseconds a frame of every stage but the networks.

    Args:
        frames: Length of the film.
    """
    film = render(TEST_SEEDS, frames=frames, people=PEOPLE, size=LARGE, pan=4)
    images = list(film)
    for title, name, side, settings in tqdm(SUBJECTS, desc="time"):
        flow = None if name is None else load_point_flow(name, short_side=side)
        runs = [seconds(images, film.poses, flow, Config(**settings)) for _ in range(ROUNDS)]
        spent = sorted(runs, key=lambda run: sum(run.values()))[ROUNDS // 2]
        each = {stage: round(1000 * value / frames, 2) for stage, value in spent.items()}
        yield {"flow": title, "all, ms a frame": round(sum(each.values()), 2)} | each


def seconds(images: list[np.ndarray], truth: Poses, flow: PointFlow | None, config: Config) -> dict[str, float]:
    """Seconds of each stage of tracking a film once."""
    detector = WithoutSome(given_boxes(replace(truth, scores=np.ones_like(truth.scores))), DROPPED, 0)
    method = SimpleBaselines(detector, TruePoses(truth), flow, truth.skeleton, config)
    watch = Stopwatch(torch.device("cpu"))
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
