"""Weights that a run starts from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from ptfast.models import inflate
from ptfast.training.config import ClipConfig, RunConfig
from ptfast.training.task import Task


def starting_weights(
    task: Task, path: Path | None, read: Callable[[Path, RunConfig], dict[str, Tensor]]
) -> dict[str, Tensor] | None:
    """Reads the weights to start from, and inflates them if the config says so.

    Args:
        task: The network.
        path: Of the weights; None starts from random ones.
        read: Reads a file of weights; `read_weights` of a recipe.

    Returns:
        The network's tensors by name, float32, or None for random ones.

    Raises:
        ValueError: 2D weights are needed and none are given, or the weights are those of another network.
    """
    how = task.config.initialise if isinstance(task.config, ClipConfig) else "none"
    if path is None:
        if how != "none":
            raise ValueError(f"--weights must name 2D weights, as the config's initialise is {how!r}")
        return None
    with torch.device("meta"):
        target = task.network()
    weights = {name: value.float() for name, value in read(path, task.config).items()}
    try:
        if how != "none":
            weights = inflate(weights, how, target)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    check_shapes(path, weights, target)
    return {name: weights[name] for name in target.state_dict()}


def check_shapes(path: Path, weights: dict[str, Tensor], target: nn.Module) -> None:
    """Raises ValueError unless the weights of a file have every tensor of a network, in its shape."""
    for name, wanted in target.state_dict().items():
        found = weights.get(name)
        if found is None or found.shape != wanted.shape:
            got = "no such tensor" if found is None else f"shape {tuple(found.shape)}"
            raise ValueError(f"{path}: {name}: expected shape {tuple(wanted.shape)}, found {got}")
