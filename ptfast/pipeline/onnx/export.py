"""Networks of ptfast as ONNX files."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from ptfast._files import write_atomic
from ptfast.models import MoveNet
from ptfast.pipeline.onnx.network import require


class NamedMaps(nn.Module):
    """A MoveNet whose maps come one after the other.

    Args:
        model: The network.
    """

    def __init__(self, model: MoveNet) -> None:
        super().__init__()
        self.model, self.names = model, [*model.heads]

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Maps (B, C, H / 4, W / 4), in the order of `names`, of images (B, 3, H, W)."""
        maps = self.model(images)
        return tuple(maps[name] for name in self.names)


def export_movenet(model: MoveNet, path: str | Path) -> None:
    """Writes a MoveNet to an ONNX file, whole or not at all.

    Its input "images" is (B, 3, H, W) float32 red, green and blue from 0 to 255, of any B and of H and W that are
    multiples of 32. Its outputs are the maps of `MoveNet.forward` under their names.

    Args:
        model: The network, on the CPU.
        path: The file.

    Raises:
        ImportError: onnx is not installed.
    """
    require("onnx")
    maps = NamedMaps(model).eval()
    free = {name: {0: "batch", 2: "map_height", 3: "map_width"} for name in maps.names}
    images = torch.zeros(1, 3, 2 * model.multiple, 2 * model.multiple)
    with write_atomic(path) as draft, torch.no_grad(), warnings.catch_warnings():
        # The newer exporter takes twenty times as long. What the older one warns of, sizes that it takes for constants,
        # only decides in how many parts a block is computed, and which sizes are refused.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            maps,
            (images,),
            str(draft),
            input_names=["images"],
            output_names=maps.names,
            dynamic_axes={"images": {0: "batch", 2: "height", 3: "width"}, **free},
            dynamo=False,
        )
