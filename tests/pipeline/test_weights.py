"""Weights by name and by suffix."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from ptfast.methods import DetectAndTrack
from ptfast.models import Architecture, MaskRcnn3d, save_weights
from ptfast.pipeline.weights import load_mask_rcnn_weights
from ptfast.skeletons import POSETRACK_17


def small(joints: int = 17) -> MaskRcnn3d:
    return MaskRcnn3d(
        Architecture(
            width=0.125, temporal_kernel=1, normalisation="group", box_channels=8, keypoint_convs=1,
            keypoint_channels=8, joints=joints,
        )
    )  # fmt: skip


def card(**entries: object) -> dict[str, object]:
    common = {"skeleton": "posetrack_17", "data": "", "command": "", "seed": 0, "score": {}, "frames": 1}
    return common | entries


def test_settings_come_from_the_card_and_give_way(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    save_weights(small(), path, card(settings={"min_score": 0.7, "limits": {"max_detections": 5}, "decode": "quarter"}))
    method = DetectAndTrack.load(path, min_score=0.8)
    assert method.skeleton == POSETRACK_17
    assert (method.config.frames, method.config.min_score, method.config.decode) == (1, 0.8, "quarter")
    assert method.config.limits.max_detections == 5 and method.config.limits.overlap == 0.5


def test_an_unknown_skeleton_is_named(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    save_weights(small(), path, card(skeleton="horse"))
    with pytest.raises(ValueError, match=r"own.json: skeleton: expected one of .*, found 'horse'"):
        load_mask_rcnn_weights(path)


@pytest.mark.parametrize("name", ["notes.txt", "weights"])
def test_other_files_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("hello")
    with pytest.raises(ValueError, match=r"expected a file of weights of a Mask R-CNN .*, found neither"):
        load_mask_rcnn_weights(tmp_path / name)


def test_foreign_files_that_are_something_else_are_named(tmp_path: Path) -> None:
    (tmp_path / "broken.pth").write_bytes(b"no archive")
    with pytest.raises(
        ValueError, match=r"broken.pth: expected a file of weights of .*, found neither safetensors nor a checkpoint"
    ):
        load_mask_rcnn_weights(tmp_path / "broken.pth")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(
        ValueError, match=r"other.pth: expected torchvision's keypoint R-CNN, found tensors such as weight"
    ):
        load_mask_rcnn_weights(tmp_path / "other.pth")
    with (tmp_path / "other.pkl").open("wb") as file:
        pickle.dump({"blobs": {"conv1_w": np.zeros((8, 3, 7, 7), np.float32)}}, file)
    with pytest.raises(ValueError):
        load_mask_rcnn_weights(tmp_path / "other.pkl")
