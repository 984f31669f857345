"""Weights of pose entailment networks in files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ptfast.models import PoseEntailment, PoseEntailmentArchitecture, load_pose_entailment, save_pose_entailment
from ptfast.pipeline.weights import load_entailment_weights
from ptfast.skeletons import COCO_17, POSETRACK_15, Skeleton
from ptfast.synthetic import scene

SMALL = replace(PoseEntailmentArchitecture.best(), hidden=8, layers=1)
COW = Skeleton("cow", ("nose", "left_ear", "right_ear", "tail"), ((0, 1), (0, 2)), ((1, 2),), (0.1,) * 4)


@pytest.mark.parametrize("skeleton", [COCO_17, COW])
def test_what_is_saved_is_what_is_loaded(tmp_path: Path, skeleton: Skeleton) -> None:
    model, path = PoseEntailment(SMALL, skeleton), tmp_path / "mine.safetensors"
    save_pose_entailment(model, path, {"seed": 3})
    again, card = load_pose_entailment(path)
    assert again.skeleton == skeleton and again.architecture == SMALL and card["seed"] == 3 and not again.training
    assert (card["skeleton"] == "coco_17") is (skeleton is COCO_17)
    for name, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
    assert load_entailment_weights(path).skeleton == skeleton


def test_damaged_cards_and_other_weights_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_pose_entailment(PoseEntailment(SMALL), path, {})
    card = json.loads(path.with_suffix(".json").read_text())
    cases = [
        ({"network": "hrnet"}, "network: expected 'pose-entailment', found 'hrnet'"),
        ({"skeleton": "cow"}, "skeleton: expected one of .*, found 'cow'"),
        ({"skeleton": {"name": "cow"}}, "skeleton: expected the key 'joints'"),
        ({"architecture": {"width": 3}}, "architecture: expected entries of PoseEntailmentArchitecture, found 'width'"),
        ({"architecture": {"hidden": 16, "layers": 1}}, r"mine.safetensors: embedding.*expected"),
        ({"architecture": {"hidden": 6}}, "hidden must be a multiple of the 4 heads"),
    ]
    for entries, message in cases:
        path.with_suffix(".json").write_text(json.dumps(card | entries))
        with pytest.raises(ValueError, match=message):
            load_pose_entailment(path)
    path.with_suffix(".json").unlink()
    with pytest.raises(FileNotFoundError, match=r"mine\.json: expected the card"):
        load_pose_entailment(path)
    with pytest.raises(FileNotFoundError, match="nowhere: expected a file of weights of a pose entailment network"):
        load_entailment_weights("nowhere")


def test_the_network_that_comes_along_tells_people_apart() -> None:
    """On scenes that are for validation: each person's next pose has the highest score among those of its frame."""
    network, right = load_entailment_weights(), []
    assert network.architecture == PoseEntailmentArchitecture.best() and network.skeleton == POSETRACK_15
    for seed in range(8_000_500, 8_000_504):
        poses = scene(seed, frames=12, people=6)
        frames = np.repeat(np.arange(len(poses)), np.diff(poses.frame_offsets))
        pairs = np.argwhere(frames[None] - frames[:, None] == 1)
        scores = np.full((len(frames), len(frames)), -1.0)
        scores[tuple(pairs.T)] = network.match_scores(poses, poses, pairs, np.ones(len(pairs), np.int64))
        rows = np.flatnonzero((scores.max(0) >= 0) & np.isin(poses.track_ids, poses.track_ids[frames == 0]))
        right.append(poses.track_ids[scores.argmax(0)[rows]] == poses.track_ids[rows])
    assert np.concatenate(right).mean() > 0.97
