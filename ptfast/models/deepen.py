"""Networks that grow in training."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

CONVS = "keypoint_head.convs."


def deepen(state_dict: Mapping[str, Tensor], target: nn.Module) -> dict[str, Tensor]:
    """A state dict for a deeper keypoint head: convolutions that it lacks are the identity, so nothing else changes.

    They stand after a ReLU, whose output another ReLU leaves as it is.

    Args:
        state_dict: Of a MaskRcnn3d with the same or fewer convolutions in its keypoint head.
        target: The deeper MaskRcnn3d.

    Returns:
        Tensors by name; those of the state dict and the ones that it lacked.

    Source:
        Chen et al. 2016 (Net2Net), section 2.3.
    """
    deeper = dict(state_dict)
    for name, wanted in target.state_dict().items():
        if name in deeper or not name.startswith(CONVS) or name.startswith(f"{CONVS}0."):
            continue
        deeper[name] = torch.zeros(wanted.shape) if wanted.ndim == 1 else identity_kernel(tuple(wanted.shape))
    return deeper


def identity_kernel(shape: tuple[int, ...]) -> Tensor:
    """(C, C, K_T, kh, kw) kernel that gives its input."""
    kernel = torch.zeros(shape)
    middle = tuple(size // 2 for size in shape[2:])
    for channel in range(shape[0]):
        kernel[(channel, channel, *middle)] = 1
    return kernel
