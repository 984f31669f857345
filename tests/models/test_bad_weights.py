"""Weights and cards that are damaged, lie about their sizes, or belong to something else: one clean error each."""

from __future__ import annotations

import json
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ptfast.models import (
    Architecture,
    CorrespondenceArchitecture,
    CorrespondenceNetwork,
    Hrnet,
    HrnetArchitecture,
    InceptionPose,
    InceptionPoseArchitecture,
    MaskRcnn3d,
    PoseResnet,
    PoseResnetArchitecture,
    load_correspondence_network,
    load_detectron,
    load_hrnet,
    load_pose_network,
    load_pose_resnet,
    load_torchvision,
    load_weights,
    save_weights,
)
from ptfast.pipeline.weights.networks import load_mask_rcnn_weights, load_pose_weights

NOT_UTF8 = os.fsdecode(b"caf\xe9")
CARD = {"skeleton": "posetrack_15", "data": "", "command": "", "seed": 1, "score": {}, "frames": 3, "size": [128, 96]}
NETWORKS: dict[str, tuple[Any, Any, Callable[[Path], Any]]] = {
    "mask-rcnn": (
        MaskRcnn3d,
        Architecture(width=0.125, box_channels=8, keypoint_convs=1, keypoint_channels=8, joints=3),
        load_weights,
    ),
    "hrnet": (Hrnet, HrnetArchitecture(8, 3, "last", 4, 1, (1, 2), 1), load_pose_network),
    "pose-resnet": (PoseResnet, PoseResnetArchitecture(width=0.0625, joints=3), load_pose_network),
    "inception-pose": (InceptionPose, InceptionPoseArchitecture(width=0.0625, joints=3), load_pose_network),
    "correspondences": (
        CorrespondenceNetwork,
        CorrespondenceArchitecture(width=0.0625, refinement_width=0.0625, joints=3),
        load_correspondence_network,
    ),
}


@pytest.fixture(params=NETWORKS)
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Callable[[Path], Any]]:
    """Whole weights with their card, and what reads them."""
    kind, architecture, load = NETWORKS[request.param]
    path = tmp_path / "small.safetensors"
    save_weights(kind(architecture), path, CARD)
    load(path)
    return path, load


def refused(load: Callable[[Path], Any], path: Path, named: Path) -> str:
    """The message of the one error that ends the loading, which takes no time."""
    started = time.perf_counter()
    with pytest.raises(ValueError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(str(named)) and "\n" not in message
    assert time.perf_counter() - started < 5
    return message


@pytest.mark.parametrize("wrong", [10**9, 10**30, -1, 1e300, float("nan"), float("inf"), "x"])
def test_sizes_that_no_network_has_are_named(saved: tuple[Path, Callable[[Path], Any]], wrong: Any) -> None:
    path, load = saved
    place = path.with_suffix(".json")
    whole = json.loads(place.read_text())
    for name in whole["architecture"]:
        place.write_text(json.dumps(whole | {"architecture": whole["architecture"] | {name: wrong}}))
        assert name in refused(load, path, place)


@pytest.mark.parametrize(
    ("network", "name", "wrong"),
    [
        ("mask-rcnn", "anchor_sizes", [float("inf")]),
        ("mask-rcnn", "anchor_ratios", [float("nan")]),
        ("mask-rcnn", "image_mean", [float("nan")] * 3),
        ("mask-rcnn", "image_mean", [[[]]]),
        ("hrnet", "modules", [10**9] * 3),
        ("hrnet", "modules", []),
        ("pose-resnet", "image_mean", [0.1] * 2),
    ],
)
def test_lists_that_no_network_has_are_named(tmp_path: Path, network: str, name: str, wrong: Any) -> None:
    kind, architecture, load = NETWORKS[network]
    path = tmp_path / "small.safetensors"
    save_weights(kind(architecture), path, CARD)
    card = json.loads(path.with_suffix(".json").read_text())
    card["architecture"][name] = wrong
    path.with_suffix(".json").write_text(json.dumps(card))
    assert name in refused(load, path, path.with_suffix(".json"))


def test_many_blocks_in_many_modules_are_named(tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    save_weights(Hrnet(NETWORKS["hrnet"][1]), path, CARD)
    card = json.loads(path.with_suffix(".json").read_text())
    card["architecture"] |= {"modules": [64, 64, 64], "blocks": 64}
    path.with_suffix(".json").write_text(json.dumps(card))
    message = refused(load_pose_network, path, path.with_suffix(".json"))
    assert "modules and blocks must make at most 1024 blocks, got 12288" in message


def test_sizes_that_the_weights_do_not_have_take_no_memory(saved: tuple[Path, Callable[[Path], Any]]) -> None:
    path, load = saved
    card = json.loads(path.with_suffix(".json").read_text())
    name = "width" if "width" in card["architecture"] else "box_channels"
    card["architecture"][name] = 2**16 if isinstance(card["architecture"][name], int) else 64.0
    path.with_suffix(".json").write_text(json.dumps(card))
    assert "expected shape" in refused(load, path, path)


@pytest.mark.parametrize(("name", "wrong"), [("network", [1]), ("network", {}), ("architecture", [])])
def test_entries_of_every_card_are_checked(saved: tuple[Path, Callable[[Path], Any]], name: str, wrong: Any) -> None:
    path, load = saved
    whole = {load_weights: load_mask_rcnn_weights, load_pose_network: load_pose_weights}.get(load, load)
    check_entry(path, whole, name, wrong)


@pytest.mark.parametrize("saved", ["mask-rcnn", "hrnet", "pose-resnet", "inception-pose"], indirect=True)
@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("frames", "x"), ("frames", 0), ("frames", 10**9), ("frames", None), ("skeleton", [1]), ("skeleton", "x"),
        ("settings", 3),
    ],
)  # fmt: skip
def test_entries_of_a_methods_card_are_checked(
    saved: tuple[Path, Callable[[Path], Any]], name: str, wrong: Any
) -> None:
    path, load = saved
    check_entry(path, load_mask_rcnn_weights if load is load_weights else load_pose_weights, name, wrong)


