"""Filters before scoring: weak joints, short tracks, small boxes."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses
from ptfast.tracking import drop_low_joints, drop_short_tracks, drop_small_boxes


def poses(ids: list[list[int]], **columns: object) -> Poses:
    """Poses of people given by frame and track id; row r has all its joints at (r, r)."""
    flat = [track for frame in ids for track in frame]
    return Poses(
        keypoints=np.tile(np.arange(len(flat))[:, None, None], (1, 15, 2)),
        frame_offsets=np.cumsum([0, *(len(frame) for frame in ids)]),
        skeleton=POSETRACK_15,
        track_ids=np.array(flat, np.int64),
        **columns,
    )


def rows(kept: Poses) -> list[int]:
    return kept.numpy().keypoints[:, 0, 0].astype(int).tolist()


def test_tracks_in_too_few_frames_are_dropped_and_frames_stay() -> None:
    video = poses([[0, 1], [0, 1, -1], [0], [2]])
    assert rows(drop_short_tracks(video, 2)) == [0, 1, 2, 3, 4, 5]
    assert np.diff(drop_short_tracks(video, 3).frame_offsets).tolist() == [1, 2, 1, 0]
    assert rows(drop_short_tracks(video)) == [4]
    assert rows(drop_short_tracks(video, 0)) == list(range(7))
    with pytest.raises(ValueError, match="min_length must be between 0 and"):
        drop_short_tracks(video, -1)


def test_small_boxes_are_dropped() -> None:
    boxes = [[0, 0, 40, 80], [0, 0, 40, 79.9], [100, 100, 20, 20], [-50, 0, 50, 100]]
    video = poses([[0, 1], [2, 3]], boxes=boxes, areas=np.ones(4))
    assert rows(drop_small_boxes(video)) == [0, 2, 3]
    assert rows(drop_small_boxes(video, 8000)) == [3]
    with pytest.raises(ValueError, match="min_area must be at least 0, got -1"):
        drop_small_boxes(video, -1)


def test_joints_under_their_thresholds_are_marked_absent() -> None:
    scores = np.full((3, 15), 0.5)
    scores[0, 3], scores[1] = 0.1, 0.2
    visibility = np.full((3, 15), 2)
    visibility[2, :14] = 0
    video = poses([[0], [1], [2]], joint_scores=scores, joint_visibility=visibility)
    kept = drop_low_joints(video, 0.3)
    assert rows(kept) == [0, 2] and len(kept) == 3
    assert np.flatnonzero(kept.joint_visibility[0] == 0).tolist() == [3]
    thresholds = np.zeros(15)
    thresholds[[3, 14]] = 0.2, 0.6
    kept = drop_low_joints(video, thresholds)
    assert [np.flatnonzero(row == 0).tolist() for row in kept.joint_visibility] == [[3, 14], [14]]
    assert (video.joint_visibility[:2] == 2).all()


def test_a_score_at_its_threshold_stays() -> None:
    video = poses([[0]], joint_scores=np.full((1, 15), 0.3))
    kept = drop_low_joints(video, video.joint_scores[0])
    assert rows(kept) == [0] and (kept.joint_visibility == 2).all()


def test_thresholds_must_fit() -> None:
    with pytest.raises(ValueError, match=r"thresholds must have shape \(K,\) with K = 15, got \(17,\)"):
        drop_low_joints(poses([[0]]), np.zeros(17))
    with pytest.raises(ValueError, match="thresholds must be numbers, got nan"):
        drop_low_joints(poses([[0]]), np.nan)


def test_nobody_and_tensors() -> None:
    torch = pytest.importorskip("torch")
    for keep in (lambda p: drop_low_joints(p, 0.5), drop_short_tracks, drop_small_boxes):
        assert len(keep(poses([[], []]))) == 2
        kept = keep(poses([[0, 0], [0]]).to("cpu"))
        assert isinstance(kept.keypoints, torch.Tensor) and isinstance(kept.joint_visibility, torch.Tensor)
