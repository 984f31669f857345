"""The layout of merging: people, their tracklets, the frames that these cover, and the rows of the merged poses."""

from __future__ import annotations

import numpy as np

from ptfast._check import check_finite
from ptfast._columns import offsets_of, on_host
from ptfast.structures import Poses, Tracklets
from ptfast.tracking._kernels.records import Plan


def make_plan(tracklets: Tracklets, ids: np.ndarray, frames: int, previous: Poses | None) -> Plan:
    """Sorts the tracklets that count by person and time, and lays out a cell for each frame of each person's span."""
    length, first = tracklets.keypoints.shape[1], tracklets.first_frame
    counts = (ids >= 0) & (first + length > 0) & (first < frames)
    order = np.lexsort((first, ids))
    order = order[counts[order]]
    people, begin = np.unique(ids[order], return_index=True)
    offsets = np.append(begin, len(order))
    spans = np.stack([first[order[begin]], first[order[offsets[1:] - 1]] + length], 1).clip(0, frames)
    if previous is not None:
        spans[np.isin(people, on_host(previous.track_ids)), 0] = 0
    cells = offsets_of(spans[:, 1] - spans[:, 0])
    frame = np.arange(cells[-1]) + np.repeat(spans[:, 0] - cells[:-1], np.diff(cells))
    rows = np.empty_like(frame)
    rows[np.argsort(frame, kind="stable")] = np.arange(len(frame))
    frame_offsets = offsets_of(np.bincount(frame, minlength=frames))
    return Plan(people, order, first[order], offsets, spans, cells, rows, frame_offsets)


def find_pins(plan: Plan, tracklets: Tracklets, previous: Poses | None) -> np.ndarray:
    """(P, K, 3) x, y and score of each joint in the frame before the first, NaN where there is none."""
    pins = np.full((len(plan.people), len(tracklets.skeleton), 3), np.nan)
    if previous is None:
        return pins
    if len(previous) != 1 or previous.skeleton != tracklets.skeleton:
        raise ValueError(f"previous must be one frame of {tracklets.skeleton.name} poses, got {previous!r}")
    before = previous.numpy()
    check_finite("previous.keypoints", before.keypoints[before.joint_visibility > 0])
    rows = np.flatnonzero(np.isin(before.track_ids, plan.people))
    values = np.concatenate([before.keypoints, before.joint_scores[..., None]], -1)[rows].astype(np.float64)
    values[before.joint_visibility[rows] == 0] = np.nan
    pins[np.searchsorted(plan.people, before.track_ids[rows])] = values
    return pins


def bridge_scores(scores: np.ndarray, plan: Plan) -> np.ndarray:
    """(cells,) detection scores, where the lower of both ends' replaces NaN between covered frames."""
    known = np.flatnonzero(~np.isnan(scores))
    if len(known) == len(scores):
        return scores
    # Every span ends with a covered frame, and begins with one unless a pose before the first frame opened it.
    after = known[np.searchsorted(known, np.arange(len(scores)))]
    before = known[np.maximum(np.searchsorted(known, np.arange(len(scores)), side="right") - 1, 0)]
    begin = np.repeat(plan.cells[:-1], np.diff(plan.cells))
    return np.where(before < begin, scores[after], np.minimum(scores[before], scores[after]))
