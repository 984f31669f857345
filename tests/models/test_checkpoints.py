"""Weights in files: this package's own there and back, and other programs' by name."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ptfast.models import (
    Architecture,
    Hrnet,
    HrnetArchitecture,
    MaskRcnn3d,
    PoseResnet,
    PoseResnetArchitecture,
    load_detectron,
    load_torchvision,
)
from ptfast.models.adapters import read_detectron
from ptfast.models.adapters import torchvision as adapter
from ptfast.models.adapters.filling import change_eps
from ptfast.models.checkpoints import load_pose_network, load_weights, save_weights
from ptfast.models.images import IMAGE_MEAN, IMAGE_STD, normalise_clips
from ptfast.models.layers import FrozenBatchNorm

SMALL = Architecture(width=0.125, box_channels=8, keypoint_convs=1, keypoint_channels=8, joints=3)
CARD = {"skeleton": "posetrack15", "data": "synthetic", "command": "x", "seed": 1, "score": {"mAP": 60}, "frames": 3}


POSE_CARD = {**CARD, "size": [128, 96]}
SMALL_HRNET = HrnetArchitecture(
    8, 3, "last", stem=4, stem_blocks=1, modules=(1, 2), blocks=1, image_mean=(0.1, 0.2, 0.3)
)
SMALL_POSE_RESNET = PoseResnetArchitecture(width=0.0625, joints=3)


def network(architecture: Architecture = SMALL) -> MaskRcnn3d:
    return randomised(MaskRcnn3d, architecture)


def randomised(kind: Any, architecture: Any) -> Any:
    """With random norms, too."""
    torch.manual_seed(0)
    net = kind(architecture)
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if value.ndim == 1:
                value.uniform_(0.5 if name.endswith("var") else -0.5, 1)
    return net


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_there_and_back(tmp_path: Path, dtype: Any) -> None:
    net = network(replace(SMALL, image_mean=(0.1, 0.2, 0.3)))
    save_weights(net, tmp_path / "new" / "small.safetensors", CARD, dtype=dtype)
    assert sorted(os.listdir(tmp_path / "new")) == ["small.json", "small.safetensors"]
    got, card = load_weights(tmp_path / "new" / "small.safetensors")
    assert got.architecture == net.architecture and not got.training
    assert {name: card[name] for name in CARD} == CARD
    expected = net.state_dict()
    assert got.state_dict().keys() == expected.keys()
    for name, value in got.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, expected[name].to(getattr(torch, dtype)).float()), name
    assert got.body.conv1.weight.is_contiguous(memory_format=torch.channels_last_3d)
    save_weights(got, tmp_path / "again.safetensors", card, dtype=dtype)
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "new" / "small.json").read_bytes()


@pytest.mark.parametrize(
    ("kind", "architecture", "name"),
    [
        (Hrnet, SMALL_HRNET, "hrnet"),
        (PoseResnet, SMALL_POSE_RESNET, "pose-resnet"),
        (PoseResnet, replace(SMALL_POSE_RESNET, deconvolutions=2, kernel=3), "pose-resnet"),
    ],
)
def test_pose_networks_there_and_back(tmp_path: Path, kind: Any, architecture: Any, name: str) -> None:
    net, path = randomised(kind, architecture), tmp_path / "pose.safetensors"
    net.bn1.num_batches_tracked.fill_(200_001)  # more than float16 holds
    save_weights(net, path, POSE_CARD)
    got, card = load_pose_network(path)
    assert type(got) is kind and got.architecture == architecture and not got.training
    assert {entry: card[entry] for entry in POSE_CARD} == POSE_CARD and card["network"] == name
    for key, value in got.state_dict().items():
        expected = net.state_dict()[key]
        assert value.dtype == expected.dtype
        assert torch.equal(value, expected.half().float() if value.is_floating_point() else expected), key
    assert got.conv1.weight.is_contiguous(memory_format=torch.channels_last_3d)
    with pytest.raises(ValueError, match=rf"pose\.json: network: expected 'mask-rcnn', found '{name}'"):
        load_weights(path)


def test_an_older_card_is_of_three_transposed_convolutions(tmp_path: Path) -> None:
    path = tmp_path / "pose.safetensors"
    save_weights(PoseResnet(SMALL_POSE_RESNET), path, POSE_CARD)
    card = json.loads(path.with_suffix(".json").read_text())
    del card["architecture"]["deconvolutions"], card["architecture"]["kernel"]
    path.with_suffix(".json").write_text(json.dumps(card))
    assert load_pose_network(path)[0].architecture == SMALL_POSE_RESNET


def test_cards_of_other_networks(tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    save_weights(network(), path, CARD)
    with pytest.raises(
        ValueError,
        match=r"small\.json: network: expected 'hrnet' or 'pose-resnet' or 'inception-pose', found 'mask-rcnn'",
    ):
        load_pose_network(path)
    change_card(lambda card: card.pop("network"))(path)  # as older cards are
    assert load_weights(path)[0].architecture == SMALL
    for size, found in {
        (128,): r"size: expected a list of length 2, found 1",
        (128, 96.0): r"size\[1\]: expected a whole number, found a decimal number",
        (0, 96): r"size\[0\]: expected a whole number >= 1, found something else",
        "128x96": r"size: expected a list, found a string",
    }.items():
        with pytest.raises(ValueError, match=f"card: {found}"):
            save_weights(randomised(Hrnet, SMALL_HRNET), path, {**POSE_CARD, "size": size})
    with pytest.raises(ValueError, match="card: top level: expected the key 'size', found an object without it"):
        save_weights(randomised(Hrnet, SMALL_HRNET), path, CARD)
    save_weights(randomised(Hrnet, SMALL_HRNET), path, POSE_CARD)
    change_card(lambda card: card["architecture"].update(depth=50))(path)
    with pytest.raises(ValueError, match="architecture: expected entries of HrnetArchitecture, found 'depth'"):
        load_pose_network(path)
    change_card(lambda card: card.update(architecture={"where": "last"}))(path)  # the name of no field
    with pytest.raises(ValueError, match="architecture: expected entries of HrnetArchitecture, found 'where'"):
        load_pose_network(path)
    change_card(lambda card: card.pop("size"))(path)
    with pytest.raises(ValueError, match=r"small\.json: top level: expected the key 'size', found an object"):
        load_pose_network(path)


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, net = tmp_path / "small.safetensors", network()
    save_weights(net, path, CARD)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="card: top level: expected the key 'seed', found an object without it"):
        save_weights(net, path, {name: value for name, value in CARD.items() if name != "seed"})
    with pytest.raises(ValueError, match=r"path must end in \.safetensors, got 'small\.pt'"):
        save_weights(net, tmp_path / "small.pt", CARD)
    with torch.no_grad():
        net.box_predictor.cls_score.bias[0] = 1e6
    with pytest.raises(ValueError, match=r"cls_score\.bias must be finite in float16, got 1000000\.0 at most"):
        save_weights(net, path, CARD)
    monkeypatch.setattr("ptfast.models.checkpoints.save", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        save_weights(net, path, CARD, dtype="float32")
    assert path.read_bytes() == before and sorted(os.listdir(tmp_path)) == ["small.json", "small.safetensors"]


def test_a_card_never_stands_beside_other_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, replace_file = tmp_path / "small.safetensors", os.replace
    save_weights(network(), path, CARD)

    def stop_at_the_card(draft: Path, target: Path) -> None:
        if target.suffix == ".json":
            raise OSError("stopped")
        replace_file(draft, target)

    monkeypatch.setattr("os.replace", stop_at_the_card)
    with pytest.raises(OSError, match="stopped"):
        save_weights(network(), path, CARD, dtype="float32")
    assert os.listdir(tmp_path) == ["small.safetensors"]


def change_card(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        card = json.loads(path.with_suffix(".json").read_text())
        change(card)
        path.with_suffix(".json").write_text(json.dumps(card))

    return apply


def change_tensors(change: Callable[[dict[str, Tensor]], object]) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        weights = load_file(path)
        change(weights)
        save_file(weights, path)

    return apply


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda path: path.with_suffix(".json").write_text("{"),
            "{card}: line 1 column 2: expected JSON, found the end of the file",
        ),
        (
            change_card(lambda card: card.pop("frames")),
            "{card}: top level: expected the key 'frames', found an object without it",
        ),
        (
            change_card(lambda card: card["architecture"].update(colour=1)),
            "{card}: architecture: expected entries of Architecture, found 'colour'",
        ),
        (
            change_card(lambda card: card["architecture"].update(depth=34)),
            "{card}: architecture: expected one that can be built, found depth must be 18, 50 or 101, got 34",
        ),
        (
            change_card(lambda card: card["architecture"].update(joints=4)),
            "{file}: keypoint_head.heatmaps.weight: expected shape (8, 4, 4, 4), found shape (8, 3, 4, 4)",
        ),
        (
            change_card(lambda card: card.update(architecture=3)),
            "{card}: architecture: expected an object, found a whole number",
        ),
        (
            change_tensors(lambda weights: weights.pop("box_predictor.cls_score.bias")),
            "{file}: box_predictor.cls_score.bias: expected shape (2,), found no such tensor",
        ),
        (
            change_tensors(lambda weights: weights.update(more=torch.zeros(2))),
            "{file}: more: expected no such tensor, found shape (2,)",
        ),
        (lambda path: path.write_bytes(path.read_bytes()[:1000]), "{file}: expected safetensors, found "),
    ],
)
def test_spoiled_files(tmp_path: Path, spoil: Callable[[Path], object], message: str) -> None:
    path = tmp_path / "small.safetensors"
    save_weights(network(), path, CARD)
    spoil(path)
    with pytest.raises(ValueError) as error:
        load_weights(path)
    assert str(error.value).startswith(message.format(card=path.with_suffix(".json"), file=path))


def test_missing_files(tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    save_weights(network(), path, CARD)
    (tmp_path / "small.json").rename(tmp_path / "kept.json")
    with pytest.raises(FileNotFoundError, match=r"small\.json: expected the card of the weights, found no such file"):
        load_weights(path)
    (tmp_path / "kept.json").rename(tmp_path / "small.json")
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"small\.safetensors"):
        load_weights(path)


def test_loading_draws_no_random_numbers(tmp_path: Path) -> None:
    save_weights(network(), tmp_path / "small.safetensors", CARD)
    before = torch.random.get_rng_state()
    load_weights(tmp_path / "small.safetensors")
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    """The state dict of a torchvision network that is narrower than the public one."""
    options = {"width": 0.125, "pyramid_channels": 8, "box_channels": 8, "keypoint_channels": 8}
    full = adapter.architecture
    monkeypatch.setattr(adapter, "architecture", lambda joints: replace(full(joints), **options))
    weights = {}
    for name, value in network(adapter.architecture(5)).state_dict().items():
        value = value.squeeze(2) if value.ndim == 5 else value
        weights[adapter.torchvision_name(name)] = torch.cat([value + 1, value]) if "bbox_pred" in name else value
    for name in ("weight", "bias"):
        weights[f"rpn.head.bbox_pred.{name}"] = weights[f"rpn.head.bbox_pred.{name}"].chunk(2)[1]
    weights["backbone.body.bn1.num_batches_tracked"] = torch.tensor(3)
    return weights


def test_torchvision_weights_of_any_version(narrow: dict[str, Tensor]) -> None:
    net = load_torchvision(narrow)
    expected = network(net.architecture).state_dict()
    assert net.architecture.joints == 5 and not net.training
    older = {
        name.replace("conv.0.0.", "conv.").replace(".0.weight" if ".fpn." in name else "-", ".weight")
        .replace(".0.bias" if ".fpn." in name else "-", ".bias"): value
        for name, value in narrow.items()
    }  # fmt: skip
    assert {"rpn.head.conv.weight", "backbone.fpn.inner_blocks.3.weight"} <= set(older)
    for found in (net, load_torchvision(older)):
        for name, value in found.state_dict().items():
            assert torch.equal(value, expected[name]), name


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("rpn.head.conv.0.0.bias", None, "state_dict must have rpn.head.conv.0.0.bias, which is missing"),
        (adapter.HEATMAPS, None, f"state_dict must have {adapter.HEATMAPS}, which is missing"),
        ("backbone.body.layer5.weight", torch.zeros(1), "state_dict: backbone.body.layer5.weight is not part of"),
        (
            "roi_heads.box_predictor.bbox_pred.weight",
            torch.zeros(364, 8),
            "state_dict: roi_heads.box_predictor.bbox_pred.weight must fit box_predictor.bbox_pred.weight of shape "
            "(4, 8), got (364, 8)",
        ),
        (
            "backbone.body.conv1.weight",
            torch.zeros(8, 1, 7, 7),
            "state_dict: backbone.body.conv1.weight must fit body.conv1.weight of shape (8, 3, 1, 7, 7), "
            "got (8, 1, 7, 7)",
        ),
    ],
)
def test_torchvision_weights_are_complete(
    narrow: dict[str, Tensor], name: str, value: Tensor | None, message: str
) -> None:
    narrow.pop(name, None)
    if value is not None:
        narrow[name] = value
    with pytest.raises(ValueError) as error:
        load_torchvision(narrow)
    assert str(error.value).startswith(message)


@torch.no_grad()
def test_another_eps_gives_the_same_map() -> None:
    net, peer = network(), network()
    for norm in [module for module in (*net.modules(), *peer.modules()) if isinstance(module, FrozenBatchNorm)]:
        norm.running_var.mul_(1e-5)
    for norm in [module for module in peer.modules() if isinstance(module, FrozenBatchNorm)]:
        norm.eps = 0.0
    change_eps(net, eps=0.0)
    given = torch.randn(1, 8, 1, 4, 4)
    torch.testing.assert_close(net.body.bn1(given), peer.body.bn1(given), rtol=1e-5, atol=1e-4)


def test_normalise_clips_with_another_mean() -> None:
    frames = torch.full((1, 1, 2, 2, 3), 200, dtype=torch.uint8)
    shift = (normalise_clips(frames) - normalise_clips(frames, mean=(0.5, 0.4, 0.3)))[0, :, 0, 0, 0]
    expected = (torch.tensor([0.5, 0.4, 0.3]) - torch.tensor(IMAGE_MEAN)) / torch.tensor(IMAGE_STD)
    torch.testing.assert_close(shift, expected, rtol=1e-5, atol=1e-5)


def test_pickles_of_arrays_only(tmp_path: Path) -> None:
    blobs = {"conv1_w": np.arange(6, dtype=np.float32).reshape(2, 3), "conv1_w_momentum": np.zeros((2, 3), np.float32)}
    for name, content in (("bare", blobs), ("full", {"blobs": blobs, "cfg": "MODEL: {}"})):
        texts = [pickle.dumps(content, protocol=protocol) for protocol in (2, pickle.HIGHEST_PROTOCOL)]
        texts.append(texts[0].replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))  # as NumPy 1 wrote it
        for text in texts:
            (tmp_path / name).write_bytes(text)
            got = read_detectron(tmp_path / name)
            assert got.keys() == blobs.keys() and np.array_equal(got["conv1_w"], blobs["conv1_w"])


class Harmful:
    def __reduce__(self) -> Any:
        return os.system, ("exit 1",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps({"blobs": {"a": Harmful()}}), r"found (posix|nt)\.system, which is not permitted"),
        (pickle.dumps([1, 2]), "expected a dictionary of arrays, found list"),
        (pickle.dumps({"blobs": {"a": 3}}), "a: expected an array of numbers, found int"),
        (b"no pickle", "expected a pickled dictionary of arrays, found "),
    ],
)
def test_other_pickles_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.pkl").write_bytes(content)
    with pytest.raises(ValueError, match=rf"x\.pkl: .*{message}"):
        read_detectron(tmp_path / "x.pkl")


def test_exports() -> None:
    from ptfast import models

    assert models.load_detectron is load_detectron and models.save_weights is save_weights
