"""The LSTM matcher: one frame at a time as whole tracks, masks, and errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ptfast.models.matcher import TrackMatcher
from ptfast.models.observations import compare
from ptfast.skeletons import COCO_17, POSETRACK_15
from ptfast.structures import Poses
from ptfast.synthetic import detections, scene


@pytest.fixture(scope="module")
def poses() -> Poses:
    return detections(scene(5, frames=6, people=4), 5, miss=0)


@pytest.fixture
def matcher() -> TrackMatcher:
    torch.manual_seed(0)
    return TrackMatcher(hidden=8)


def first_rows(poses: Poses, frames: int) -> torch.Tensor:
    return torch.from_numpy(poses.frame_offsets[:frames].copy())


def test_frame_by_frame_states_equal_those_of_whole_tracks(matcher: TrackMatcher, poses: Poses) -> None:
    observed, rows = matcher.observe(poses), first_rows(poses, 5)
    steps = torch.tensor([[1, 1, 3, 2, 1]])
    whole = matcher.read(observed, rows[None], steps)
    states, previous = matcher.start(), torch.tensor([-1])
    for index, row in enumerate(rows):
        states = matcher.advance(states, observed[row[None]], previous, steps[0, index : index + 1])
        torch.testing.assert_close(states.hidden, whole[:, index])
        previous = torch.tensor([0])


def test_new_tracks_start_afresh_and_old_ones_go_on(matcher: TrackMatcher, poses: Poses) -> None:
    observed = matcher.observe(poses)
    two = matcher.advance(matcher.start(), observed[torch.tensor([0, 1])], torch.tensor([-1, -1]), torch.ones(2))
    rows = observed[torch.tensor([4, 5])]
    mixed = matcher.advance(two, rows, torch.tensor([-1, 1]), torch.tensor([1, 2]))
    fresh = matcher.advance(matcher.start(), rows, torch.tensor([-1, -1]), torch.ones(2))
    going = matcher.read(observed, torch.tensor([[1, 5]]), torch.tensor([[1, 2]]))[0, 1]
    torch.testing.assert_close(mixed.hidden, torch.stack([fresh.hidden[0], going]))
    assert not torch.allclose(fresh.hidden[1], going)


def test_logits_are_those_of_the_pairs(matcher: TrackMatcher, poses: Poses) -> None:
    observed = matcher.observe(poses)
    states = matcher.advance(matcher.start(), observed[torch.arange(3)], torch.full((3,), -1), torch.ones(3))
    candidates, steps = observed[torch.arange(4, 6)], torch.tensor([1, 2, 3])
    logits = matcher.logits(states, candidates, steps)
    assert logits.shape == (3, 2)
    pair = torch.tensor([2])
    alone = matcher.pair_logits(states.hidden[pair], states.last[pair], candidates[torch.tensor([1])], steps[pair])
    torch.testing.assert_close(logits[2, 1], alone[0])


def test_absent_joints_and_scores_beyond_one_do_not_count(matcher: TrackMatcher, poses: Poses) -> None:
    visibility = poses.joint_visibility.copy()
    visibility[:, 3] = 0
    keypoints = poses.keypoints.copy()
    keypoints[:, 3] = np.nan
    hidden = matcher.observe(replace(poses, joint_visibility=visibility, keypoints=keypoints))
    same = matcher.observe(replace(poses, joint_visibility=visibility))
    torch.testing.assert_close(hidden.description, same.description)
    certain = [matcher.observe(replace(poses, joint_scores=np.full_like(poses.joint_scores, s))) for s in (1.0, 7.5)]
    torch.testing.assert_close(certain[0].description, certain[1].description)


def test_what_moved_is_in_shares_of_the_earlier_box(matcher: TrackMatcher, poses: Poses) -> None:
    frame = poses.frame(0)
    twice = replace(frame, keypoints=2 * frame.keypoints, boxes=2 * frame.boxes, frame_size=2 * frame.frame_size)
    shift = np.float32(7)
    results = []
    for one, step in ((frame, shift), (twice, 2 * shift)):
        moved = replace(one, keypoints=one.keypoints + step, boxes=one.boxes + step)
        results.append(compare(matcher.observe(one), matcher.observe(moved), torch.ones(len(one.scores))))
    torch.testing.assert_close(results[0], results[1], atol=1e-4, rtol=1e-4)
    size = (frame.boxes[:, 2:] - frame.boxes[:, :2]).max(1)
    torch.testing.assert_close(results[0][:, 0], torch.asinh(torch.from_numpy(4 * shift / size)), atol=1e-4, rtol=1e-4)


def test_appearance_and_other_skeletons(poses: Poses) -> None:
    matcher = TrackMatcher(COCO_17, hidden=8, appearance=3)
    looks = np.eye(3, dtype=np.float32)[np.arange(len(poses.scores)) % 3]
    observed = matcher.observe(poses, torch.from_numpy(looks))
    assert observed.keypoints.shape[1] == 17
    states = matcher.advance(matcher.start(), observed[torch.arange(2)], torch.full((2,), -1), torch.ones(2))
    logits = matcher.logits(states, observed[torch.arange(4, 7)], torch.ones(2))
    other = matcher.observe(poses, -looks)
    assert not torch.allclose(matcher.logits(states, other[torch.arange(4, 7)], torch.ones(2)), logits)


def test_nobody(matcher: TrackMatcher, poses: Poses) -> None:
    nobody = matcher.observe(poses.select(np.zeros(len(poses.scores), bool)))
    assert len(matcher.advance(matcher.start(), nobody, torch.zeros(0, dtype=torch.long), torch.zeros(0))) == 0
    assert matcher.logits(matcher.start(), matcher.observe(poses), torch.ones(0)).shape == (0, len(poses.scores))


def test_wrong_poses_are_errors(matcher: TrackMatcher, poses: Poses) -> None:
    with pytest.raises(ValueError, match="poses must have frame_size, got None"):
        matcher.observe(replace(poses, frame_size=None))
    with pytest.raises(ValueError, match=r"features must have shape \(N, A\) with N = \d+, A = 0, got \(1, 2\)"):
        matcher.observe(poses, np.zeros((1, 2)))
    with pytest.raises(ValueError, match=r"boxes must be finite, got nan at \(0, 0\)"):
        matcher.observe(replace(poses, boxes=np.full_like(poses.boxes, np.nan)))
    with pytest.raises(ValueError, match="hidden must be"):
        TrackMatcher(POSETRACK_15, hidden=0)
