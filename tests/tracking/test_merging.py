"""merge_hypotheses: against its specification, on scenes made by hand, blocks and errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import ptfast
from ptfast.reference.merging import merge_joint
from ptfast.skeletons import COCO_17, POSETRACK_15
from ptfast.structures import Poses, Tracklets
from ptfast.tracking import merge_hypotheses

FRAMES, CLIP = 12, 5
HEAD = 14, 12  # joints of POSETRACK_15


def scene(seed: int, gap: bool = False) -> tuple[Tracklets, np.ndarray]:
    """Tracklets of three people about every other key frame, jittered, one in five joints far off; shuffled.

    Their clips stick out at both ends of the video. With `gap` nobody is seen in its middle.
    """
    rng = np.random.default_rng(seed)
    keypoints, first, ids = [], [], []
    for person in (0, 3, 4):
        place, speed, body = rng.uniform(0, 400, 2), rng.normal(0, 5, 2), rng.normal(0, 30, (15, 2))
        body[HEAD[0]] = body[HEAD[1]] + (0, -25)
        for key in range(FRAMES):
            if rng.random() < 0.5 or (gap and 2 < key < FRAMES - 3):
                continue
            frames = np.arange(key - CLIP // 2, key + CLIP // 2 + 1)
            clip = place + frames[:, None, None] * speed + body + rng.normal(0, 4, (CLIP, 15, 2))
            keypoints.append(clip + (rng.random((CLIP, 15, 1)) < 0.2) * rng.normal(0, 60, (CLIP, 15, 2)))
            first.append(frames[0])
            ids.append(person if rng.random() < 0.9 else -1)
    order = rng.permutation(len(ids))
    scores = rng.uniform(-0.2, 1, (len(ids), CLIP, 15))
    tracklets = Tracklets(np.array(keypoints), scores, first, POSETRACK_15, scores=rng.uniform(0.3, 1, len(ids)))
    return tracklets.select(order), np.array(ids)[order]


def standing(*offsets: tuple[float, float, float], length: int = 3) -> Tracklets:
    """Tracklets that all cover frames 0 to length - 1: one body with a head of 20 pixels, moved by x and y; a score."""
    body = np.stack([np.arange(15) * 100.0, np.zeros(15)], -1)
    body[HEAD[0]] = body[HEAD[1]] + (0, -20)
    keypoints = np.array([np.tile(body + offset[:2], (length, 1, 1)) for offset in offsets])
    scores = np.array([np.full((length, 15), offset[2]) for offset in offsets])
    return Tracklets(keypoints, scores, np.zeros(len(offsets), int), POSETRACK_15)


def assert_specified(poses: Poses, tracklets: Tracklets, ids: np.ndarray, previous: Poses | None, **options) -> None:
    """Compares every joint of everybody in every frame with the specification."""
    options = {"smoothness": 1.0 if options.get("distance") == "radius" else 0.1, **options}
    row_of = {(f, i): r for f in range(len(poses)) for r, i in _rows(poses, f)}
    for person in np.unique(ids[ids >= 0]):
        there = np.zeros(len(poses), bool)
        for joint in range(15):
            pin = _pin(previous, person, joint)
            keypoints, scores, visibility = merge_joint(tracklets, ids, person, joint, len(poses), pin=pin, **options)
            there |= visibility > 0
            for f in np.flatnonzero([(f, person) in row_of for f in range(len(poses))]):
                row = row_of[f, person]
                assert poses.joint_visibility[row, joint] == visibility[f]
                np.testing.assert_allclose(poses.keypoints[row, joint], keypoints[f], rtol=1e-6, atol=1e-6)
                np.testing.assert_allclose(poses.joint_scores[row, joint], scores[f], rtol=1e-6)
        np.testing.assert_array_equal(there, [(f, person) in row_of for f in range(len(poses))])


def _rows(poses: Poses, f: int) -> list[tuple[int, int]]:
    first, last = poses.frame_offsets[f : f + 2]
    assert (np.diff(poses.track_ids[first:last]) > 0).all()
    return list(zip(range(first, last), poses.track_ids[first:last].tolist(), strict=True))


def _pin(previous: Poses | None, person: int, joint: int) -> np.ndarray | None:
    rows = [] if previous is None else np.flatnonzero(previous.track_ids == person)
    if len(rows) == 0 or not previous.joint_visibility[rows[0], joint]:
        return None
    return np.append(previous.keypoints[rows[0], joint], previous.joint_scores[rows[0], joint]).astype(np.float64)


@pytest.mark.parametrize("gap", [False, True])
@pytest.mark.parametrize("merge", ["spatiotemporal", "spatial", "temporal", "highest"])
@pytest.mark.parametrize(
    "options", [{}, {"distance": "radius", "weighted": True}, {"min_joint_score": 0.5, "radius": 0.3, "smoothness": 2}]
)
def test_poses_equal_the_specification(merge: str, options: dict, gap: bool) -> None:
    tracklets, ids = scene(1, gap)
    rng = np.random.default_rng(0)
    before = Poses(
        rng.uniform(0, 400, (2, 15, 2)), [0, 2], POSETRACK_15, track_ids=[3, 77],
        joint_visibility=rng.integers(0, 2, (2, 15)),
    )  # fmt: skip
    for previous in (None, before):
        poses = merge_hypotheses(tracklets, ids, frames=FRAMES, merge=merge, previous=previous, **options)
        assert_specified(poses, tracklets, ids, previous, merge=merge, **options)
        heaped = merge_hypotheses(
            tracklets, ids, frames=FRAMES, merge=merge, previous=previous, method="dijkstra", **options
        )
        np.testing.assert_array_equal(heaped.keypoints, poses.keypoints)


def test_the_cluster_of_most_hypotheses_wins_over_the_most_confident() -> None:
    tracklets = standing((0, 0, 0.5), (2, 0, 0.7), (60, 0, 0.9))
    for merge, x in (("spatiotemporal", 1), ("spatial", 1), ("highest", 60)):
        poses = merge_hypotheses(tracklets, np.zeros(3, int), merge=merge)
        np.testing.assert_allclose(poses.keypoints, tracklets.keypoints[0] + (x, 0), rtol=1e-6)
    poses = merge_hypotheses(tracklets, np.zeros(3, int))
    np.testing.assert_allclose(poses.joint_scores, 0.6, rtol=1e-6)
    weighted = merge_hypotheses(tracklets, np.zeros(3, int), weighted=True)
    np.testing.assert_allclose(weighted.keypoints[0, 0, 0], (0.5 * 0 + 0.7 * 2) / 1.2, rtol=1e-6)


def test_a_joint_stays_with_the_smaller_cluster_where_the_larger_one_is_a_jump_away() -> None:
    """Frames 0 and 2 agree on one place; in frame 1 two of three hypotheses are somewhere else."""
    tracklets = standing((0, 0, 0.9), (0, 0, 0.9), (0, 0, 0.9))
    tracklets.keypoints[:2, 1, 0] += 70
    ids = np.zeros(3, int)
    assert merge_hypotheses(tracklets, ids, merge="spatial").keypoints[1, 0, 0] == 70
    for smoothness, expected in ((0.1, 0), (0.001, 70)):
        assert merge_hypotheses(tracklets, ids, smoothness=smoothness).keypoints[1, 0, 0] == expected


def test_a_gap_is_bridged_on_a_straight_line_and_ends_stay_absent() -> None:
    tracklets = standing((0, 0, 0.9), (40, 20, 0.6), length=1)
    tracklets = replace(tracklets, first_frame=[1, 5], scores=[0.8, 0.5])
    poses = merge_hypotheses(tracklets, np.array([7, 7]), frames=8)
    np.testing.assert_array_equal(np.diff(poses.frame_offsets), [0, 1, 1, 1, 1, 1, 0, 0])
    np.testing.assert_allclose(poses.keypoints[:, 0, 0], [0, 10, 20, 30, 40], atol=1e-5)
    np.testing.assert_allclose(poses.keypoints[:, 0, 1], [0, 5, 10, 15, 20], atol=1e-5)
    np.testing.assert_array_equal(poses.joint_visibility[:, 0], [2, 1, 1, 1, 2])
    np.testing.assert_allclose(poses.joint_scores[:, 0], [0.9, 0.6, 0.6, 0.6, 0.6], rtol=1e-6)
    np.testing.assert_allclose(poses.scores, [0.8 * 0.9, 0.5 * 0.6, 0.5 * 0.6, 0.5 * 0.6, 0.5 * 0.6], rtol=1e-6)


def test_one_joint_is_bridged_while_the_others_are_seen() -> None:
    tracklets = standing((0, 0, 0.9))
    tracklets.joint_scores[0, 1, 3] = 0
    tracklets.joint_scores[0, 0, 4] = 0
    poses = merge_hypotheses(tracklets, np.zeros(1, int))
    np.testing.assert_array_equal(poses.joint_visibility[:, 3], [2, 1, 2])
    np.testing.assert_array_equal(poses.joint_visibility[:, 4], [0, 2, 2])
    assert poses.joint_scores[0, 4] == 0


def test_boxes_hold_the_joints_and_a_tenth_more_on_each_side() -> None:
    tracklets = standing((0, 0, 0.9))
    tracklets.joint_scores[0, :, 5:] = 0
    poses = merge_hypotheses(tracklets, np.zeros(1, int))
    np.testing.assert_allclose(poses.boxes, np.tile([-40, -1, 440, 1], (3, 1)), rtol=1e-6)


def test_a_score_is_the_mean_detection_times_the_mean_of_trusted_joints() -> None:
    tracklets = replace(standing((0, 0, 0.8), (0, 0, 0.8)), scores=[1.0, 0.5])
    tracklets.joint_scores[:, :, :5] = 0.1
    np.testing.assert_allclose(merge_hypotheses(tracklets, np.zeros(2, int)).scores, 0.75 * 0.8, rtol=1e-6)


@pytest.mark.parametrize("head_seen", [True, False])
def test_the_radius_is_a_share_of_the_median_head(head_seen: bool) -> None:
    """A head of 20 pixels, or 0.15 times the diagonal of the box where its joints are unknown."""
    size = 20 if head_seen else 0.15 * 500
    tracklets = replace(
        standing((0, 0, 0.9), (0, 0, 0.9), (0, 0, 0.9)), boxes=np.tile([0, 0, 300, 400], (3, 1)).astype(np.float32)
    )
    if not head_seen:
        tracklets.joint_scores[:, :, HEAD[0]] = 0
    else:
        tracklets.keypoints[0, :, HEAD[0]] += 500  # one of three is no matter to the median
    for distance, together in ((0.49 * size, True), (0.51 * size, False)):
        tracklets.keypoints[0, :, 0, 0] = distance
        x = merge_hypotheses(tracklets, np.zeros(3, int)).keypoints[0, 0, 0]
        np.testing.assert_allclose(x, distance / 3 if together else 0, rtol=1e-6)


def test_skeletons_without_a_head_take_the_box() -> None:
    keypoints = np.random.default_rng(0).uniform(0, 99, (1, 3, 17, 2))
    poses = merge_hypotheses(Tracklets(keypoints, np.ones((1, 3, 17)), [0], COCO_17), np.zeros(1, int))
    np.testing.assert_allclose(poses.keypoints, keypoints[0], rtol=1e-6)


def test_a_video_merged_in_blocks_goes_on_where_the_block_before_ended() -> None:
    """Frame 2 alone is undecided: which place is taken follows from the block before."""
    tracklets = standing((0, 0, 0.9), (60, 0, 0.9), length=1)
    ids = np.array([5, 5])
    for x in (1.0, 59.0):
        before = merge_hypotheses(standing((x, 0, 0.9), length=1), np.array([5]))
        poses = merge_hypotheses(tracklets, ids, frames=1, previous=before)
        assert poses.keypoints[0, 0, 0] == (0 if x < 30 else 60)
    late = replace(tracklets, first_frame=[2, 2])
    poses = merge_hypotheses(late, ids, frames=3, previous=before)
    np.testing.assert_allclose(poses.keypoints[:, 0, 0], 59 + np.arange(1, 4) / 3, rtol=1e-6)
    np.testing.assert_array_equal(poses.joint_visibility[:, 0], [1, 1, 2])


def test_tracklets_in_any_order_and_on_any_number_of_threads_give_the_same() -> None:
    rng = np.random.default_rng(0)
    parts = [scene(seed) for seed in range(40)]
    ids = np.concatenate([np.where(ids < 0, -1, ids + 5 * i) for i, (_, ids) in enumerate(parts)])
    tracklets = Tracklets.concatenate([part for part, _ in parts])
    ptfast.set_num_threads(1)
    one = merge_hypotheses(tracklets, ids)
    ptfast.set_num_threads(3)
    order = rng.permutation(len(ids))
    many = merge_hypotheses(tracklets.select(order), ids[order])
    ptfast.set_num_threads(0)
    np.testing.assert_array_equal(one.track_ids, many.track_ids)
    np.testing.assert_allclose(one.keypoints, many.keypoints, rtol=1e-5)


def test_torch_gives_torch() -> None:
    tracklets, ids = scene(2)
    expected = merge_hypotheses(tracklets, ids)
    poses = merge_hypotheses(tracklets.to("cpu"), torch.as_tensor(ids))
    assert isinstance(poses.keypoints, torch.Tensor)
    np.testing.assert_array_equal(poses.keypoints.numpy(), expected.keypoints)


def test_frames_end_with_the_last_covered_one_and_nobody_is_nothing() -> None:
    tracklets, ids = scene(0)
    assert len(merge_hypotheses(tracklets, ids)) == tracklets.first_frame.max() + CLIP
    for nobody in (merge_hypotheses(tracklets, np.full(len(ids), -1), frames=4),
                   merge_hypotheses(tracklets.select(ids > 99), ids[ids > 99], frames=4)):  # fmt: skip
        assert len(nobody) == 4 and len(nobody.keypoints) == 0
    assert len(merge_hypotheses(tracklets.select(ids > 99), ids[ids > 99])) == 0
    assert len(merge_hypotheses(tracklets, ids, frames=0)) == 0


def test_entries_outside_the_video_and_uncounted_hypotheses_may_be_anything() -> None:
    tracklets, ids = scene(0)
    expected = merge_hypotheses(tracklets, ids, frames=6)
    frame = tracklets.first_frame[:, None] + np.arange(CLIP)
    tracklets.keypoints[(frame < 0) | (frame >= 6)] = np.nan
    tracklets.keypoints[tracklets.joint_scores <= 0] = np.nan
    np.testing.assert_array_equal(merge_hypotheses(tracklets, ids, frames=6).keypoints, expected.keypoints)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"track_ids": np.zeros(2, int)}, r"track_ids must have shape \(M,\) with M = 1, got \(2,\)"),
        ({"frames": -1}, "frames must be between 0 and"),
        ({"merge": "both"}, r"merge must be one of \('spatiotemporal', .*\), got 'both'"),
        ({"method": "astar"}, r"method must be one of \('viterbi', 'dijkstra'\), got 'astar'"),
        ({"distance": "heads"}, r"distance must be one of \('pixels', 'radius'\), got 'heads'"),
        ({"radius": 0}, "radius must be between"),
        ({"smoothness": -1}, "smoothness must be at least 0, got -1"),
        ({"weighted": True, "min_joint_score": -1}, "min_joint_score must be at least 0 for weights by score, got -1"),
        ({"previous": Poses(np.zeros((0, 15, 2)), [0, 0, 0], POSETRACK_15)}, "previous must be one frame of posetrack"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        merge_hypotheses(**{"tracklets": standing((0, 0, 1)), "track_ids": np.zeros(1, int), **arguments})


def test_a_hypothesis_that_is_not_finite_is_named() -> None:
    tracklets = standing((0, 0, 0.5), (0, 0, 0.5))
    tracklets.keypoints[1, 2, 3] = 5, np.nan
    with pytest.raises(ValueError, match=r"finite where a hypothesis counts, got \[5.0, nan\] .* at \(1, 2, 3\)"):
        merge_hypotheses(tracklets, np.zeros(2, int))


def test_track_ids_are_integers() -> None:
    with pytest.raises(TypeError, match="track_ids must hold integers, got float64"):
        merge_hypotheses(standing((0, 0, 1)), np.zeros(1))