def check_entry(path: Path, whole: Callable[[Path], Any], name: str, wrong: Any) -> None:
    place = path.with_suffix(".json")
    place.write_text(json.dumps(json.loads(place.read_text()) | {name: wrong}))
    assert f": {name}: expected" in refused(whole, path, place)


@pytest.mark.parametrize("size", [[0, 96], [10**9, 96], [96], "x", [1.5, 2]])
def test_the_size_of_crops_is_checked(tmp_path: Path, size: Any) -> None:
    path = tmp_path / "small.safetensors"
    save_weights(PoseResnet(NETWORKS["pose-resnet"][1]), path, CARD)
    card = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(card | {"size": size}))
    assert ": size" in refused(load_pose_network, path, path.with_suffix(".json"))


@pytest.mark.parametrize(
    "text",
    [
        b"", b"[]", b"3", b"null", b"\xff", b"[" * 100_000, b'{"a":' * 100_000,
        b'{"architecture":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
    ids=range(8),
)  # fmt: skip
def test_a_card_that_is_no_card_is_named(saved: tuple[Path, Callable[[Path], Any]], text: bytes) -> None:
    path, load = saved
    path.with_suffix(".json").write_bytes(text)
    refused(load, path, path.with_suffix(".json"))


HEADERS = {
    "a dtype that torch lacks": {"dtype": "F8_E8M0"},
    "no dtype": {"dtype": "x"},
    "complex": {"dtype": "C64"},
    "a billion numbers": {"shape": [10**12]},
    "a size that wraps around": {"shape": [2**63, 2]},
    "a negative size": {"shape": [-1]},
    "bytes beyond the file": {"data_offsets": [0, 2**62]},
    "bytes that run backwards": {"data_offsets": [4, 0]},
    "no bytes": {"data_offsets": None},
}


@pytest.mark.parametrize("lie", HEADERS)
def test_headers_of_safetensors_that_lie_are_named(saved: tuple[Path, Callable[[Path], Any]], lie: str) -> None:
    path, load = saved
    content = path.read_bytes()
    end = 8 + struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:end])
    next(entry for name, entry in header.items() if name != "__metadata__").update(HEADERS[lie])
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[end:])
    refused(load, path, path)


@pytest.mark.parametrize(
    "content",
    [b"", b"short", struct.pack("<Q", 2**63) + b"x", struct.pack("<Q", 10**8) + b"{}", struct.pack("<Q", 4) + b"null"]
    + [struct.pack("<Q", len(text)) + text for text in (b"{}", b"[" * 100_000, b'{"a":' * 50_000)],
    ids=range(8),
)
def test_what_is_no_safetensors_is_named(saved: tuple[Path, Callable[[Path], Any]], content: bytes) -> None:
    path, load = saved
    path.write_bytes(content)
    refused(load, path, path)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda tensor: tensor.int(), "expected floating point numbers, found torch.int32"),
        (lambda tensor: tensor.bool(), "expected floating point numbers, found torch.bool"),
        (lambda tensor: tensor.to(torch.complex64), "expected floating point numbers, found torch.complex64"),
        (lambda tensor: tensor * float("nan"), "expected finite numbers, found others"),
    ],
)
def test_tensors_of_another_kind_are_named(
    saved: tuple[Path, Callable[[Path], Any]], change: Callable[[Tensor], Tensor], expected: str
) -> None:
    path, load = saved
    weights = load_file(path)
    name = next(name for name in weights if weights[name].is_floating_point())
    save_file(weights | {name: change(weights[name])}, path)
    assert refused(load, path, path) == f"{path}: {name}: {expected}"


