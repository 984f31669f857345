"""Choice of the thresholds and sizes for real people, on the training part of coco_mini alone.

A person is found if a pose has an OKS of 0.5 or more with theirs; poses are matched by descending score, each with the
most similar person that is left. What matches nobody is false, unless it lies on someone whose joints are not
annotated. A joint of a found person is right within the distance at which its own OKS is 0.5; one that is not annotated
cannot be right. A detector's box is right at an IoU of 0.5 with a person's, whether or not their joints are annotated.
For people, joints and boxes, the threshold is the one of the highest F1, which for people confirms a track. A confirmed
track goes on above the threshold of the highest F2, in which recall counts for more: who has a track is likely to be
there. AP is COCO's, of pycocotools.

`python benchmarks/tune_real_people.py` prints the tables and writes benchmarks/results/tune_real_people.json; it needs
the images that PTFAST_DATA (default ../shared/data) holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from time import process_time
from typing import Any

import cv2
import numpy as np
from bench_linking_quality import DATA
from real_people_scores import coco_average_precision
from studies import save
from tqdm import tqdm

from ptfast.io import Frame, read_poses
from ptfast.methods import Online
from ptfast.ops import assign, iou_matrix, oks_matrix
from ptfast.pipeline import (
    Detector,
    Fused,
    FusedSettings,
    MultiPose,
    MultiPoseSettings,
    NanoDetBoxes,
    NanoDetSettings,
    OneShot,
    load_detector,
)
from ptfast.skeletons import COCO_17
from ptfast.structures import Poses

ANNOTATIONS = DATA / "coco_mini/annotations/person_keypoints_train2017.json"
IMAGES = DATA / "coco_mini/train2017"
SIGMAS = np.array(COCO_17.sigmas, np.float32)
FOUND = 0.5  # OKS
ON_SOMEONE = 0.3  # IoU
SAME_BOX = 0.5  # IoU
THRESHOLDS = np.round(np.arange(0.02, 0.62, 0.02), 2)
METHODS: dict[str, dict[str, Any]] = {
    "fast": {"quality": "fast"},
    "full": {"quality": "full"},
    "detector and pose": {"detector": "nanodet-g"},
}


def estimated(estimate: OneShot, truth: Poses) -> tuple[list[Poses], float]:
    """An estimator's poses in each image, and milliseconds of CPU time an image."""
    found, spent = [], 0.0
    for name in tqdm(truth.frame_names, leave=False):
        image = np.ascontiguousarray(cv2.imread(str(IMAGES / name))[..., ::-1])
        started = process_time()
        found.append(estimate([image]))
        spent += process_time() - started
    return found, 1000 * spent / len(found)


def matched(found: Poses, people: Poses) -> tuple[np.ndarray, np.ndarray]:
    """(N,) the person of each pose of an image, -1 for nobody, and (N,) bool, False where that is not false."""
    labelled = people.joint_visibility > 0
    known = labelled.any(1)
    sizes = {"area": people.areas, "sigmas": SIGMAS}
    oks = oks_matrix(found.keypoints, people.keypoints, b_visible=labelled, **sizes)
    oks[:, ~known] = 0
    person = np.full(len(oks), -1)
    for row in np.argsort(-found.scores, kind="stable"):
        if oks.shape[1] and oks[row].max() >= FOUND:
            person[row] = oks[row].argmax()
            oks[:, person[row]] = 0
    on_unknown = (iou_matrix(found.boxes, people.boxes[~known]) >= ON_SOMEONE).any(1)
    return person, (person >= 0) | ~on_unknown


def right_joints(found: Poses, people: Poses, person: np.ndarray) -> np.ndarray:
    """(M, K) joints of found people that are where they are annotated."""
    rows = person[person >= 0]
    away = ((found.keypoints[person >= 0] - people.keypoints[rows]) ** 2).sum(-1)
    near = away <= 2 * np.log(2) * people.areas[rows, None] * (2 * SIGMAS) ** 2
    return near & (people.joint_visibility[rows] > 0)


def best_threshold(scores: np.ndarray, right: np.ndarray, total: int, beta: int = 1) -> dict[str, float]:
    """The threshold of the highest F-beta for things with `scores` (N,), of which some are `right` (N,) of so many."""
    rows = []
    for threshold in THRESHOLDS:
        kept = scores >= threshold
        hits = int((right & kept).sum())
        f_score = (1 + beta**2) * hits / (kept.sum() + beta**2 * total)
        rows.append((f_score, hits / max(kept.sum(), 1), hits / total))
    best = int(np.argmax([row[0] for row in rows]))
    f_score, precision, recall = rows[best]
    return {"threshold": float(THRESHOLDS[best]), "beta": beta, "F": f_score, "precision": precision, "recall": recall}


