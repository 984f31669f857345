"""Small networks and a small video for the tests of ptfast track."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ptfast.models import (
    Architecture,
    MaskRcnn3d,
    MoveNet,
    MoveNetArchitecture,
    NanoDet,
    NanoDetArchitecture,
    save_weights,
)
from ptfast.pipeline.images import padded


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A narrow 3D network that finds people everywhere."""
    torch.manual_seed(1)
    model = MaskRcnn3d(
        Architecture(
            width=0.125, normalisation="group", anchor_sizes=(16.0, 32.0), box_channels=8, box_stride=2,
            keypoint_convs=1, keypoint_channels=8,
        )
    )  # fmt: skip
    for layer in (model.box_predictor.bbox_pred, model.box_predictor.cls_score):
        torch.nn.init.normal_(layer.weight, std=0.3)
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    limits = {"proposals_before": 40, "proposals_after": 8, "min_score": 0.0, "max_detections": 4}
    settings = {
        "short_side": 64,
        "min_score": 0.0,
        "min_joint_score": None,
        "batch": 4,
        "precision": "float32",
        "limits": limits,
    }
    card = {"skeleton": "posetrack_15", "data": "", "command": "", "seed": 0, "score": {}, "frames": 3}
    save_weights(model, path, {**card, "settings": settings})
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 23 pictures."""
    folder = tmp_path_factory.mktemp("videos") / "walk"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(23):
        picture = cv2.resize(rng.integers(0, 256, (8, 9, 3), np.uint8), (72, 64))
        cv2.imwrite(str(folder / f"{index:03d}.png"), picture)
    return folder


@pytest.fixture(scope="module")
def movenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a narrow MoveNet that finds people everywhere, with a card."""
    torch.manual_seed(0)
    model = MoveNet(MoveNetArchitecture(width=0.125))
    torch.nn.init.constant_(model.heads["box_scale"].out.bias, 10)
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, path)
    words = {name: "none" for name in ("source", "licence", "intended_use")}
    card = {"network": "movenet", "architecture": asdict(model.architecture), "skeleton": "coco_17", **words}
    card["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".json").write_text(json.dumps(card))
    return path


@pytest.fixture(scope="module")
def nanodet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a narrow NanoDet that finds a few people, with a card."""
    torch.manual_seed(0)
    model = NanoDet(NanoDetArchitecture(channels=4))
    inputs, _ = padded([picture(index) for index in range(5)], 640)
    with torch.no_grad():
        maps = model(torch.from_numpy(inputs).permute(0, 3, 1, 2))
        for out, logits in zip(model.out, maps, strict=True):
            out.bias[0] -= logits[:, 0].quantile(0.999)
    path = tmp_path_factory.mktemp("weights") / "boxes.safetensors"
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, path)
    card = {"architecture": asdict(model.architecture), "network": "nanodet", "source": "", "licence": "",
            "intended_use": "", "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}  # fmt: skip
    path.with_suffix(".json").write_text(json.dumps(card))
    return path


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of five pictures."""
    folder = tmp_path_factory.mktemp("videos") / "stroll"
    folder.mkdir()
    for index in range(5):
        cv2.imwrite(str(folder / f"{index}.png"), picture(index))
    return folder


def picture(index: int) -> np.ndarray:
    """64 x 72 pixels of one colour, and something on it that moves."""
    image = np.full((64, 72, 3), 40 * index, np.uint8)
    image[20:50, 10 + 3 * index : 30 + 3 * index] = 255 - 40 * index
    return image
