"""Networks on a GPU whose launches are captured once for each shape of input, and replayed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Maps = dict[str, Tensor]
MOST_SHAPES = 4  # that are captured; each holds the memory of a forward pass


@dataclass(frozen=True, eq=False)
class Capture:
    """A forward pass as a CUDA graph.

    Attributes:
        graph: What is replayed.
        images: (B, C, H, W) where the pass reads its input.
        maps: Where it writes its outputs.
    """

    graph: torch.cuda.CUDAGraph
    images: Tensor
    maps: Maps

    def __call__(self, images: Tensor) -> Maps:
        """The maps of images (B, C, H, W)."""
        self.images.copy_(images)
        self.graph.replay()
        return {name: values.clone() for name, values in self.maps.items()}


def captured(network: Callable[[Tensor], Maps], images: Tensor) -> Capture:
    """Captures a network's forward pass for inputs like `images` (B, C, H, W), which it must have seen before."""
    graph, own = torch.cuda.CUDAGraph(), images.clone()
    with torch.cuda.graph(graph):
        maps = network(own)
    return Capture(graph, own, maps)


class CapturedNetwork:
    """A network whose many small launches are one from the second batch of a shape on.

    The first batch of a shape runs as it is, which warms the network up. Shapes beyond the first few do so for good.

    Args:
        network: Takes (B, C, H, W) images on a GPU and gives maps by name, without gradients.
    """

    def __init__(self, network: Callable[[Tensor], Maps]) -> None:
        self._network = network
        self._seen: set[torch.Size] = set()
        self._captures: dict[torch.Size, Capture] = {}

    def __call__(self, images: Tensor) -> Maps:
        """The maps of images (B, C, H, W)."""
        shape = images.shape
        if shape in self._captures:
            return self._captures[shape](images)
        if shape in self._seen and len(self._captures) < MOST_SHAPES:
            self._captures[shape] = captured(self._network, images)
            return self._captures[shape](images)
        self._seen.add(shape)
        return self._network(images)
