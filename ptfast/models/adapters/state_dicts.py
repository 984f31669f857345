"""State dicts in files that torch.save wrote, under the names of the pose networks' public code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ptfast._json import shortened
from ptfast.models.adapters.filling import Network, as_clip_kernel, check_tensors, fill

Source = str | Path | Mapping[str, Any]


def read_weights(source: Source) -> tuple[str, dict[str, Tensor]]:
    """The weights' name for messages, and the tensors by the public code's names."""
    place = "weights" if isinstance(source, Mapping) else str(source)
    content = source if isinstance(source, Mapping) else read_state_dict(Path(source))
    weights = content.get("state_dict", content)
    if not isinstance(weights, Mapping):
        raise ValueError(f"{place}: state_dict: expected tensors by name, found {type(weights).__name__}")
    check_tensors(place, weights)
    named = {name.removeprefix("module."): value for name, value in weights.items()}
    if len(named) < len(weights):
        raise ValueError(f"{place}: expected one tensor of each name, found some with and without module.")
    return place, named


def read_state_dict(path: Path, expected: str = "tensors by name") -> Mapping[str, Any]:
    """A dictionary that torch.save wrote, in a file that holds nothing that runs as it is read.

    Args:
        path: The file.
        expected: Its name in the message of an error.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # torch.load raises errors of many kinds for files that are none of its own
        raise ValueError(f"{path}: expected {expected}, found {shortened(repr(error))}") from None
    if not isinstance(content, Mapping):
        raise ValueError(f"{path}: expected {expected}, found {type(content).__name__}")
    return content


def count_layers(weights: Mapping[str, Tensor], pattern: str) -> int:
    """Number of the names `pattern` makes of 0, 1, 2, ... that are there, up to the first that is missing."""
    index = 0
    while pattern.format(index) in weights:
        index += 1
    return index


def fill_published(model: Network, place: str, weights: dict[str, Tensor]) -> Network:
    """The network with the weights. Numbers of batches seen, which older files lack, are 0."""
    for name in model.state_dict():
        if name.endswith(".num_batches_tracked"):
            weights.setdefault(name, torch.tensor(0))
    fill(model, place, weights, lambda name: name, fit)
    return model


def fit(_: str, weight: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A published tensor as our parameter has it."""
    return as_clip_kernel(weight, shape) if len(shape) == 5 else weight