def thresholds(found: list[Poses], truth: Poses) -> dict[str, dict[str, float]]:
    """The best thresholds for people and for joints."""
    pairs = [(poses, people, *matched(poses, people)) for poses, people in zip(found, truth, strict=True)]
    scores = np.concatenate([poses.scores[counts] for poses, _, _, counts in pairs])
    hits = np.concatenate([person[counts] >= 0 for _, _, person, counts in pairs])
    joints = np.concatenate([poses.joint_scores[person >= 0].ravel() for poses, _, person, _ in pairs])
    right = np.concatenate([right_joints(*triple).ravel() for *triple, _ in pairs])
    labelled = sum(int((people.joint_visibility[person[person >= 0]] > 0).sum()) for _, people, person, _ in pairs)
    everyone = int((truth.joint_visibility > 0).any(1).sum())
    return {
        "min_score": best_threshold(scores, hits, everyone, beta=2),
        "min_joint_score": best_threshold(joints, right, labelled),
        "min_new_score": best_threshold(scores, hits, everyone),
    }


def box_threshold(detector: Detector, truth: Poses) -> dict[str, float]:
    """The best threshold for a detector's boxes."""
    scores, right = [], []
    for name, people in zip(tqdm(truth.frame_names, leave=False), truth, strict=True):
        image = np.ascontiguousarray(cv2.imread(str(IMAGES / name))[..., ::-1])
        ((boxes, sure),) = detector([Frame(image, name, 0)], [0])
        pairs = assign(1 - iou_matrix(boxes, people.boxes), max_cost=1 - SAME_BOX, method="greedy")
        scores.append(sure)
        right.append(pairs >= 0)
    return best_threshold(np.concatenate(scores), np.concatenate(right), len(truth.boxes))


def average_precision(found: list[Poses], truth: Poses) -> dict[str, float]:
    """COCO's AP of keypoints, in percent."""
    poses = Poses.concatenate([replace(each, frame_size=None) for each in found])
    return coco_average_precision(ANNOTATIONS, poses, [int(name.split(".")[0]) for name in truth.frame_names])


def rounded(entries: Mapping[str, float]) -> dict[str, float]:
    """Numbers as tables show them."""
    return {name: round(value, 3) for name, value in entries.items()}


def variations() -> dict[str, OneShot]:
    """Estimators whose sizes or fusion differ."""
    full: Any = Online.load(quality="full").estimate
    model, detector = full.multipose.model, full.detector.model
    precisions = {
        f"{quality}, {precision}": Online.load(quality=quality, precision=precision).estimate
        for quality in ("fast", "full")
        for precision in ("float32", "bfloat16")
    }
    one_shot = {
        f"fast, long_side={side}": MultiPose(model, settings=MultiPoseSettings(side)) for side in (256, 448, 640)
    }
    fused = {
        f"full, {name}={value}": Fused(full.multipose, full.detector, full.person_poses, FusedSettings(**{name: value}))
        for name, value in (("min_score", 0.05), ("min_score", 0.3), ("same", 0.2), ("same", 0.6))
    }
    sized = {side: NanoDetBoxes(detector, NanoDetSettings(long_side=side)) for side in (416, 640)}
    detectors = {
        f"full, detector at {side}": Fused(full.multipose, boxes, full.person_poses) for side, boxes in sized.items()
    }
    return precisions | one_shot | fused | detectors


def main() -> None:
    """Prints the tables and writes the figures."""
    truth = read_poses(ANNOTATIONS)
    rows, chosen = [], []
    for name, which in METHODS.items():
        found, spent = estimated(Online.load(**which).estimate, truth)
        rows.append({"estimator": name, **average_precision(found, truth), "CPU ms": round(spent)})
        chosen += [{"estimator": name, "of": of, **rounded(best)} for of, best in thresholds(found, truth).items()]
    detector: Any = load_detector("nanodet-g")
    sensitive = NanoDetBoxes(detector.model, replace(detector.settings, min_score=float(THRESHOLDS[0])))
    chosen.append({"estimator": "nanodet-g", "of": "boxes", **rounded(box_threshold(sensitive, truth))})
    save("tune_real_people", "thresholds", chosen, data="coco_mini train2017")
    for name, estimate in variations().items():
        found, spent = estimated(estimate, truth)
        rows.append({"estimator": name, **average_precision(found, truth), "CPU ms": round(spent)})
    save("tune_real_people", "settings", rows, data="coco_mini train2017")


if __name__ == "__main__":
    main()
