"""MoveNet as an ONNX file: its outputs are torch's, for images of any number and size."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ptfast.models import MoveNet, MoveNetArchitecture
from ptfast.pipeline import MultiPose, MultiPoseSettings
from ptfast.pipeline.onnx import OnnxNetwork, export_movenet, load_onnx
from ptfast.pipeline.weights import load_movenet_weights

from .onnx_graphs import write_graph

DATA = Path(os.environ.get("PTFAST_DATA", Path(__file__).parents[3] / "shared" / "data")) / "posetrack"


@cache
def model(boxes: bool = True) -> MoveNet:
    torch.manual_seed(0)
    network = MoveNet(MoveNetArchitecture(width=0.125, boxes=boxes)).eval()
    if boxes:
        torch.nn.init.constant_(network.heads["box_scale"].out.bias, 10)
    return network


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("onnx") / "movenet.onnx"
    export_movenet(model(), written)
    return written


@pytest.mark.parametrize("shape", [(1, 3, 64, 64), (3, 3, 96, 32), (1, 3, 32, 160)])
def test_maps_are_those_of_torch(path: Path, shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
    with torch.inference_mode():
        expected = model()(torch.from_numpy(images))
    found = OnnxNetwork(path)([*images])
    assert {*found[0]} == {*expected}
    for name, maps in expected.items():
        np.testing.assert_allclose(np.stack([each[name] for each in found]), maps, atol=2e-5)


def test_people_on_a_street_are_those_of_torch(tmp_path: Path) -> None:
    frames = sorted(DATA.glob("images/**/470979_bonn*/*.jpg"))
    if not frames:
        pytest.skip(f"{DATA} has no frames of 470979_bonn")
    images = [np.ascontiguousarray(cv2.imread(str(frame))[..., ::-1]) for frame in frames[:2]]
    shipped = load_movenet_weights("movenet-multipose").model
    export_movenet(shipped, tmp_path / "movenet.onnx")
    estimate = load_onnx(tmp_path / "movenet.onnx")
    assert isinstance(estimate, MultiPose)
    exact = MultiPose(shipped, settings=MultiPoseSettings(precision="float32"))
    found, expected = estimate(images), exact(images)
    np.testing.assert_array_equal(found.frame_offsets, expected.frame_offsets)
    assert len(found.scores) >= 8
    np.testing.assert_allclose(found.keypoints, expected.keypoints, atol=1e-2)
    np.testing.assert_allclose(found.joint_scores, expected.joint_scores, atol=1e-5)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)


def test_networks_of_one_person_have_no_boxes(tmp_path: Path) -> None:
    export_movenet(model(boxes=False), tmp_path / "single.onnx")
    network = OnnxNetwork(tmp_path / "single.onnx")
    assert set(network.outputs) == {"center", "kpt_heatmap", "kpt_regress", "kpt_offset"}
    assert network.size == (None, None) and network.batch is None


def test_a_draft_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(OSError, match="disk full"):
        export_movenet(model(), tmp_path / "a.onnx")
    assert os.listdir(tmp_path) == []


def test_movenets_of_a_fixed_size_are_refused(tmp_path: Path) -> None:
    sizes = {"center": 1, "box_scale": 2, "box_offset": 2, "kpt_heatmap": 17, "kpt_regress": 34, "kpt_offset": 34}
    maps = {name: np.zeros((channels, 8, 8)) for name, channels in sizes.items()}
    with pytest.raises(ValueError, match=r"a.onnx: expected an input of a free height and width, found \(32, 32\)"):
        load_onnx(write_graph(tmp_path / "a.onnx", maps))
