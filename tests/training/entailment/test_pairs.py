"""Pairs of poses that training draws: who they are of, how far apart, and how they are changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ptfast.models import PoseEntailmentArchitecture, camera_shifts
from ptfast.skeletons import POSETRACK_15, POSETRACK_17
from ptfast.structures import Poses
from ptfast.synthetic import scene
from ptfast.training.data.tracks import synthetic_tracks, with_joint_extent
from ptfast.training.entailment.augmentation import PairArrays, augment, cut, lose_joints, mirror, resize
from ptfast.training.entailment.config import EntailmentConfig, PairAugmentation
from ptfast.training.entailment.examples import PairExamples
from ptfast.training.entailment.pairs import PairSampler, shifts_of
from ptfast.training.entailment.table import PoseTable

NONE = PairAugmentation(strides=(1,), jitter=0, lost=0, cut=0, scale=1, mirror=0, camera=0)


@pytest.fixture(scope="module")
def table() -> PoseTable:
    return PoseTable.of(synthetic_tracks(4, frames=24))


def tracks_of(ids: list[list[int]], step: float = 10.0) -> Poses:
    """Poses with these ids, frame by frame, that stand side by side."""
    flat = np.concatenate([np.array(frame, np.int64) for frame in ids])
    offsets = np.concatenate([[0], np.cumsum([len(frame) for frame in ids])])
    places = np.random.default_rng(0).uniform(0, 9, (len(flat), 15, 2)) + step * flat[:, None, None]
    return Poses(places, offsets, POSETRACK_15, track_ids=flat, frame_size=np.tile([100, 100], (len(ids), 1)))


@pytest.mark.parametrize("strides", [(1,), (3,), (2, 5)])
def test_pairs_are_of_one_person_or_of_two_in_one_video(table: PoseTable, strides: tuple[int, ...]) -> None:
    sampler, rng = PairSampler(table, strides, 4, 0.5), np.random.default_rng(0)
    for drawn, same in ((sampler.matching(rng, 500), True), (sampler.non_matching(rng, 500), False)):
        current, earlier = drawn.rows.T
        assert len(drawn.rows) == 500 and ((table.ids[current] == table.ids[earlier]) == same).all()
        assert (table.ids[current] >= 0).all()
        frames = table.frames[drawn.rows]
        assert (table.first[frames[:, 0]] == table.first[frames[:, 1]]).all()
        gaps = frames[:, 0] - frames[:, 1]
        assert (np.isin(gaps / drawn.apart, strides)).all() and set(drawn.apart) == {1, 2, 3, 4}


def test_ids_of_two_videos_are_of_different_people(table: PoseTable) -> None:
    videos = synthetic_tracks(4, frames=24)
    assert len(np.unique(table.ids[table.ids >= 0])) == sum(
        len(np.unique(video.track_ids[video.track_ids >= 0])) for video in videos
    )
    rows = table.rows_of(table.frames[table.known], table.ids[table.known])
    np.testing.assert_array_equal(rows, table.known)
    assert (table.rows_of(table.frames[:3], np.array([-1, 10**6, -1])) == -1).all()


def test_most_non_matching_pairs_are_of_near_people() -> None:
    table = PoseTable.of([tracks_of([[0, 1, 2, 3, 4, 5]] * 9)])
    rng = np.random.default_rng(0)
    steps = {}
    for near in (0.0, 1.0):
        rows = PairSampler(table, (1,), 4, near).non_matching(rng, 2000).rows
        steps[near] = np.abs(np.diff(table.ids[rows], axis=1)).ravel()
    assert (steps[1.0] == 1).mean() > 0.6 and (steps[0.0] == 1).mean() < 0.4


def test_tracks_without_pairs_are_errors() -> None:
    config = EntailmentConfig(pairs=8)
    with pytest.raises(ValueError, match="tracks must hold two poses of one person within 4 frames"):
        PairExamples(PoseTable.of([tracks_of([[0, 1], [], [], [], [2, 3]])]), replace(config, augmentation=NONE))
    with pytest.raises(ValueError, match="tracks must hold two people within 4 frames"):
        PairExamples(PoseTable.of([tracks_of([[0], [0], [0]])]), replace(config, augmentation=NONE))
    with pytest.raises(ValueError, match="tracks must hold a pose with a track id, got none"):
        PoseTable.of([tracks_of([[-1], [-1]])])
    with pytest.raises(ValueError, match=r"tracks must share one skeleton, got \['posetrack_15', 'posetrack_17'\]"):
        PoseTable.of([tracks_of([[0]]), tracks_of([[0]]).to_skeleton(POSETRACK_17)])
    with pytest.raises(ValueError, match="tracks must have frame_size, got None"):
        PoseTable.of([replace(tracks_of([[0]]), frame_size=None)])


def test_frames_of_unknown_size_reach_as_far_as_joints() -> None:
    poses = replace(tracks_of([[0, 1], [0]]), frame_size=None)
    sized = with_joint_extent(poses)
    np.testing.assert_array_equal(sized.frame_size, np.tile(np.ceil(poses.keypoints.max((0, 1))), (2, 1)))


def test_examples_are_the_same_each_time_and_hold_both_classes(table: PoseTable) -> None:
    examples = PairExamples(table, EntailmentConfig(pairs=33))
    first, again, other = examples[3], examples[3], examples[4]
    assert first.labels.tolist() == [1] * 16 + [0] * 17
    assert first.pairs.keypoints.equal(again.pairs.keypoints)
    assert not first.pairs.keypoints.equal(other.pairs.keypoints)
    assert first.pairs.segments[:, 0].eq(0).all() and set(first.pairs.segments[:, 1].tolist()) == {0, 1, 2, 3}
    assert (first.pairs.keypoints[~first.pairs.visible] == 0).all()


def test_shifts_are_found_among_all_people_of_both_frames(table: PoseTable) -> None:
    rows = PairSampler(table, (3,), 4, 0.5).matching(np.random.default_rng(0), 50).rows
    shifts = shifts_of(table, rows)
    assert len(np.unique(shifts)) > 20
    for pair, shift in zip(rows, shifts, strict=True):
        now, before = (table.centres[table.frames == frame] for frame in table.frames[pair])
        ways = (now[:, None] - before[None]).reshape(-1, 2)
        who = np.repeat(np.arange(len(now)), len(before))
        np.testing.assert_array_equal(shift, camera_shifts(ways, who, 0 * who)[0])


def test_a_cameras_shift_is_that_of_all_people_of_the_two_frames() -> None:
    truth = scene(3, frames=4, people=8)
    keypoints = truth.keypoints.copy()
    keypoints[truth.frame_offsets[3] :] += np.float32([6, -3])
    still, moving = (PoseTable.of([replace(truth, keypoints=each)]) for each in (truth.keypoints, keypoints))
    rows = PairSampler(still, (1,), 1, 0.5).matching(np.random.default_rng(0), 64).rows
    jumped = still.frames[rows[:, 0]] == 3
    assert jumped.any() and not jumped.all()
    more = shifts_of(moving, rows) - shifts_of(still, rows)
    np.testing.assert_allclose(more, jumped[:, None] * np.float32([6, -3]), atol=1e-3)
    config = EntailmentConfig(
        pairs=64, augmentation=NONE, architecture=replace(PoseEntailmentArchitecture.best(), delta=1)
    )
    pairs = [PairExamples(each, config)[0].pairs.keypoints for each in (still, moving)]
    np.testing.assert_allclose(*(each[:, 0] - each[:, 1] for each in pairs), atol=1e-3)


def arrays(count: int = 40) -> PairArrays:
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(0, 100, (count, 2, 15, 2)).astype(np.float32)
    visible, scores = rng.random((count, 2, 15)) > 0.2, rng.random((count, 2, 15)).astype(np.float32)
    size = np.tile(np.float32([100, 60]), (count, 1))
    return PairArrays(keypoints, visible, scores, np.full((count, 2), 80, np.float32), size)


def test_mirrored_poses_have_left_and_right_swapped() -> None:
    pairs, which = arrays(), np.arange(40) % 2 == 0
    turned = mirror(pairs, which, POSETRACK_15)
    left, right = POSETRACK_15.index("left_wrist"), POSETRACK_15.index("right_wrist")
    np.testing.assert_array_equal(turned.keypoints[::2, :, left, 0], 99 - pairs.keypoints[::2, :, right, 0])
    np.testing.assert_array_equal(turned.keypoints[::2, :, left, 1], pairs.keypoints[::2, :, right, 1])
    np.testing.assert_array_equal(turned.visible[::2, :, left], pairs.visible[::2, :, right])
    np.testing.assert_array_equal(turned.keypoints[1::2], pairs.keypoints[1::2])
    again = mirror(turned, which, POSETRACK_15)
    np.testing.assert_allclose(again.keypoints, pairs.keypoints, atol=1e-4)
    np.testing.assert_array_equal(again.joint_scores, pairs.joint_scores)


def test_resized_pairs_keep_their_centre_and_lost_joints_leave_two() -> None:
    pairs = arrays()
    doubled = resize(pairs, np.full(40, 2, np.float32))
    np.testing.assert_allclose(doubled.keypoints - [50, 30], 2 * (pairs.keypoints - [50, 30]), atol=1e-4)
    kept = lose_joints(pairs, 1.0, np.random.default_rng(0)).visible
    assert not (kept & ~pairs.visible).any() and kept.sum() < 0.8 * pairs.visible.sum()
    assert (kept.sum(2) >= 2).all()


def test_a_line_hides_what_lies_beyond_it_in_both_poses() -> None:
    pairs, which = arrays(), np.arange(40) % 2 == 0
    half = cut(pairs, which, np.random.default_rng(0)).visible
    np.testing.assert_array_equal(half[1::2], pairs.visible[1::2])
    assert not (half & ~pairs.visible).any() and (half.sum(2) >= 2).all()
    parted = [i for i in range(0, 40, 2) if (half[i] != pairs.visible[i]).any(1).all()]
    assert len(parted) > 10
    for i in parted:  # a line parts what is seen from what is not
        seen, hidden = pairs.keypoints[i][half[i]], pairs.keypoints[i][pairs.visible[i] & ~half[i]]
        angles = np.linspace(0, 2 * np.pi, 3600)
        along = np.stack([np.cos(angles), np.sin(angles)])
        assert ((seen @ along).max(0) < (hidden @ along).min(0) + 0.1).any()


def test_augmentation_of_nothing_changes_nothing() -> None:
    pairs = arrays()
    same = augment(pairs, NONE, POSETRACK_15, np.random.default_rng(0))
    np.testing.assert_allclose(same.keypoints, pairs.keypoints, atol=1e-5)
    np.testing.assert_array_equal(same.visible, pairs.visible)
    moved = augment(pairs, PairAugmentation(jitter=0.05, lost=0, cut=0, scale=1, mirror=0, camera=0), POSETRACK_15,
                    np.random.default_rng(0))  # fmt: skip
    spread = (moved.keypoints - pairs.keypoints).std((1, 2, 3))
    assert spread.min() > 0 and spread.max() < 1.6 * 0.05 * 80
    assert ((moved.joint_scores == pairs.joint_scores).all((1, 2))).mean() == pytest.approx(0.5, abs=0.25)
