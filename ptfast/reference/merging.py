"""Merging of hypotheses, one joint and one frame at a time."""

from __future__ import annotations

import numpy as np

from ptfast.reference.mean_shift import mean_shift
from ptfast.reference.shortest_path import cheapest_path
from ptfast.structures import Tracklets

Node = tuple[np.ndarray, float, float]  # centre of a cluster, its size, its score


def merge_joint(
    tracklets: Tracklets, track_ids: np.ndarray, person: int, joint: int, frames: int, *,
    merge: str = "spatiotemporal", weighted: bool = False, radius: float = 0.5, distance: str = "pixels",
    smoothness: float = 0.1, min_joint_score: float = 0.0, pin: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Merges one joint of one person as ptfast.tracking.merge_hypotheses does.

    Returns keypoints (F, 2), scores (F,) and visibility (F,).

    `pin` is x, y and score of the joint in the frame before the first.
    """
    layers: list[list[Node]] = []
    at, radii = [], []
    for frame in range(frames):
        entries = _entries(tracklets, track_ids, person, frame)
        points = np.array([tracklets.keypoints[m, t, joint] for m, t in entries], np.float64).reshape(-1, 2)
        scores = np.array([tracklets.joint_scores[m, t, joint] for m, t in entries], np.float64)
        counted = scores > min_joint_score
        if counted.any():
            head = np.median([_head_size(tracklets, m, t, min_joint_score) for m, t in entries])
            radii.append(max(radius * head, 1.0))
            layers.append(_nodes(points[counted], scores[counted], merge, radii[-1], weighted))
            at.append(frame)
    found = np.zeros((frames, 2)), np.zeros(frames), np.zeros(frames, np.uint8)
    if not layers:
        return found
    nodes = [node for layer in layers for node in layer]
    factor = smoothness / np.array(radii) if distance == "radius" else np.full(len(layers), smoothness)
    offsets = np.cumsum([0, *map(len, layers)])
    sizes = None if merge == "temporal" else np.array([node[1] for node in nodes])
    places = np.array([node[0] for node in nodes])
    path, _ = cheapest_path(places, offsets, sizes=sizes, smoothness=factor, start=None if pin is None else pin[:2])
    _fill(found, at, [nodes[row] for row in path], pin)
    return found


def _entries(tracklets: Tracklets, track_ids: np.ndarray, person: int, frame: int) -> list[tuple[int, int]]:
    """The tracklets of a person that cover a frame, by first frame, each with its own number of the frame."""
    mine = np.flatnonzero(track_ids == person)
    mine = mine[np.argsort(tracklets.first_frame[mine], kind="stable")]
    places = [(int(m), int(frame - tracklets.first_frame[m])) for m in mine]
    return [(m, t) for m, t in places if 0 <= t < tracklets.keypoints.shape[1]]


def _head_size(tracklets: Tracklets, m: int, t: int, min_joint_score: float) -> float:
    if tracklets.skeleton.head is not None:
        both = list(tracklets.skeleton.head)
        if (tracklets.joint_scores[m, t, both] > min_joint_score).all():
            top, bottom = tracklets.keypoints[m, t, both].astype(np.float64)
            return float(np.hypot(*(top - bottom)))
    box = tracklets.boxes[m].astype(np.float64)
    return 0.15 * float(np.hypot(*(box[2:] - box[:2])))


def _nodes(points: np.ndarray, scores: np.ndarray, merge: str, radius: float, weighted: bool) -> list[Node]:
    if merge == "highest":
        best = scores.argmax()
        return [(points[best], 1.0, scores[best])]
    if merge == "temporal":
        return [(point, 0.0, score) for point, score in zip(points, scores, strict=True)]
    centres, labels = mean_shift(points, radius, scores if weighted else None)
    clusters = [
        (centre, float((labels == c).sum()), float(scores[labels == c].mean()))
        for c, centre in enumerate(centres)
        if (labels == c).any()
    ]
    return [max(clusters, key=lambda node: node[1:])] if merge == "spatial" else clusters


def _fill(
    found: tuple[np.ndarray, np.ndarray, np.ndarray], at: list[int], path: list[Node], pin: np.ndarray | None
) -> None:
    """Writes a path's nodes into their frames, and straight lines between."""
    keypoints, scores, visibility = found
    before = None if pin is None else (-1, pin[:2], pin[2])
    for frame, (place, _, score) in zip(at, path, strict=True):
        if before is not None:
            start, from_place, from_score = before
            for between in range(start + 1, frame):
                share = (between - start) / (frame - start)
                keypoints[between] = from_place + share * (place - from_place)
                scores[between], visibility[between] = min(score, from_score), 1
        keypoints[frame], scores[frame], visibility[frame] = place, score, 2
        before = frame, place, score
