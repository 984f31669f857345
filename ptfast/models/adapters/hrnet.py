"""Published checkpoints of the pose networks, HRNet's and Simple Baselines'."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ptfast.models.adapters.filling import Network, as_clip_kernel, empty_model, fill, shape_of_layer
from ptfast.models.hrnet import Hrnet, HrnetArchitecture
from ptfast.models.pose_resnet import BLOCKS, PoseResnet, PoseResnetArchitecture

Source = str | Path | Mapping[str, Any]


@torch.no_grad()
def load_hrnet(source: Source) -> Hrnet:
    """HRNet with published weights, as the 2D network of this package; `inflate` takes its state dict from there.

    Width, joints, and numbers of modules and blocks are those that the tensors show.

    Args:
        source: A *.pth file of the public code (pose_hrnet), or its content: tensors by name, with or without
            "module." before them, or a dictionary that holds them as "state_dict".

    Returns:
        The network, float32 and in eval mode.

    Raises:
        ValueError: The file holds no tensors by name; or one lacks, has a wrong shape, or is not one of the network's:
            the first such one is named.

    Source:
        Sun et al. 2019 (HRNet), the public code.
    """
    place, weights = read(source)
    stem = shape_of_layer(place, weights, "conv1.weight", ("C", 3, 3, 3))[0]
    joints, width = shape_of_layer(place, weights, "final_layer.weight", ("K", "C", 1, 1))[:2]
    shape_of_layer(place, weights, "stage2.0.branches.0.0.conv1.weight", (width, width, 3, 3))
    modules = [count(weights, f"stage{stage}.{{}}.branches.0.0.conv1.weight") for stage in (2, 3, 4)]
    architecture = HrnetArchitecture(
        width=width,
        joints=joints,
        where="none",
        stem=stem,
        stem_blocks=count(weights, "layer1.{}.conv1.weight"),
        modules=tuple(modules[: modules.index(0)] if 0 in modules else modules),
        blocks=count(weights, "stage2.0.branches.0.{}.conv1.weight"),
    )
    return filled(empty_model(Hrnet, architecture), place, weights)


@torch.no_grad()
def load_pose_resnet(source: Source) -> PoseResnet:
    """Simple Baselines' network with published weights.

    Args:
        source: A *.pth file of the public code (pose_resnet of depth 50, 101 or 152), or its content, as in
            `load_hrnet`.

    Returns:
        The network, float32 and in eval mode.

    Raises:
        ValueError: As in `load_hrnet`.

    Source:
        Xiao, Wu and Wei 2018 (Simple Baselines), the public code.
    """
    place, weights = read(source)
    base = shape_of_layer(place, weights, "conv1.weight", ("C", 3, 7, 7))[0]
    joints = shape_of_layer(place, weights, "final_layer.weight", ("K", "C", 1, 1))[0]
    found = tuple(count(weights, f"layer{stage}.{{}}.conv1.weight") for stage in range(1, 5))
    depth = next((depth for depth, blocks in BLOCKS.items() if blocks == found), None)
    if depth is None:
        raise ValueError(f"{place} must have the blocks of a ResNet of depth 50, 101 or 152, got {found}")
    architecture = PoseResnetArchitecture(depth=depth, width=base / 64, joints=joints)
    return filled(empty_model(PoseResnet, architecture), place, weights)


def read(source: Source) -> tuple[str, dict[str, Tensor]]:
    """What weights are called in messages, and the tensors by the public code's names."""
    place = "weights" if isinstance(source, Mapping) else str(source)
    content = source if isinstance(source, Mapping) else read_state_dict(Path(source))
    weights = content.get("state_dict", content)
    if not isinstance(weights, Mapping):
        raise ValueError(f"{place}: state_dict: expected tensors by name, found {type(weights).__name__}")
    for name, value in weights.items():
        if not isinstance(value, Tensor):
            raise ValueError(f"{place}: {name}: expected a tensor, found {type(value).__name__}")
    return place, {name.removeprefix("module."): value for name, value in weights.items()}


def read_state_dict(path: Path, expected: str = "tensors by name") -> Mapping[str, Any]:
    """A dictionary that torch.save wrote; the file may hold nothing that runs as it is read.

    Args:
        path: The file.
        expected: What the message of an error calls it.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # torch.load raises errors of many kinds for files that are none of its own
        raise ValueError(f"{path}: expected {expected}, found {error!r}") from None
    if not isinstance(content, Mapping):
        raise ValueError(f"{path}: expected {expected}, found {type(content).__name__}")
    return content


def count(weights: Mapping[str, Tensor], pattern: str) -> int:
    """How many of the names `pattern` makes of 0, 1, 2, ... there are, before the first that lacks."""
    index = 0
    while pattern.format(index) in weights:
        index += 1
    return index


def filled(model: Network, place: str, weights: dict[str, Tensor]) -> Network:
    """The network with the weights; numbers of batches seen, which older files lack, are 0 there."""
    for name in model.state_dict():
        if name.endswith(".num_batches_tracked"):
            weights.setdefault(name, torch.tensor(0))
    fill(model, place, weights, lambda name: name, fit)
    return model


def fit(_: str, weight: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A published tensor as our parameter has it."""
    return as_clip_kernel(weight, shape) if len(shape) == 5 else weight
