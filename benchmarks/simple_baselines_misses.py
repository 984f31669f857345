"""How many of the people whom a detector misses for some frames propagation can bring back at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from remembered import Shown

from ptfast._columns import dilate
from ptfast.io import Frame
from ptfast.methods.simple_baselines import Config
from ptfast.ops import iou_matrix
from ptfast.pipeline.top_down import frames_of, in_boxes
from ptfast.structures import Poses, head_sizes, joint_boxes

OVERLAP = 0.4  # IoU of a person's box with one of the detector's, from which the person counts as detected
GROUPS = ("detected", "missed, detected within 8 frames before", "missed for longer or always")


def rows_of_misses(films: Sequence[Shown], detector: str, config: Config) -> Iterator[dict[str, Any]]:
    """A row for each of `GROUPS`: people, their share of all labelled joints, and what the pose network makes of them.

    A joint is right where it counts and lies within half a head of the label; the network looks into the true boxes,
    so flow cannot carry anybody to a better place.

    Args:
        films: With the networks' results.
        detector: "strong" or "weak".
        config: Thresholds of boxes and joints, and for how long somebody may be missed.
    """
    people, labelled, right = (np.zeros(len(GROUPS), np.int64) for _ in range(3))
    for film in films:
        frames, last = frames_of(film.images), dict[int, int]()
        for number, truth in enumerate(film.truth):
            spans = joint_boxes(truth.keypoints, truth.joint_visibility)
            spanned = (spans[:, 2:] > spans[:, :2]).all(1)
            truth, spans = truth.select(spanned), spans[spanned].astype(np.float32)
            boxes, scores = film.detectors[detector](frames, [number])[0]
            sure = boxes[scores >= (-np.inf if config.min_box_score is None else config.min_box_score)]
            detected = (iou_matrix(spans, sure) > OVERLAP).any(1) if len(sure) else np.zeros(len(spans), bool)
            last |= dict.fromkeys(truth.track_ids[detected].tolist(), number)
            unseen = np.array([number - last.get(person, -np.inf) for person in truth.track_ids.tolist()])
            group = np.select([unseen == 0, unseen <= config.max_undetected], [0, 1], 2)
            seen = truth.joint_visibility > 0
            near = right_joints(film, frames[number], truth, spans, config) & seen
            for count, value in ((people, 1), (labelled, seen.sum(1)), (right, near.sum(1))):
                np.add.at(count, group, value)
    for place, name in enumerate(GROUPS):
        yield {
            "detector": detector,
            "people": name,
            "number": int(people[place]),
            "% of labelled joints": round(100 * labelled[place] / labelled.sum(), 2),
            "% right in true boxes, of all": round(100 * right[place] / labelled.sum(), 2),
        }


def right_joints(film: Shown, frame: Frame, truth: Poses, spans: np.ndarray, config: Config) -> np.ndarray:
    """(P, K) bool, joints that count and lie within half a head of the true ones, in boxes of the labels' extent."""
    if not len(spans):
        return np.zeros(truth.joint_visibility.shape, bool)
    boxes = dilate(spans)
    found = in_boxes(film.person_poses, [frame], [(boxes, np.ones(len(boxes), np.float32))])[0]
    away = np.linalg.norm(found.keypoints - truth.keypoints, axis=-1) / head_sizes(truth)[:, None]
    least = -np.inf if config.min_joint_score is None else config.min_joint_score
    return np.asarray((away <= 0.5) & (found.joint_scores >= least))
