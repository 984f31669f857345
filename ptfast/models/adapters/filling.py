"""Networks filled with another program's weights, of which none may be missing or left over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ptfast._check import check_shape, format_shape
from ptfast.models.layers import FrozenBatchNorm

Network = TypeVar("Network", bound=nn.Module)


def empty_model(kind: Callable[[Any], Network], architecture: object, source: str = "weights") -> Network:
    """A network in eval mode whose weights hold nothing yet. Its making draws no random numbers.

    Args:
        kind: Makes the network.
        architecture: Its sizes, which another program's weights show.
        source: Name of those weights in messages.

    Raises:
        ValueError: There is no such network, or no memory for it.
    """
    try:
        with torch.device("meta"):
            model = kind(architecture)
        return model.to_empty(device="cpu").eval()
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{source} must be of a network that can be made: {str(error).splitlines()[0]}") from error


def check_tensors(source: str, weights: Mapping[Any, Any]) -> None:
    """Raises ValueError unless all values are plain tensors of real numbers under names."""
    for name, value in weights.items():
        if not isinstance(name, str):
            raise ValueError(f"{source}: expected tensors by name, found one by {name!r}")
        if not isinstance(value, Tensor):
            raise ValueError(f"{source}: {name}: expected a tensor, found {type(value).__name__}")
        found = _unusual(value)
        if found is not None:
            raise ValueError(f"{source}: {name}: expected a tensor of real numbers, found {found}")


def _unusual(value: Tensor) -> str | None:
    """What makes a tensor one that a network's weights cannot be, or None."""
    if value.layout != torch.strided:
        return f"one of layout {value.layout}"
    if value.is_quantized or value.is_complex():
        return f"one of dtype {value.dtype}"
    if value.is_meta:
        return "one without values"
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        return f"{value.numel():,} numbers in a file's {value.untyped_storage().nbytes():,} bytes"
    return None


def shape_of_layer(source: str, weights: Mapping[str, Tensor], name: str, pattern: tuple[int | str, ...]) -> list[int]:
    """The shape of a tensor that shows a size of the network, checked against `pattern`."""
    if name not in weights:
        raise ValueError(f"{source} must have {name}, which is missing")
    check_shape(f"{source}: {name}", weights[name], pattern)
    return list(weights[name].shape)


def fill(
    model: nn.Module,
    source: str,
    weights: Mapping[str, Tensor],
    name_of: Callable[[str], str | None],
    fit: Callable[[str, Tensor, tuple[int, ...]], Tensor],
) -> None:
    """Copies weights under other names into the network.

    Args:
        model: The network.
        source: Name of the weights in messages.
        weights: Tensors by the other program's names.
        name_of: Gives the other name of one of the network's parameters or buffers, or None for one that the other
            program lacks, which stays as it is.
        fit: Turns the parameter's name, the other tensor and the parameter's shape into the parameter's values. A
            tensor that cannot fit stays as it is.

    Raises:
        ValueError: A tensor is missing, has a wrong shape, or is not one of the network's. The first such one is named.
    """
    left = set(weights)
    for name, value in model.state_dict().items():
        other = name_of(name)
        if other is None:
            continue
        if other not in weights:
            raise ValueError(f"{source} must have {other}, which is missing")
        fitted = fit(name, weights[other], tuple(value.shape))
        if fitted.shape != value.shape:
            expected, found = format_shape(tuple(value.shape)), format_shape(tuple(weights[other].shape))
            raise ValueError(f"{source}: {other} must fit {name} of shape {expected}, got {found}")
        value.copy_(fitted)
        left.discard(other)
    for other in weights:
        if other in left:
            raise ValueError(f"{source}: {other} is not part of the network")


def as_clip_kernel(weight: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A kernel (O, I, kh, kw) or (O, I, k, kh, kw) in the middle of one of `shape`, (O, I, K, kh, kw), zeros around."""
    if weight.ndim == 4:
        weight = weight.unsqueeze(2)
    missing = shape[2] - weight.shape[2] if weight.ndim == 5 else -1
    if missing < 0 or missing % 2:
        return weight
    return torch.nn.functional.pad(weight, (0, 0, 0, 0, missing // 2, missing // 2))


def change_eps(model: nn.Module, *, eps: float) -> None:
    """Makes frozen norms, whose weights were made for this eps, give the same map with their own."""
    for norm in model.modules():
        if isinstance(norm, FrozenBatchNorm) and norm.eps != eps:
            variance = norm.running_var.double()
            norm.weight.copy_(norm.weight * ((variance + norm.eps) / (variance + eps)).sqrt())
