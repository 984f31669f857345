"""State dicts in files that torch.save wrote, under the names of the pose networks' public code."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ptfast._json import shortened
from ptfast.models.adapters.filling import Network, as_clip_kernel, check_tensors, fill
from ptfast.models.adapters.numpy_placeholders import numpy_placeholders

Source = str | Path | Mapping[str, Any]
SPREAD = "module."  # before all names, where a program trained on several GPUs
PARTS = ("backbone.", "head.", "keypoint_head.")  # before the public code's names in MMPose's files, new and old


def read_weights(source: Source) -> tuple[str, dict[str, Tensor]]:
    """The weights' name for messages, and the tensors by the public code's names."""
    place = "weights" if isinstance(source, Mapping) else str(source)
    content = source if isinstance(source, Mapping) else read_state_dict(Path(source))
    return place, named_tensors(content, place)


def named_tensors(
    content: Mapping[str, Any], place: str = "weights", parts: tuple[str, ...] = PARTS
) -> dict[str, Tensor]:
    """The tensors of a checkpoint by the public code's names.

    Args:
        content: Tensors by name, or a dictionary that holds them as "state_dict" or "model" beside other things.
        place: Its name in messages.
        parts: What may stand before the public code's names, besides "module.", and is taken off.

    Raises:
        ValueError: It holds other things than plain tensors of real numbers, or two under one name.
    """
    weights = content.get("state_dict", content)
    if weights is content and isinstance(content.get("model"), Mapping):
        weights = content["model"]
    if not isinstance(weights, Mapping):
        raise ValueError(f"{place}: state_dict: expected tensors by name, found {type(weights).__name__}")
    check_tensors(place, weights)
    named = {_without(name.removeprefix(SPREAD), parts): value for name, value in weights.items()}
    if len(named) < len(weights):
        prefixes = ", ".join((SPREAD, *parts))
        raise ValueError(f"{place}: expected one tensor of each name, found some with and without one of {prefixes}")
    return named


def _without(name: str, prefixes: tuple[str, ...]) -> str:
    """A name without the one of these that it begins with."""
    return next((name.removeprefix(prefix) for prefix in prefixes if name.startswith(prefix)), name)


def read_state_dict(path: Path, expected: str = "tensors by name") -> Mapping[str, Any]:
    """A dictionary that torch.save wrote, of which nothing runs as it is read.

    NumPy's scalars and arrays, which training programs store beside the weights, become placeholders.

    Args:
        path: The file, of any name.
        expected: Its name in the message of an error.
    """
    try:
        with numpy_placeholders():
            content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except pickle.UnpicklingError as error:
        raise ValueError(f"{path}: expected {expected}, found {_refused(error)}") from None
    except Exception as error:  # torch.load raises errors of many kinds for files that are none of its own
        raise ValueError(f"{path}: expected {expected}, found {shortened(repr(error))}") from None
    if not isinstance(content, Mapping):
        raise ValueError(f"{path}: expected {expected}, found {type(content).__name__}")
    return content


def _refused(error: pickle.UnpicklingError) -> str:
    """What torch refused to read, without its advice on how to read it all the same."""
    asked = re.search(r"GLOBAL ([\w.]+)", str(error))
    return f"a pickle that asks for {shortened(asked[1])}" if asked else "a pickle of other things"


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
