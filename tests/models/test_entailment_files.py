"""Weights of pose entailment networks in files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ptfast.models import PoseEntailment, PoseEntailmentArchitecture, load_pose_entailment, save_pose_entailment
from ptfast.pipeline.weights import load_entailment_weights
from ptfast.skeletons import COCO_17, Skeleton

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
