"""2D checkpoints made into 3D ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn


def inflate(
    state_dict_2d: Mapping[str, Tensor],
    init: Literal["center", "mean"] = "center",
    target: nn.Module | Mapping[str, int] | None = None,
) -> dict[str, Tensor]:
    """Makes the 2D convolutions of a state dict 3D, transposed ones too. All else stays as it is.

    With "center" the 2D kernel stands in the middle of the 3D one, whose other slices are 0, so that a network without
    temporal stride or pooling gives the 2D network's features of every frame. With "mean" each of the K_T slices is
    the 2D kernel / K_T: on identical frames the features are the 2D network's, at least as many frames from each end
    as there are temporal convolutions.

    Args:
        state_dict_2d: Tensors by name. Convolutions are those of shape (O, I, kh, kw), or (O, I, 1, kh, kw) as the
            networks of this package have them for K_T = 1.
        init: "center" or "mean".
        target: Source of the temporal sizes K_T. A module gives those of its own weights. Entries of the state dict
            that it lacks are left out, so that `module.load_state_dict(inflate(weights, target=module))` is strict
            about what it needs alone. A mapping gives K_T by name, and 1 for other names. None follows the paper: 3 for
            kernels wider than a pixel and 1 for those of one.

    Returns:
        Tensors by name. Convolutions are (O, I, K_T, kh, kw), of the dtype and on the device that they had.

    Raises:
        ValueError: `init` is neither, a K_T is even or below 1, or `target` has a weight of that name that no inflation
            gives.

    Source:
        Girdhar et al. 2018 (Detect-and-Track), section 3.1.
    """
    if init not in ("center", "mean"):
        raise ValueError(f"init must be 'center' or 'mean', got {init!r}")
    wanted = target.state_dict() if isinstance(target, nn.Module) else None
    inflated = {}
    for name, weight in state_dict_2d.items():
        if wanted is not None and name not in wanted:
            continue
        if weight.ndim == 5 and weight.shape[2] == 1:
            weight = weight.squeeze(2)
        if weight.ndim == 4 and (wanted is None or wanted[name].ndim != 4):
            size = temporal_size(name, weight, target if wanted is None else wanted)  # type: ignore[arg-type]
            weight = inflate_kernel(weight, size, init)
        inflated[name] = weight
    return inflated


def temporal_size(name: str, weight: Tensor, target: Mapping[str, int | Tensor] | None) -> int:
    """K_T of the convolution `name`, checked."""
    if target is None:
        return 3 if weight.shape[-1] > 1 else 1
    goal = target.get(name, 1)
    if isinstance(goal, Tensor):
        shape = tuple(goal.shape)
        if len(shape) != 5 or shape[:2] + shape[3:] != tuple(weight.shape):
            raise ValueError(f"{name} of shape {tuple(weight.shape)} must inflate to the target's, got {shape}")
        goal = shape[2]
    if goal < 1 or goal % 2 == 0:
        raise ValueError(f"temporal kernel of {name} must be odd and positive, got {goal}")
    return goal


def inflate_kernel(weight: Tensor, size: int, init: str) -> Tensor:
    """(O, I, kh, kw) to (O, I, size, kh, kw)."""
    if init == "mean":
        return (weight / size).unsqueeze(2).repeat(1, 1, size, 1, 1)
    kernel = torch.zeros(*weight.shape[:2], size, *weight.shape[2:], dtype=weight.dtype, device=weight.device)
    kernel[:, :, size // 2] = weight
    return kernel
