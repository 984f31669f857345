"""Other programs' checkpoints: recognised by what they hold, under any name, and read without running any of it."""

from __future__ import annotations

import builtins
import os
import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ptfast.models import (
    CorrespondenceArchitecture,
    CorrespondenceNetwork,
    Hrnet,
    HrnetArchitecture,
    InceptionPose,
    InceptionPoseArchitecture,
    PoseResnet,
    PoseResnetArchitecture,
    load_torchvision,
    save_weights,
)
from ptfast.models.adapters import torchvision
from ptfast.models.images import IMAGE_MEAN, IMAGE_STD, normalise_clips
from ptfast.pipeline.weights import (
    ZOO,
    Published,
    load_mask_rcnn_weights,
    load_movenet_weights,
    load_pose_weights,
    names,
    path_of,
    place_of,
)
from ptfast.skeletons import COCO_17, POSETRACK_15, POSETRACK_17, SKELETONS, Skeleton

Weights = dict[str, Tensor]
HRNET = HrnetArchitecture(width=8, temporal_stages="none", stem=4, stem_blocks=2, modules=(1, 2), blocks=1)
RESNET = PoseResnetArchitecture(width=0.0625)
# The channels of MMPose's networks for PoseTrack (nose, head bottom, head top, two ears, shoulders, elbows, wrists,
# hips, knees, ankles, left before right) in the order of PoseTrack's 15 joints, from right ankle to top of the head.
CHANNELS = [16, 14, 12, 11, 13, 15, 10, 8, 6, 5, 7, 9, 1, 0, 2]


def published_tensors(model: nn.Module) -> Weights:
    """Random weights under the public code's names, whose kernels are 2D."""
    torch.manual_seed(0)
    return {
        name: (torch.rand_like(value) * 0.2 if value.is_floating_point() else value).squeeze(2)
        if value.ndim == 5
        else (torch.rand_like(value) + 0.1 if value.is_floating_point() else value)
        for name, value in model.state_dict().items()
    }


@pytest.fixture(scope="module")
def hrnet() -> Weights:
    return published_tensors(Hrnet(HRNET))


@pytest.fixture(scope="module")
def resnet() -> Weights:
    return published_tensors(PoseResnet(RESNET))


@pytest.fixture
def rcnn(monkeypatch: pytest.MonkeyPatch) -> Weights:
    """A torchvision network that is narrower than the public one."""
    full, options = torchvision.architecture, {"width": 0.125, "pyramid_channels": 8, "box_channels": 8}
    monkeypatch.setattr(
        torchvision, "architecture", lambda joints: replace(full(joints), keypoint_channels=8, **options)
    )
    weights = {}
    for name, value in torchvision.MaskRcnn3d(torchvision.architecture(17)).state_dict().items():
        value = torch.rand_like(value).squeeze(2) if value.ndim == 5 else torch.rand_like(value)
        weights[torchvision.torchvision_name(name)] = torch.cat([value, value]) if "r.bbox_pred" in name else value
    return weights


def of_mmpose(weights: Weights, head: str = "head.") -> Weights:
    """The tensors under MMPose's names."""
    parts = ("final_layer.", "deconv_layers.")
    return {(head if name.startswith(parts) else "backbone.") + name: value for name, value in weights.items()}


def saved(content: object, path: Path, **options: Any) -> Path:
    torch.save(content, path, **options)
    return path


def digits(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:8]


@pytest.mark.parametrize(
    "name", ["w", "w.bin", "w.ckpt", "w.pth.tar", "resnet_384x288.pth", "hrnet.pkl", "fc266e95.pth"]
)
def test_the_name_of_a_file_says_nothing(name: str, hrnet: Weights, resnet: Weights, tmp_path: Path) -> None:
    for weights, kind in ((hrnet, Hrnet), (resnet, PoseResnet)):
        found = load_pose_weights(saved(weights, tmp_path / name))
        assert isinstance(found.model, kind)
        assert (found.size, found.skeleton, found.settings) == ((256, 192), COCO_17, {})


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda weights: weights,
        lambda weights: {f"module.{name}": value for name, value in weights.items()},
        lambda weights: {"model": weights, "optimizer": {}, "epoch": 3},
        lambda weights: {"state_dict": of_mmpose(weights), "meta": {"cfg": "", "CLASSES": None}},
        lambda weights: {"state_dict": of_mmpose(weights, "keypoint_head."), "meta": {"epoch": 210}},
        lambda weights: {"state_dict": {f"module.{name}": value for name, value in of_mmpose(weights).items()}},
        lambda weights: {
            "epoch": 140, "best_state_dict": {}, "state_dict": weights, "model": "pose_hrnet",
            "perf": np.float64(0.744), "lr": np.float32(1e-3), "step": np.int64(7), "better": np.bool_(True),
            "meta": {"sigmas": np.arange(17.0), "names": np.array(["nose"]), "things": np.array([None, {}], object),
                     "table": np.zeros(2, [("a", "i4"), ("b", "f8")])},
        },
    ],
)  # fmt: skip
def test_every_wrapping(wrap: Callable[[Weights], object], old: bool, hrnet: Weights, tmp_path: Path) -> None:
    path = saved(wrap(hrnet), tmp_path / "checkpoint", _use_new_zipfile_serialization=not old)
    state = load_pose_weights(path).model.state_dict()
    assert state.keys() == hrnet.keys()
    for name, value in state.items():
        assert torch.equal(value.reshape(hrnet[name].shape), hrnet[name]), name


