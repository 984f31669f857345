"""Simple Baselines on real people beside `Online` with the same networks, also with every third detection missed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from people_in_pictures import DATA
from tqdm import tqdm

from ptfast.evaluation.posetrack import evaluate
from ptfast.io import Frame, open_video, read_poses
from ptfast.methods import Online, SimpleBaselines
from ptfast.methods.base import Method
from ptfast.methods.online import Config
from ptfast.pipeline import TopDown, load_detector, load_person_poses
from ptfast.pipeline.detectors import Boxes, Detector
from ptfast.pipeline.weights import thresholds_of
from ptfast.skeletons import COCO_17
from ptfast.structures import Poses

SEQUENCE = "470979_bonn"
DETECTOR, POSE = "nanodet-g", "movenet-thunder"
EVERY = 3  # of so many detections one is missed


class WithoutEvery:
    """A detector that misses every so-manieth of another one's boxes, counted through a video by descending score.

    Args:
        detector: The other one.
        every: Of so many boxes, the last is missed.
        low: Boxes under this score are neither counted nor missed.
    """

    def __init__(self, detector: Detector, every: int, low: float) -> None:
        self._detector, self._every, self._low, self._count = detector, every, low, 0

    def __call__(self, frames: Sequence[Frame], keys: Sequence[int]) -> list[Boxes]:
        """The boxes of the key frames that are left."""
        return [self._left(np.asarray(boxes), np.asarray(scores)) for boxes, scores in self._detector(frames, keys)]

    def _left(self, boxes: np.ndarray, scores: np.ndarray) -> Boxes:
        order = np.argsort(-scores, kind="stable")
        sure = order[scores[order] >= self._low]
        number = self._count + 1 + np.arange(len(sure))
        self._count += len(sure)
        kept = np.setdiff1d(np.arange(len(scores)), sure[number % self._every == 0])
        return boxes[kept], scores[kept]


def real_rows() -> Iterator[dict[str, Any]]:
    """mAP and MOTA of each method on an annotated sequence."""
    folder = DATA / "posetrack"
    path = folder / "annotations" / "val" / f"{SEQUENCE}.json"
    if not path.exists():
        raise SystemExit(f"needs {path}; set PTFAST_DATA to the folder of the data")
    truth, images = read_poses(path), folder / "images" / "val" / SEQUENCE
    detector, person_poses = load_detector(DETECTOR), load_person_poses(POSE)
    for missed, (name, settings) in tqdm([*itertools.product((False, True), METHODS)], desc="real"):
        given = WithoutEvery(detector, EVERY, 0.0) if missed else detector
        yield {
            "detections": "without every third" if missed else "all",
            "method": name,
            **scores(truth, method(given, person_poses, settings), images),
        }


METHODS: tuple[tuple[str, dict[str, Any] | None], ...] = (
    ("online", None),
    ("simple-baselines, no propagation, S_Pose", {"propagate": False, "similarity": "pose"}),
    ("simple-baselines", {}),
)


def method(detector: Detector, person_poses: Any, settings: dict[str, Any] | None) -> Method[Any]:
    """`Online` where there are no settings, else Simple Baselines; the thresholds are the pose network's card's."""
    if settings is not None:
        loaded = SimpleBaselines.load(POSE, detector=detector, **settings)
        return SimpleBaselines(detector, person_poses, loaded.flow, COCO_17, loaded.config)
    return Online(TopDown(detector, person_poses), COCO_17, Config(**thresholds_of(POSE)))


def scores(truth: Poses, tracker: Method[Any], images: Path) -> dict[str, float]:
    """mAP and MOTA over all frames, MOTA without weak joints too, and the official evaluator's.

    In the official MOTA a frame without any pose counts as one false pose of all joints, the nose among them, which is
    annotated nowhere.
    """
    with open_video(images) as video:
        tracks = tracker.track(video)
    tracks = replace(tracks, sequence=truth.sequence, frame_names=truth.frame_names, frame_ids=truth.frame_ids)
    whole = evaluate(truth, tracks, official=False)
    least = thresholds_of(POSE)["min_joint_score"]
    strong = evaluate(truth, tracks, official=False, mota_min_joint_score=least)
    return {
        "mAP": round(float(whole.ap[-1]), 1),
        "MOTA": round(float(whole.mota[-1]), 1),
        f"MOTA of joints of {least} or more": round(float(strong.mota[-1]), 1),
        "official MOTA": round(float(evaluate(truth, tracks).mota[-1]), 1),
        "switches": int(whole.switches[-1]),
        "ids": np.unique(tracks.track_ids).size,
    }
