"""torchvision's RAFT, where torchvision is installed, with images and flow as the other flow networks have them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from torch import Tensor, nn

LARGE_STEM, SMALL_STEM = 64, 32  # channels of the first convolution


class Raft(nn.Module):
    """torchvision's RAFT.

    Args:
        network: torchvision.models.optical_flow.RAFT.

    Attributes:
        network: The same.
        multiple: Height and width of images must be multiples of it, 8.
        least: Least height and width of images, 128.

    Source:
        Teed and Deng 2020 (RAFT).
    """

    multiple = 8
    least = 128

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Flow from the first images to the second.

        Args:
            first: (B, 3, H, W) red, green, blue from 0 to 255, with H and W multiples of `multiple`, `least` or more.
            second: The same of the images to which the flow goes.

        Returns:
            (B, 2, H, W) float32 pixels, x then y; that of the network's last iteration.
        """
        flows: list[Tensor] = self.network(first.float() / 127.5 - 1, second.float() / 127.5 - 1)
        return flows[-1].float()


def torchvision_raft(stem: int) -> nn.Module:
    """torchvision's RAFT without weights, the large or the small one by the channels of its first convolution.

    Raises:
        ImportError: torchvision is not installed, or does not fit the installed torch.
        ValueError: Neither of the two has so many channels.
    """
    makers = {LARGE_STEM: "raft_large", SMALL_STEM: "raft_small"}
    if stem not in makers:
        raise ValueError(f"RAFT's first convolution must have {LARGE_STEM} or {SMALL_STEM} channels, got {stem}")
    try:
        optical_flow: Any = import_module("torchvision.models.optical_flow")
    except (ImportError, RuntimeError) as error:  # a RuntimeError if it was built for another torch
        said = str(error).partition("\n")[0]
        raise ImportError(f"RAFT needs torchvision: pip install torchvision; it cannot be imported: {said}") from None
    network: nn.Module = getattr(optical_flow, makers[stem])(weights=None)
    return network
