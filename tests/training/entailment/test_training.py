"""Training of pose entailment: that it learns, is the same each time, and goes on to the bit."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from ptfast.models import PoseEntailmentArchitecture
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses
from ptfast.training.checkpoints import read_checkpoint
from ptfast.training.data.tracks import synthetic_tracks
from ptfast.training.entailment import (
    EntailmentConfig,
    PairAugmentation,
    entailment_figures,
    entailment_task,
    train_pose_entailment,
)
from ptfast.training.entailment.examples import LabelledPairs, PairExamples
from ptfast.training.entailment.recipe import validation_examples
from ptfast.training.entailment.table import PoseTable
from ptfast.training.loop import train

SMALL = replace(PoseEntailmentArchitecture.best(), hidden=16, intermediate=16, layers=1, dropout=0.1)
QUICK = EntailmentConfig(
    steps=150, pairs=32, learning_rate=1e-2, warm_up=10, mixed_precision=False, validation_pairs=512,
    augmentation=PairAugmentation(strides=(1,), jitter=0.01, cut=0), architecture=SMALL,
)  # fmt: skip


@pytest.fixture(scope="module")
def tracks() -> list[Poses]:
    return synthetic_tracks(6, frames=24)


def test_training_is_the_same_each_time_and_leaves_the_generator_alone(tracks: list[Poses]) -> None:
    before, brief = torch.random.get_rng_state(), replace(QUICK, steps=3)
    first = train_pose_entailment(tracks, brief)
    second = train_pose_entailment({str(i): poses for i, poses in enumerate(tracks)}, brief)
    assert torch.equal(torch.random.get_rng_state(), before) and not first.training
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


class Interrupted(Dataset):
    """Examples, and Ctrl-C with the one of a number."""

    def __init__(self, examples: PairExamples, number: int) -> None:
        self.examples, self.number = examples, number

    def __getitem__(self, index: int) -> LabelledPairs:
        if index == self.number:
            os.kill(os.getpid(), signal.SIGINT)
        return self.examples[index]


def test_going_on_after_ctrl_c_is_exact_to_the_bit(tracks: list[Poses], tmp_path: Path) -> None:
    """Also where a step takes several examples."""
    config = replace(QUICK, steps=4, batch=2, pairs=16)
    table = PoseTable.of(tracks)
    task, examples = entailment_task(config, table.skeleton), PairExamples(table, config)
    with pytest.raises(KeyboardInterrupt, match="a checkpoint after 2 of 4 steps"):
        train(task, Interrupted(examples, 2), tmp_path, workers=0)  # in the second step
    assert read_checkpoint(tmp_path / "checkpoint.pt")["step"] == 2
    torch.manual_seed(99)  # must not matter
    network, done = train(task, examples, tmp_path, workers=0)
    whole = train_pose_entailment(tracks, config).state_dict()
    assert done == 4 and all(torch.equal(value, whole[name]) for name, value in network.state_dict().items())


def test_a_network_learns_in_a_few_steps(tracks: list[Poses]) -> None:
    examples = validation_examples(synthetic_tracks(4, 8_000_000, frames=24), QUICK)
    assert sum(len(example.labels) for example in examples) == 512
    untrained, trained = (
        entailment_figures(train_pose_entailment(tracks, replace(QUICK, steps=steps, warm_up=0)), examples)
        for steps in (0, QUICK.steps)
    )
    assert untrained["entropy"] == pytest.approx(np.log(2), abs=0.1)
    assert trained["entropy"] < 0.4 and trained["right"] > 84


def test_cells_of_the_image_are_learnt_too(tracks: list[Poses]) -> None:
    """They learn slowly, so that the pairs are those of one video that training has seen."""
    grid = PoseEntailmentArchitecture(hidden=32, intermediate=32, layers=1, dropout=0.0)
    plain = PairAugmentation(strides=(1,), jitter=0, lost=0, cut=0, scale=1, mirror=0, camera=0)
    config = replace(QUICK, architecture=grid, augmentation=plain, steps=200, pairs=64)
    figures = entailment_figures(train_pose_entailment(tracks[:1], config), validation_examples(tracks[:1], config))
    assert figures["entropy"] < 0.5 and figures["right"] > 75, figures


def test_animals_of_any_joints_are_learnt(tracks: list[Poses]) -> None:
    """A skeleton of four joints, without image sizes; validation pairs are classified as they are scored."""
    cow = Skeleton("cow", ("nose", "neck", "tail", "hoof"))
    herd = [Poses(poses.keypoints[:, :4] + 1, poses.frame_offsets, cow, track_ids=poses.track_ids) for poses in tracks]
    network = train_pose_entailment(herd, replace(QUICK, steps=60))
    assert network.skeleton == cow
    poses = herd[0]
    rows = np.flatnonzero(poses.track_ids == poses.track_ids[0])
    pairs = np.stack([rows[:-1], rows[1:]], 1)
    assert network.match_scores(poses, poses, pairs, np.ones(len(pairs), int)).mean() > 0.7


def test_figures_are_shares_of_the_pairs(tracks: list[Poses]) -> None:
    network = train_pose_entailment(tracks, replace(QUICK, steps=0))
    with torch.no_grad():
        network.classifier.weight.zero_()
        network.classifier.bias.copy_(torch.tensor([0.0, np.log(3)]))  # always one person, at 3 to 1
    figures = entailment_figures(network, validation_examples(tracks, QUICK))
    entropy = round(float(-(np.log(0.75) + np.log(0.25)) / 2), 4)
    assert figures == {"right": 50.0, "matched": 100.0, "parted": 0.0, "entropy": pytest.approx(entropy, abs=2e-4)}
