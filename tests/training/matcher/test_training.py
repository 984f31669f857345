"""Training of the matcher: its pairs, the ids of detections, and that it learns."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from ptfast.methods.detect_and_track.matching import load_matcher
from ptfast.skeletons import POSETRACK_15, POSETRACK_17
from ptfast.structures import Poses
from ptfast.synthetic import detections, scene
from ptfast.training.checkpoints import read_checkpoint
from ptfast.training.data.tracks import identified, synthetic_tracks
from ptfast.training.loop import train
from ptfast.training.matcher import MatcherConfig, matcher_figures, matcher_task, save_matcher, train_matcher
from ptfast.training.matcher.pairs import pairs_of
from ptfast.training.matcher.windows import Window, Windows

QUICK = MatcherConfig(steps=100, batch=2, frames=16, learning_rate=1e-2, hidden=16)


def tracks_of(ids: list[list[int]]) -> Poses:
    """Poses with these ids, frame by frame."""
    flat = np.concatenate([np.array(frame, np.int64) for frame in ids])
    keypoints = np.random.default_rng(0).uniform(0, 99, (len(flat), 15, 2))
    offsets = np.concatenate([[0], np.cumsum([len(frame) for frame in ids])])
    size = np.tile([100, 100], (len(ids), 1))
    return Poses(keypoints, offsets, POSETRACK_15, track_ids=flat, frame_size=size)


def test_pairs_have_every_detection_of_the_frames_up_to_the_next_own_one() -> None:
    poses = tracks_of([[0], [1, 0], [], [-1, 0]])  # rows 0; 1, 2; none; 3, 4
    pairs = pairs_of(poses)
    assert pairs.sequences[0].tolist() == [0, 2, 4]
    assert pairs.steps[0].tolist()[1:] == [1, 2]
    rows = pairs.sequences.flatten()[pairs.state]
    got = sorted(zip(*(column.tolist() for column in (rows, pairs.candidate, pairs.ahead, pairs.labels)), strict=True))
    assert got == [
        (0, 1, 1, 0), (0, 2, 1, 1),  # after row 0: the next frame
        (1, 3, 2, 0), (1, 4, 2, 0),  # person 1 does not come again
        (2, 3, 2, 0), (2, 4, 2, 1),  # two frames later
    ]  # fmt: skip


def test_a_long_gap_ends_a_track() -> None:
    pairs = pairs_of(tracks_of([[0], [0], [], [], [], [], [0]]))
    assert pairs.sequences.tolist() == [[0, 1], [2, 0]]
    assert pairs.labels.tolist() == [1]
    assert pairs_of(tracks_of([[0], [0], [], [], [], [0]])).labels.tolist() == [1, 1]


def test_nobody_gives_no_pairs() -> None:
    assert len(pairs_of(tracks_of([[-1], []])).labels) == 0


def test_detections_take_the_ids_of_the_people_that_they_are_of() -> None:
    truth = scene(9, frames=20, people=4)
    exact = detections(truth, 9, jitter=0, miss=0, joint_drop=0, false_positives=0)
    given = identified(exact, truth)
    for f in range(len(truth)):
        own, people = given.frame(f), truth.frame(f)
        for person in range(len(people.scores)):
            row = np.flatnonzero(own.track_ids == people.track_ids[person])
            assert len(row) == 1
            seen = people.joint_visibility[person] > 0
            np.testing.assert_array_equal(own.keypoints[row[0], seen], people.keypoints[person, seen])
    away = replace(exact, keypoints=exact.keypoints + 1000)
    assert (identified(away, truth).track_ids == -1).all()


@pytest.fixture(scope="module")
def tracks() -> list[Poses]:
    return synthetic_tracks(6, frames=24)


def test_training_is_the_same_each_time_and_leaves_the_generator_alone(tracks: list[Poses]) -> None:
    before, brief = torch.random.get_rng_state(), replace(QUICK, steps=5)
    first, second = train_matcher(tracks, brief), train_matcher({str(i): p for i, p in enumerate(tracks)}, brief)
    assert torch.equal(torch.random.get_rng_state(), before)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name
    untrained = [train_matcher(tracks, replace(QUICK, steps=0, seed=seed)).head[0].weight for seed in (0, 1)]
    assert not torch.equal(*untrained)


class Interrupted(Dataset):
    """Windows, and Ctrl-C with the one of a number."""

    def __init__(self, windows: Windows, number: int) -> None:
        self.windows, self.number = windows, number

    def __getitem__(self, index: int) -> Window:
        if index == self.number:
            os.kill(os.getpid(), signal.SIGINT)
        return self.windows[index]


def test_going_on_after_ctrl_c_is_exact_to_the_bit(tracks: list[Poses], tmp_path: Path) -> None:
    config = replace(QUICK, steps=4)
    task, windows = matcher_task(config, POSETRACK_15), Windows(tracks, config)
    with pytest.raises(KeyboardInterrupt, match="a checkpoint after 2 of 4 steps"):
        train(task, Interrupted(windows, 2), tmp_path, workers=0)  # in the second step
    assert read_checkpoint(tmp_path / "checkpoint.pt")["step"] == 2
    torch.manual_seed(99)  # must not matter
    matcher, done = train(task, windows, tmp_path, workers=0)
    whole = train_matcher(tracks, config).state_dict()
    assert done == 4 and all(torch.equal(value, whole[name]) for name, value in matcher.state_dict().items())


def test_a_matcher_learns_in_a_few_steps(tracks: list[Poses]) -> None:
    matcher = train_matcher(tracks, QUICK)
    figures = matcher_figures(matcher, synthetic_tracks(4, 8_000_000, frames=24))
    assert figures["no"] < 90
    assert figures["right"] > 96


def test_appearance_features_are_learnt_from(tracks: list[Poses]) -> None:
    """All people at one place in one pose: only their looks tell them apart."""
    same = [replace(poses, keypoints=0 * poses.keypoints, boxes=0 * poses.boxes) for poses in tracks]
    looks = [np.eye(16, dtype=np.float32)[poses.track_ids % 16] for poses in tracks]
    matcher = train_matcher(same, QUICK, features=looks)
    observed = matcher.observe(same[0], looks[0])
    states = matcher.advance(matcher.start(), observed[torch.arange(2)], torch.full((2,), -1), torch.ones(2))
    with torch.no_grad():
        logits = matcher.logits(states, observed[torch.arange(len(observed))], torch.ones(2))
    own = torch.from_numpy(same[0].track_ids[:2, None] == same[0].track_ids)
    known = torch.from_numpy(same[0].track_ids >= 0)
    assert logits[own & known].mean() > logits[~own & known].mean() + 2


def test_saved_weights_are_those_that_are_read(tracks: list[Poses], tmp_path: Path) -> None:
    matcher = train_matcher(tracks, replace(QUICK, steps=1))
    save_matcher(matcher, tmp_path / "mine.safetensors", {"seed": 0})
    again = load_matcher(tmp_path / "mine.safetensors")
    assert again.skeleton == POSETRACK_15
    for name, value in matcher.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])


def test_wrong_tracks_are_errors(tracks: list[Poses]) -> None:
    with pytest.raises(ValueError, match="tracks must hold a pose with a track id, got none"):
        train_matcher([tracks_of([[-1], [-1]])], QUICK)
    with pytest.raises(ValueError, match=r"tracks must share one skeleton, got \['posetrack_15', 'posetrack_17'\]"):
        train_matcher([tracks[0], tracks[1].to_skeleton(POSETRACK_17)], QUICK)