def test_weights_have_names_of_any_bytes(saved: tuple[Path, Callable[[Path], Any]]) -> None:
    path, load = saved
    for suffix in (".safetensors", ".json"):
        path.with_suffix(suffix).rename(path.with_name(NOT_UTF8 + suffix))
    load(path.with_name(f"{NOT_UTF8}.safetensors"))


PUBLISHED = {
    "hrnet.pth": (load_hrnet, "conv1.weight", (64, 3, 3, 3)),
    "resnet.pth": (load_pose_resnet, "conv1.weight", (64, 3, 7, 7)),
    "detector.pth": (load_mask_rcnn_weights, "roi_heads.keypoint_predictor.kps_score_lowres.weight", (8, 17, 4, 4)),
}
CONTENTS: dict[str, Callable[[str, Tensor], Any]] = {
    "a list": lambda name, tensor: [tensor],
    "a tensor": lambda name, tensor: tensor,
    "nothing": lambda name, tensor: None,
    "no tensors": lambda name, tensor: {},
    "another tree": lambda name, tensor: {"model": {name: tensor}},
    "no tree": lambda name, tensor: {"state_dict": None},
    "a tree in a tree": lambda name, tensor: {"state_dict": {"state_dict": {name: tensor}}},
    "numbers as names": lambda name, tensor: {3: tensor},
    "a number as tensor": lambda name, tensor: {name: 3},
    "one tensor": lambda name, tensor: {name: tensor},
    "a tensor of no dimension": lambda name, tensor: {name: torch.tensor(1.0)},
    "a tensor of no numbers": lambda name, tensor: {name: tensor[:0], "final_layer.weight": torch.zeros(0, 0, 1, 1)},
    "sparse": lambda name, tensor: {name: tensor.to_sparse()},
    "complex": lambda name, tensor: {name: tensor.to(torch.complex64)},
    "quantised": lambda name, tensor: {name: torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8)},
    "a number repeated": lambda name, tensor: {name: tensor[:1, :1, :1, :1].expand(10**8, *tensor.shape[1:])},
    "a wide layer": lambda name, tensor: {
        name: torch.zeros(10**5, *tensor.shape[1:], dtype=torch.uint8),
        "final_layer.weight": torch.zeros(17, 10**5, 1, 1),
    },
}


@pytest.mark.filterwarnings("ignore")  # torch's, of sparse and quantised tensors
@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("file", PUBLISHED)
def test_checkpoints_of_other_kinds_are_named(tmp_path: Path, file: str, content: str) -> None:
    load, name, shape = PUBLISHED[file]
    torch.save(CONTENTS[content](name, torch.zeros(shape)), tmp_path / file)
    refused(load, tmp_path / file, tmp_path / file)


@pytest.mark.parametrize("file", PUBLISHED)
def test_checkpoints_that_are_cut_are_named(tmp_path: Path, file: str) -> None:
    path = tmp_path / file
    torch.save({"conv1.weight": torch.zeros(9)}, path)
    whole = path.read_bytes()
    for content in (b"", b"x", whole[:100], whole[:-30], whole[: len(whole) // 2], b"PK\5\6" + bytes(18), bytes(1000)):
        path.write_bytes(content)
        refused(PUBLISHED[file][0], path, path)


def test_one_tensor_under_two_names_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="weights: expected one tensor of each name, found some with and without"):
        load_hrnet({"conv1.weight": torch.zeros(1), "module.conv1.weight": torch.zeros(1)})


def test_given_tensors_are_checked_too() -> None:
    with pytest.raises(ValueError, match="state_dict: a: expected a tensor of real numbers, found one of layout"):
        load_torchvision({"a": torch.eye(3).to_sparse()})
    with pytest.raises(ValueError, match="blobs: a must be an array of real numbers, got complex128"):
        load_detectron({"a": np.zeros(3, complex)})
    with pytest.raises(ValueError, match="blobs: a must be an array of real numbers, got object"):
        load_detectron({"a": np.array([None])})