def test_what_else_torch_may_read_stays_as_it_is(hrnet: Weights, tmp_path: Path) -> None:
    class Own:
        """Something that the program around permits."""

    before = torch.serialization.get_safe_globals()
    torch.serialization.add_safe_globals([Own])
    try:
        load_pose_weights(saved({"state_dict": hrnet, "perf": np.float64(1)}, tmp_path / "a"))
        assert set(torch.serialization.get_safe_globals()) == {*before, Own}
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(saved({"perf": np.float64(1)}, tmp_path / "b"), weights_only=True)


class Harmful:
    """Calls a function as it is read."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("place", ["beside", "as a tensor", "as a scalar's value"])
@pytest.mark.parametrize("function", [os.system, builtins.eval, np.save, np.load])
def test_nothing_in_a_file_is_run(
    function: Callable[..., object], place: str, hrnet: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    harm: dict[Any, Harmful] = {
        os.system: Harmful(os.system, "touch harm"),
        builtins.eval: Harmful(builtins.eval, "open('harm', 'w')"),
        np.save: Harmful(np.save, "harm", 1),
        np.load: Harmful(np.load, "harm", None, True),
    }
    scalar = Harmful(np.float64(0).__reduce__()[0], np.dtype("f8"), harm[function])
    content = {
        "beside": {"state_dict": hrnet, "perf": harm[function]},
        "as a tensor": {**hrnet, "conv1.weight": harm[function]},
        "as a scalar's value": {"state_dict": hrnet, "perf": scalar},
    }[place]
    with pytest.raises(ValueError, match="model: expected tensors by name, found ") as caught:
        load_pose_weights(saved(content, tmp_path / "model"))
    assert "\n" not in str(caught.value) and "weights_only" not in str(caught.value)
    named = {os.system: f"{os.system.__module__}.system", builtins.eval: r"[\w.]*eval"}
    if place == "beside" and function in named:
        assert re.search(f"found a pickle that asks for {named[function]}$", str(caught.value))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_dtype_that_lies_reaches_no_memory(hrnet: Weights, tmp_path: Path) -> None:
    class Dtype:
        def __reduce__(self) -> Any:
            return np.dtype, ("V8", False, True), (3, "|", None, None, None, 1 << 40, 1, 0)

    scalar = Harmful(np.float64(0).__reduce__()[0], Dtype(), b"12345678")
    load_pose_weights(saved({"state_dict": hrnet, "perf": scalar}, tmp_path / "model"))


def in_zoo(monkeypatch: pytest.MonkeyPatch, name: str, path: Path) -> Published:
    """An entry of the zoo as if its authors had published this file."""
    published = replace(ZOO[name], sha256=digits(path))
    monkeypatch.setitem(ZOO, name, published)
    return published


def test_posetracks_joints(hrnet: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved({"state_dict": of_mmpose(hrnet, "keypoint_head.")}, tmp_path / "anything")
    clips = torch.rand(1, 3, 1, 64, 64)
    with torch.inference_mode():
        expected = load_pose_weights(path).model(clips)[:, CHANNELS]
        asked = load_pose_weights(path, skeleton=POSETRACK_15)
        assert asked.skeleton == POSETRACK_15 and torch.equal(asked.model(clips), expected)
        in_zoo(monkeypatch, "hrnet-w48-posetrack18-384x288", path)  # recognised by its hash from here on
        found = load_pose_weights(path)
        assert (found.skeleton, found.size) == (POSETRACK_15, (384, 288)) and torch.equal(found.model(clips), expected)
        all_of_them = load_pose_weights(path, skeleton=POSETRACK_17, size=(128, 96))
        assert (all_of_them.skeleton, all_of_them.size) == (POSETRACK_17, (128, 96))
        assert torch.equal(all_of_them.model(clips)[:, CHANNELS], expected)


def test_a_name_brings_its_file(hrnet: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTFAST_CACHE", str(tmp_path))
    published = in_zoo(monkeypatch, "hrnet-w32-384x288", saved(of_mmpose(hrnet), tmp_path / "file"))
    place_of(published).parent.mkdir()
    (tmp_path / "file").rename(place_of(published))
    found = load_pose_weights("hrnet-w32-384x288")
    assert found.size == (384, 288) and found.skeleton == COCO_17
    assert path_of("hrnet-w32-384x288") == place_of(published)
    assert path_of(Path("hrnet-w32-384x288")) == Path("hrnet-w32-384x288")  # a Path is a file


@pytest.mark.parametrize("network", ["hrnet", "resnet"])
@pytest.mark.parametrize("names", ["the public code's", "MMPose's"])
def test_the_order_of_colours(network: str, names: str, hrnet: Weights, resnet: Weights, tmp_path: Path) -> None:
    """The public code's PoseResNets see blue, green, red, less ImageNet's mean of red, green, blue in this order."""
    weights = hrnet if network == "hrnet" else resnet
    path = saved(weights if names == "the public code's" else of_mmpose(weights), tmp_path / "w")
    model = load_pose_weights(path).model.double()
    frames = torch.randint(0, 256, (1, 1, 64, 64, 3), dtype=torch.uint8)
    blue_first = network == "resnet" and names == "the public code's"
    theirs = (frames.flip(-1) if blue_first else frames).double() / 255
    theirs = ((theirs - torch.tensor(IMAGE_MEAN)) / torch.tensor(IMAGE_STD)).permute(0, 4, 1, 2, 3)
    plain = load_pose_weights(saved(of_mmpose(weights), tmp_path / "plain")).model.double()
    with torch.inference_mode():
        found = model(normalise_clips(frames, mean=model.architecture.image_mean).double())
        torch.testing.assert_close(found, plain(theirs), rtol=1e-4, atol=1e-4 * float(found.std()))


def test_torchvisions_own_weights_have_an_eps_of_0(
    rcnn: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(rcnn, tmp_path / "keypointrcnn_resnet50_fpn_coco-fc266e95.pth")
    layer = "body.bn1.weight"
    others = load_mask_rcnn_weights(path)
    assert others.skeleton == COCO_17 and others.settings["short_side"] == 800
    assert torch.equal(others.model.state_dict()[layer], load_torchvision(rcnn).state_dict()[layer])
    in_zoo(monkeypatch, "keypointrcnn", path)
    found = load_mask_rcnn_weights(path.rename(tmp_path / "file")).model.state_dict()[layer]
    assert torch.equal(found, load_torchvision(rcnn, eps=0.0).state_dict()[layer])
    assert not torch.equal(found, others.model.state_dict()[layer])


def test_a_training_checkpoint_of_torchvision(rcnn: Weights, tmp_path: Path) -> None:
    path = saved({"model": rcnn, "optimizer": {}, "epoch": 3}, tmp_path / "model_3.pth")
    assert load_mask_rcnn_weights(path, skeleton=POSETRACK_17).skeleton == POSETRACK_17
    with pytest.raises(ValueError, match=r"model_3.pth: expected the 15 joints of posetrack_15, found 17; another"):
        load_mask_rcnn_weights(path, skeleton=POSETRACK_15)


@pytest.mark.parametrize(
    ("tensors", "found"),
    [
        (["roi_heads.keypoint_predictor.kps_score_lowres.weight"], "torchvision's keypoint R-CNN"),
        (["roi_heads.box_predictor.cls_score.weight"], "a detector of torchvision without joints"),
        (["backbone.layer1.0.conv1.weight", "head.mlp.1.weight", "head.cls_x.weight"], "an RTMPose"),
        (["module.conv1.weight", "layer1.0.conv1.weight", "fc.weight"], "a ResNet that names images"),
        (["conv1.weight", "stage2.0.branches.0.0.conv1.weight"], "an HRNet without heatmaps"),
        (["feature_encoder.convnormrelu.0.weight"], "torchvision's RAFT"),
        (["conv1_7x7_s2.weight", "inception_3a_1x1.weight"], "a BN-Inception that names images"),
        (
            ["module.model.conv1_7x7_s2.weight", "module.model.pd1.Conv2dT_2.conv.weight"],
            "CorrTrack's embedding without refinement",
        ),
        (["some", "other", "thing", "more"], "tensors such as some, other, thing"),
        ([], "no tensors"),
    ],
)
def test_another_network_is_named(tensors: list[str], found: str, tmp_path: Path) -> None:
    path = saved({name: torch.zeros(1) for name in tensors}, tmp_path / "w")
    with pytest.raises(ValueError) as caught:
        load_pose_weights(path)
    assert str(caught.value) == f"{path}: expected an HRNet, a PoseResNet or CorrTrack's pose network, found {found}"


@pytest.mark.parametrize("stages", [2, 3])
def test_corrtracks_pose_network_has_its_own_joints_and_crops(stages: int, tmp_path: Path) -> None:
    architecture = InceptionPoseArchitecture(stages, width=0.0625, image_mean=(0.0, 0.0, 0.0))
    weights = InceptionPose(architecture).state_dict()
    path = saved({"state_dict": {f"module.{name}": value for name, value in weights.items()}}, tmp_path / "w")
    found = load_pose_weights(path)
    assert isinstance(found.model, InceptionPose) and found.model.architecture == architecture
    assert (found.size, found.skeleton) == ((384, 288), POSETRACK_17)
    found = load_pose_weights(path, size=(96, 64), skeleton=COCO_17)
    assert (found.size, found.skeleton) == ((96, 64), COCO_17)
    with pytest.raises(ValueError, match="w: expected the 15 joints of posetrack_15, found 17"):
        load_pose_weights(path, skeleton=POSETRACK_15)


@pytest.mark.parametrize("inner", ["model.model.", "model.module.model."])
def test_corrtracks_correspondences_are_no_pose_network(inner: str, tmp_path: Path) -> None:
    network = CorrespondenceNetwork(CorrespondenceArchitecture(0.0625, 0.0625))
    weights = {name.replace("model.model.", inner): value for name, value in network.state_dict().items()}
    with pytest.raises(ValueError, match="pose network, found CorrTrack's correspondence network"):
        load_pose_weights(saved(weights, tmp_path / "w"))


def test_a_pose_network_is_no_detector(hrnet: Weights, tmp_path: Path) -> None:
    path = saved(of_mmpose(hrnet), tmp_path / "w")
    with pytest.raises(ValueError, match=r"w: expected torchvision's keypoint R-CNN, found an HRNet$"):
        load_mask_rcnn_weights(path)


@pytest.mark.parametrize(
    ("load", "name", "message"),
    [
        (
            load_pose_weights,
            "keypointrcnn",
            "expected an HRNet, a PoseResNet or CorrTrack's pose network, got the name of torchvision's keypoint",
        ),
        (
            load_pose_weights,
            "raft-small",
            "expected an HRNet, a PoseResNet or CorrTrack's pose network, got the name of torchvision's RAFT",
        ),
        (
            load_mask_rcnn_weights,
            "hrnet-w32",
            "expected a Mask R-CNN or torchvision's keypoint R-CNN, got the name of an",
        ),
        (load_movenet_weights, "hrnet-w32", "expected a MoveNet, got the name of an HRNet"),
    ],
)
def test_a_name_of_another_network_is_not_fetched(
    load: Callable[[str], object], name: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "fetch", lambda published: pytest.fail("fetched"))
    with pytest.raises(ValueError, match=f"{name}: {message}"):
        load(name)


def test_joints_that_are_not_cocos_must_be_named(tmp_path: Path) -> None:
    path = saved(published_tensors(Hrnet(replace(HRNET, joints=3))), tmp_path / "w")
    with pytest.raises(
        ValueError, match="w: expected the 17 joints of coco_17, found 3; another skeleton may be named"
    ):
        load_pose_weights(path)
    horse = Skeleton("horse", ("ear", "hoof", "tail"))
    assert load_pose_weights(path, skeleton=horse).skeleton == horse


def test_a_card_knows_its_joints_best(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    card = {"skeleton": "coco_17", "data": "", "command": "", "seed": 0, "score": {}, "frames": 1, "size": (64, 64)}
    save_weights(Hrnet(HRNET), path, card)
    assert load_pose_weights(path, skeleton=COCO_17, size=(96, 64)).size == (96, 64)
    with pytest.raises(ValueError, match=r"own.json: skeleton: expected 'posetrack_17', found 'coco_17'"):
        load_pose_weights(path, skeleton=POSETRACK_17)


def test_the_table_is_sound() -> None:
    assert all(name == published.name for name, published in ZOO.items())
    assert len({published.file for published in ZOO.values()}) == len(ZOO)
    assert not ZOO.keys() & set(names.NAMES)
    for published in ZOO.values():
        assert (published.sha256 is None) == (published.address is None), published.name
        assert published.sha256 is None or f"-{published.sha256}" in published.file
        assert published.skeleton is None or published.skeleton in SKELETONS
        assert published.size is None or "x".join(map(str, published.size)) in published.file
        assert ("384x288" in published.name) == (published.size == (384, 288))
        assert ("posetrack" in published.file) == (published.skeleton == "posetrack_15")
        assert published.address is None or published.address.startswith("https://")
