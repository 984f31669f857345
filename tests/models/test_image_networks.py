"""Weights of published networks over single images: those that come along, and files that are damaged or others'."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ptfast.models import (
    MoveNet,
    MoveNetArchitecture,
    NanoDet,
    NanoDetArchitecture,
    load_movenet,
    load_nanodet,
    load_pose_network,
    load_weights,
)
from ptfast.pipeline.weights import MOVENET_NAMES, NANODET_NAMES, load_movenet_weights, load_nanodet_weights, path_of
from ptfast.skeletons import COCO_17

Load = Callable[[Path], Any]
NETWORKS: dict[str, tuple[Any, Any, Load]] = {
    "movenet": (MoveNet, MoveNetArchitecture(width=0.125), load_movenet),
    "nanodet": (NanoDet, NanoDetArchitecture(classes=2, channels=4), load_nanodet),
}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(params=NETWORKS)
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Load]:
    """Whole weights with their card, and what reads them."""
    kind, architecture, load = NETWORKS[request.param]
    path = tmp_path / "small.safetensors"
    save_file({name: value.half().contiguous() for name, value in kind(architecture).state_dict().items()}, path)
    card = {
        "network": request.param,
        "architecture": asdict(architecture),
        "skeleton": "coco_17",
        "sha256": digest(path),
    }
    path.with_suffix(".json").write_text(json.dumps(card | {"source": "", "licence": "", "intended_use": ""}))
    return path, load


def change_card(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    card = json.loads(path.with_suffix(".json").read_text())
    change(card)
    path.with_suffix(".json").write_text(json.dumps(card))


def refused(load: Load, path: Path, named: Path) -> str:
    with pytest.raises(ValueError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(str(named)) and "\n" not in message
    return message


def test_weights_load_as_float32_in_eval_mode(saved: tuple[Path, Load]) -> None:
    path, load = saved
    net, card = load(path)
    expected = load_file(path)
    assert not net.training and card["sha256"] == digest(path) and net.state_dict().keys() == expected.keys()
    for name, value in net.state_dict().items():
        assert value.dtype == torch.float32 and torch.equal(value, expected[name].float())
    assert net.stem.weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", ["architecture", "source", "licence", "intended_use", "sha256"])
def test_a_card_lacks_no_entry(saved: tuple[Path, Load], name: str) -> None:
    path, load = saved
    change_card(path, lambda card: card.pop(name))
    assert f"expected the key '{name}'" in refused(load, path, path.with_suffix(".json"))


def test_a_card_without_joints_needs_no_skeleton(saved: tuple[Path, Load]) -> None:
    path, load = saved
    change_card(path, lambda card: card.pop("skeleton"))
    if load is load_nanodet:
        load(path)
    else:
        assert "expected the key 'skeleton'" in refused(load, path, path.with_suffix(".json"))


def test_a_card_of_another_network_is_named(saved: tuple[Path, Load]) -> None:
    path, load = saved
    own, other = ("movenet", "nanodet") if load is load_movenet else ("nanodet", "movenet")
    message = refused(NETWORKS[other][2], path, path.with_suffix(".json"))
    assert message.endswith(f": network: expected '{other}', found '{own}'")


@pytest.mark.parametrize("load", [load_weights, load_pose_network, load_nanodet])
def test_loaders_of_other_networks_name_what_they_expect(load: Load) -> None:
    path = path_of("movenet-thunder")
    assert refused(load, path, path.with_suffix(".json")).endswith("found 'movenet'")


def test_weights_of_another_hash_are_named(saved: tuple[Path, Load]) -> None:
    path, load = saved
    weights = load_file(path)
    weights["stem.bias"] += 1  # still a network's
    save_file(weights, path)
    assert f"sha256: expected that of the weights, {digest(path)}, found " in refused(
        load, path, path.with_suffix(".json")
    )


@pytest.mark.parametrize("wrong", [10**9, 10**30, -1, 1e300, float("nan"), float("inf"), "x"])
def test_sizes_that_no_network_has_are_named(saved: tuple[Path, Load], wrong: Any) -> None:
    path, load = saved
    whole = json.loads(path.with_suffix(".json").read_text())["architecture"]
    for name in whole:
        change_card(path, lambda card, name=name: card.update(architecture=whole | {name: wrong}))
        assert name in refused(load, path, path.with_suffix(".json"))


def test_sizes_that_the_weights_do_not_have_are_named(saved: tuple[Path, Load]) -> None:
    path, load = saved
    size = {"width": 1.0} if load is load_movenet else {"channels": 8}
    change_card(path, lambda card: card["architecture"].update(size))
    assert "expected shape" in refused(load, path, path)


def test_a_file_that_is_cut_is_named(saved: tuple[Path, Load]) -> None:
    path, load = saved
    path.write_bytes(path.read_bytes()[:1000])
    assert "expected safetensors" in refused(load, path, path)


def test_missing_files_are_named(saved: tuple[Path, Load]) -> None:
    path, load = saved
    path.with_suffix(".json").unlink()
    with pytest.raises(FileNotFoundError, match=r"small\.json: expected the card of the weights, found no such file"):
        load(path)
    with pytest.raises(FileNotFoundError, match="of a MoveNet, or one of: movenet-multipose"):
        load_movenet_weights("none")
    with pytest.raises(FileNotFoundError, match="none: expected a file of weights of a NanoDet, or one of: nanodet-g"):
        load_nanodet_weights("none")


def test_a_skeleton_has_the_networks_joints(tmp_path: Path, saved: tuple[Path, Load]) -> None:
    path, load = saved
    if load is load_movenet:
        change_card(path, lambda card: card.update(skeleton="posetrack_15"))
        expected = "skeleton: expected a skeleton of 17 joints, found 'posetrack_15'"
        assert expected in refused(load_movenet_weights, path, path.with_suffix(".json"))
        change_card(path, lambda card: card.update(skeleton="horse"))
        assert "found 'horse'" in refused(load_movenet_weights, path, path.with_suffix(".json"))


@pytest.mark.parametrize("name", MOVENET_NAMES + NANODET_NAMES)
def test_what_comes_along_says_where_it_is_from(name: str) -> None:
    path = path_of(name)
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["sha256"] == digest(path) and card["licence"] == "Apache-2.0"
    assert card["source"] and "surveillance" in card["intended_use"]
    notice = (Path(__file__).parents[2] / "NOTICE").read_text()
    assert path.name in notice


def test_networks_by_name() -> None:
    multipose, thunder = (load_movenet_weights(name) for name in MOVENET_NAMES)
    assert multipose.model.architecture == MoveNetArchitecture() and multipose.skeleton is COCO_17
    assert thunder.model.architecture == MoveNetArchitecture(width=1.75, boxes=False)
    assert load_nanodet_weights("nanodet-g").architecture == NanoDetArchitecture()
