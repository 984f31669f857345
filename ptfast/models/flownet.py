"""FlowNet2-S: optical flow from two images, by convolutions alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ptfast._check import check_number, check_shape
from ptfast.models.layers import MOST_CHANNELS, channels_last

ENCODER = (  # name, channels, kernel, stride; the digit is that of the level, whose pixels are 2^level of the image's
    ("conv1", 64, 7, 2),
    ("conv2", 128, 5, 2),
    ("conv3", 256, 5, 2),
    ("conv3_1", 256, 3, 1),
    ("conv4", 512, 3, 2),
    ("conv4_1", 512, 3, 1),
    ("conv5", 512, 3, 2),
    ("conv5_1", 512, 3, 1),
    ("conv6", 1024, 3, 2),
    ("conv6_1", 1024, 3, 1),
)
DECODER = {5: 512, 4: 256, 3: 128, 2: 64}  # channels of each level's transposed convolution
LEAK = 0.1
FLOW_SCALE = 20.0  # pixels of the image in one unit of the network's flow, the public code's div_flow
NARROWEST = 64  # channels of the narrowest layer at full width


@dataclass(frozen=True)
class FlowNetArchitecture:
    """Sizes of a FlowNet2S.

    Attributes:
        width: Factor on all channels; 64 * width must be a whole number. 1 is the published network.
    """

    width: float = 1.0


class FlowNet2S(nn.Module):
    """FlowNet2-S. Parameters have the names of its public code, whose weights `load_flownet` reads.

    Args:
        architecture: Its sizes.

    Attributes:
        architecture: The same.
        multiple: Height and width of images must be multiples of it, 64.

    Raises:
        ValueError: The width is out of range.

    Source:
        Dosovitskiy et al. 2015 (FlowNet), section 3, FlowNetSimple; Ilg et al. 2017 (FlowNet 2.0), section 3.
    """

    multiple = 64

    def __init__(self, architecture: FlowNetArchitecture | None = None) -> None:
        super().__init__()
        self.architecture = architecture or FlowNetArchitecture()
        wide = {name: channels_at(self.architecture, channels) for name, channels, _, _ in ENCODER}
        channels = 6
        for name, _, kernel, stride in ENCODER:
            self.add_module(name, convolution(channels, wide[name], kernel, stride))
            channels = wide[name]
        self.predict_flow6 = nn.Conv2d(channels, 2, 3, padding=1)
        for level, full in DECODER.items():
            out = channels_at(self.architecture, full)
            self.add_module(f"deconv{level}", deconvolution(channels, out))
            up = nn.ConvTranspose2d(2, 2, 4, stride=2, padding=1, bias=False)
            self.add_module(f"upsampled_flow{level + 1}_to_{level}", up)
            channels = wide[f"conv{level}"] + out + 2
            self.add_module(f"predict_flow{level}", nn.Conv2d(channels, 2, 3, padding=1))
        initialise(self)
        channels_last(self)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Flow from the first images to the second.

        Args:
            first: (B, 3, H, W) red, green, blue from 0 to 255, with H and W multiples of `multiple`.
            second: The same of the images to which the flow goes.

        Returns:
            (B, 2, H, W) float32 pixels, x then y.

        Raises:
            ValueError: A shape is another one.
        """
        finest = self.flows(first, second)[0]
        return F.interpolate(finest, scale_factor=4, mode="bilinear", align_corners=False) * FLOW_SCALE

    def flows(self, first: Tensor, second: Tensor) -> list[Tensor]:
        """Flows of all levels, which training compares with the truth.

        Args:
            first: As `forward` takes them.
            second: The same.

        Returns:
            Five tensors (B, 2, H / 4, W / 4) to (B, 2, H / 64, W / 64) float32, finest first, in units of 20 pixels of
            the images.
        """
        check_pair(first, second, self.multiple)
        levels = self._levels(normalised(first, second))
        inside = levels[6]
        flows = [self.predict_flow6(inside)]
        for level in DECODER:
            deconvolved = self.get_submodule(f"deconv{level}")(inside)
            upsampled = self.get_submodule(f"upsampled_flow{level + 1}_to_{level}")(flows[-1])
            inside = torch.cat([levels[level], deconvolved, upsampled], 1)
            flows.append(self.get_submodule(f"predict_flow{level}")(inside))
        return [flow.float() for flow in reversed(flows)]

    def _levels(self, images: Tensor) -> dict[int, Tensor]:
        """Features of each level, those of its last convolution."""
        levels, features = {}, images.contiguous(memory_format=torch.channels_last)
        for name, *_ in ENCODER:
            features = self.get_submodule(name)(features)
            levels[int(name[4])] = features
        return levels


def normalised(first: Tensor, second: Tensor) -> Tensor:
    """Both images (B, 3, H, W) as one input (B, 6, H, W): less each channel's mean over the two, over 255."""
    pair = torch.stack([first.float(), second.float()], 2)
    pair = (pair - pair.mean((2, 3, 4), keepdim=True)) / 255
    return torch.cat([pair[:, :, 0], pair[:, :, 1]], 1)


def convolution(in_channels: int, channels: int, kernel: int, stride: int) -> nn.Sequential:
    """A convolution that keeps the size at stride 1, and a leaky ReLU."""
    conv = nn.Conv2d(in_channels, channels, kernel, stride=stride, padding=(kernel - 1) // 2)
    return nn.Sequential(conv, nn.LeakyReLU(LEAK, inplace=True))


def deconvolution(in_channels: int, channels: int) -> nn.Sequential:
    """A transposed convolution that doubles height and width, and a leaky ReLU."""
    conv = nn.ConvTranspose2d(in_channels, channels, 4, stride=2, padding=1)
    return nn.Sequential(conv, nn.LeakyReLU(LEAK, inplace=True))


def initialise(network: FlowNet2S) -> None:
    """Initialises convolutions as Glorot and Bengio do, as the public code does, with biases of 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def channels_at(architecture: FlowNetArchitecture, full: int) -> int:
    """Channels of a layer that has `full` at a width of 1. Raises ValueError if they are no whole number."""
    width = architecture.width
    check_number("width", width, 0, MOST_CHANNELS / 1024)
    if width <= 0 or NARROWEST * width % 1:
        raise ValueError(f"width must make {NARROWEST} * width a positive whole number, got {width}")
    return round(full * width)


def check_pair(first: Tensor, second: Tensor, multiple: int) -> None:
    """Raises ValueError unless two batches (B, 3, H, W) of one shape have H and W that are multiples of `multiple`."""
    check_shape("first", first, ("B", 3, "H", "W"))
    batch, _, height, width = first.shape
    check_shape("second", second, ("B", 3, "H", "W"), B=batch, H=height, W=width)
    if height % multiple or width % multiple or not height * width:
        raise ValueError(f"first must have a height and a width of multiples of {multiple}, got {height} and {width}")
