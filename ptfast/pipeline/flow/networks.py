"""Optical flow by networks: FlowNet2-S and RAFT."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ptfast._check import Array, is_tensor
from ptfast.models import FlowNet2S, Raft
from ptfast.pipeline.flow.fields import FlowField
from ptfast.pipeline.flow.images import FlowImage, check_image, check_same_size, check_short_side, seen_size


class NetworkFlow:
    """Optical flow by a network, a `Flow`: two images in, the flow of every pixel out.

    Images are reduced to the size at which they are seen, and their last rows and columns repeated up to sizes that the
    network can take.

    Args:
        model: The network. It takes two batches (B, 3, h, w) of red, green, blue from 0 to 255, with h and w multiples
            of its `multiple`, and gives (B, 2, h, w) pixels. `least`, if it has one, is the least h and w.
        short_side: Shorter side of the images as they are seen, in pixels; larger ones are reduced. None for their own.
        device: Where it runs.

    Raises:
        ValueError: The side is less than 32.
        TypeError: The side is no integer.

    Example:
        >>> flow = NetworkFlow(FlowNet2S(FlowNetArchitecture(width=0.25)))
        >>> field = flow(first, second)
    """

    def __init__(
        self, model: FlowNet2S | Raft, *, short_side: int | None = 256, device: str | torch.device = "cpu"
    ) -> None:
        check_short_side(short_side)
        self.device, self.short_side = torch.device(device), short_side
        self.model: Any = model.to(self.device).eval()

    def __call__(self, first: Array, second: Array) -> Array:
        """The flow from one image to another.

        Args:
            first: (H, W, 3) uint8 red, green, blue; a NumPy array or torch tensor.
            second: The same.

        Returns:
            (H, W, 2) float32 pixels, x then y; in torch on the network's device.

        Raises:
            ValueError: The images have different sizes, or sides under 12 pixels.
            TypeError: They are not uint8.
        """
        flow = self.between(self._prepared("first", first), self._prepared("second", second)).full()
        return flow if is_tensor(first) else flow.cpu().numpy()

    def prepare(self, image: Array) -> FlowImage:
        """An image at the size at which it is seen, (3, h, w) uint8 on the network's device; errors as in `__call__`.

        Torch's antialiased bilinear filter reduces tensors, OpenCV's mean over areas arrays.
        """
        return self._prepared("image", image)

    @torch.inference_mode()
    def between(self, first: FlowImage, second: FlowImage) -> FlowField:
        """The flow from one prepared image to another, a tensor on the network's device."""
        check_same_size(first, second)
        height, width = first.seen.shape[1:]
        flow = self.model(self._padded(first.seen), self._padded(second.seen))[0, :, :height, :width]
        return FlowField(flow.permute(1, 2, 0), first.size)

    def depends_on(self) -> dict[str, object]:
        """Settings that the results depend on, in JSON's types; not the weights."""
        return {"network": type(self.model).__name__, "short_side": self.short_side}

    def _prepared(self, name: str, image: Array) -> FlowImage:
        """`prepare` of an image that is called so in messages."""
        size = check_image(name, image)
        seen = seen_size(size, self.short_side)
        return FlowImage(reduced(image, seen).to(self.device), size)

    def _padded(self, image: Tensor) -> Tensor:
        """(1, 3, h, w) float32 of an image (3, h, w), its last row and column repeated to sizes for the network."""
        multiple, least = self.model.multiple, getattr(self.model, "least", 1)
        more = [-(-max(side, least) // multiple) * multiple - side for side in image.shape[1:]]
        return F.pad(image[None].float(), (0, more[1], 0, more[0]), mode="replicate")


def reduced(image: Array, size: tuple[int, int]) -> Tensor:
    """An image (H, W, 3) uint8 as (3, h, w) uint8 of a size (h, w) that is not larger."""
    if tuple(image.shape[:2]) == size:
        return torch.as_tensor(image).permute(2, 0, 1)
    if is_tensor(image):
        planes = image.permute(2, 0, 1)[None].float()
        small = F.interpolate(planes, size, mode="bilinear", antialias=True)
        return small[0].round().clamp(0, 255).to(torch.uint8)
    area = cv2.resize(np.ascontiguousarray(image), size[::-1], interpolation=cv2.INTER_AREA)
    return torch.from_numpy(area).permute(2, 0, 1)
