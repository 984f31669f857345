"""MoveNet's maps out of an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ptfast.models import MoveNet, MoveNetArchitecture
from ptfast.models.movenet import head_sizes
from ptfast.pipeline.onnx.network import Dims, OnnxNetwork
from ptfast.pipeline.onnx.rtmdet import fits


def has_maps(outputs: Mapping[str, Dims], joints: int, boxes: bool) -> bool:
    """Returns True for the maps of a MoveNet with or without boxes, by their names and channels."""
    sizes = head_sizes(MoveNetArchitecture(joints=joints, boxes=boxes))
    return fits(outputs, {name: (None, channels, None, None) for name, channels in sizes.items()})


class MapNetwork(nn.Module):
    """A MoveNet that ONNX Runtime runs, for `MultiPose` and `SinglePose`.

    Args:
        network: The network.
        joints: K.
        boxes: It has maps of people's boxes.

    Raises:
        ValueError: The file takes images of one size alone.
    """

    multiple = MoveNet.multiple

    def __init__(self, network: OnnxNetwork, joints: int, boxes: bool) -> None:
        super().__init__()
        if any(network.size):
            raise ValueError(f"{network.path}: expected an input of a free height and width, found {network.size}")
        self.network, self.architecture = network, MoveNetArchitecture(joints=joints, boxes=boxes)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Maps (B, C, H / 4, W / 4) by name of images (B, 3, H, W), as `MoveNet` gives them."""
        outputs = self.network([*images.cpu().numpy()])
        return {name: torch.stack([torch.from_numpy(maps[name]) for maps in outputs]) for name in outputs[0]}
