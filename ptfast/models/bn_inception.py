"""Batch-normalised GoogleNet up to layer 17, with the transposed convolutions that CorrTrack puts after it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ptfast._check import check_number
from ptfast.models.layers import MOST_CHANNELS, channels_last

NARROWEST = 32  # channels of the narrowest layer at full width
STEM = 192  # channels of the stem's features
MULTIPLE = 32  # of the images' height and width, from which on all sizes halve without a rest
STRIDE = 4  # image pixels from one pixel to the next, of the stem's features and of a stage's output
UPSAMPLED = 1024  # channels of the last block, and of the transposed convolution after it


@dataclass(frozen=True)
class Block:
    """Channels of an inception block: four ways from its input, side by side in its output.

    Attributes:
        name: As in the public code's names.
        one: Of the 1x1 convolution. 0 where the block halves height and width: it has none then, strides in its last
            3x3 convolutions, and its input itself, max-pooled, in the place of the projection.
        three: Of a 1x1 convolution and the 3x3 one after it.
        double: Of a 1x1 convolution and the two 3x3 ones after it.
        projection: Of the 1x1 convolution of the pooled input.
    """

    name: str
    one: int
    three: tuple[int, int]
    double: tuple[int, int]
    projection: int

    @property
    def convolutions(self) -> tuple[tuple[str, str, int, int, int], ...]:
        """Name, source, channels, kernel and stride of each. The source is "" or "pool" for the block's input."""
        stride = 1 if self.one else 2
        ones = (("1x1", "", self.one, 1, 1), ("pool_proj", "pool", self.projection, 1, 1)) if self.one else ()
        return (
            *ones,
            ("3x3_reduce", "", self.three[0], 1, 1),
            ("3x3", "3x3_reduce", self.three[1], 3, stride),
            ("double_3x3_reduce", "", self.double[0], 1, 1),
            ("double_3x3_1", "double_3x3_reduce", self.double[1], 3, 1),
            ("double_3x3_2", "double_3x3_1", self.double[1], 3, stride),
        )


BLOCKS = (
    Block("31", 64, (64, 64), (64, 96), 32),
    Block("3b", 64, (64, 96), (64, 96), 64),
    Block("3c", 0, (128, 160), (64, 96), 0),
    Block("4a", 224, (64, 96), (96, 128), 128),
    Block("4b", 192, (96, 128), (96, 128), 128),
    Block("4c", 160, (128, 160), (128, 160), 128),
    Block("4d", 96, (128, 192), (160, 192), 128),
    Block("4e", 0, (128, 192), (192, 256), 0),
    Block("5a", 352, (192, 320), (160, 224), 128),
    Block("5b", 352, (192, 320), (192, 224), 128),
)
SKIPPED_TO = "4d"  # whose output also goes past the blocks after it
MAX_POOLED = "5b"  # the one block at stride 1 whose input is max-pooled and not averaged


class InceptionStem(nn.Module):
    """Layers 1 and 2: from images to features at a quarter of their height and width.

    Args:
        width: Factor on all channels; 32 * width must be a whole number.

    Raises:
        ValueError: The width is out of range.
    """

    multiple = MULTIPLE
    stride = STRIDE

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        base = channels_at(width, 64)
        add_convolution(self, "conv1_7x7_s2", 3, base, 7, 2)
        add_convolution(self, "conv2_3x3_reduce", base, base, 1)
        add_convolution(self, "conv2_3x3", base, channels_at(width, STEM), 3)

    def stem(self, images: Tensor) -> Tensor:
        """Features (N, 192 * width, H / 4, W / 4) of images (N, 3, H, W)."""
        images = images.contiguous(memory_format=torch.channels_last)
        features = pooled(convolved(self, "conv1_7x7_s2", images))
        return convolved(self, "conv2_3x3", convolved(self, "conv2_3x3_reduce", features))


class InceptionStage(nn.Module):
    """Layers 3 to 17, and two transposed convolutions back to the size of their input.

    Args:
        in_channels: Channels of the input.
        channels: Channels of the output.
        width: Factor on all channels in between; 32 * width must be a whole number.

    Raises:
        ValueError: The width is out of range.

    Source:
        Rafi et al. 2020 (CorrTrack), sections 4.1, 4.2 and 6.1, the public code; Ioffe and Szegedy 2015 for the blocks.
    """

    def __init__(self, in_channels: int, channels: int, width: float = 1.0) -> None:
        super().__init__()
        inside, skipped = in_channels, 0
        for block in BLOCKS:
            sizes = {"": inside, "pool": inside}
            for name, source, full, kernel, stride in block.convolutions:
                sizes[name] = channels_at(width, full)
                add_convolution(self, f"inception_{block.name}_{name}", sizes[source], sizes[name], kernel, stride)
            inside = block_channels(block, inside, width)
            skipped = inside if block.name == SKIPPED_TO else skipped
        up = channels_at(width, UPSAMPLED)
        first = nn.ConvTranspose2d(inside, up, 2, stride=2)
        self.Conv2dT_1 = nn.Sequential(OrderedDict(conv=first, bn=nn.BatchNorm2d(up, eps=1e-3), relu=nn.ReLU(True)))
        last = nn.ConvTranspose2d(up + skipped, channels, 8, stride=4, padding=2)
        self.Conv2dT_2 = nn.Sequential(OrderedDict(conv=last))

    def forward(self, features: Tensor) -> Tensor:
        """Maps (N, channels, h, w) of features (N, in_channels, h, w), where h and w are multiples of 8."""
        features = pooled(features.contiguous(memory_format=torch.channels_last))
        skipped = features
        for block in BLOCKS:
            features = through(self, block, features)
            skipped = features if block.name == SKIPPED_TO else skipped
        return self.Conv2dT_2(torch.cat([self.Conv2dT_1(features), skipped], 1))


def through(stage: InceptionStage, block: Block, features: Tensor) -> Tensor:
    """Features after one block of a stage."""
    known = {"": features}
    if block.one:
        pool = F.max_pool2d if block.name == MAX_POOLED else F.avg_pool2d
        known["pool"] = pool(features, 3, 1, 1)
    for name, source, *_ in block.convolutions:
        known[name] = convolved(stage, f"inception_{block.name}_{name}", known[source])
    sides = [known["3x3"], known["double_3x3_2"]]
    if block.one:
        return torch.cat([known["1x1"], *sides, known["pool_proj"]], 1)
    return torch.cat([*sides, pooled(features)], 1)


def block_channels(block: Block, inside: int, width: float) -> int:
    """Channels of a block's output at this width."""
    if not block.one:
        return channels_at(width, block.three[1] + block.double[1]) + inside
    return channels_at(width, block.one + block.three[1] + block.double[1] + block.projection)


def add_convolution(
    network: nn.Module, name: str, in_channels: int, channels: int, kernel: int, stride: int = 1
) -> None:
    """Adds a convolution that keeps the size at stride 1, and its batch norm, under the public code's names."""
    network.add_module(name, nn.Conv2d(in_channels, channels, kernel, stride, kernel // 2))
    network.add_module(f"{name}_bn", nn.BatchNorm2d(channels))


def convolved(network: nn.Module, name: str, features: Tensor) -> Tensor:
    """Features after a convolution that `add_convolution` added, its batch norm and a ReLU."""
    convolution, norm = network.get_submodule(name), network.get_submodule(f"{name}_bn")
    return F.relu(norm(convolution(features)), inplace=True)


def pooled(features: Tensor) -> Tensor:
    """Half of the height and width, by the maximum."""
    return F.max_pool2d(features, 3, 2, ceil_mode=True)


def channels_at(width: float, full: int, name: str = "width") -> int:
    """Channels of a layer that has `full` at a width of 1. Raises ValueError if they are no whole number."""
    check_number(name, width, 0, MOST_CHANNELS / UPSAMPLED)
    if width <= 0 or NARROWEST * width % 1:
        raise ValueError(f"{name} must make {NARROWEST} * {name} a positive whole number, got {width}")
    return round(full * width)


def initialise(network: nn.Module) -> None:
    """Initialises as He et al. do; of a transposed convolution, the taps that reach one pixel of its output count.

    Weights are laid out channels last.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.ConvTranspose2d):
            taps = module.in_channels * (module.kernel_size[0] // module.stride[0]) ** 2
            nn.init.normal_(module.weight, std=(2 / taps) ** 0.5)
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module.bias is not None:
            nn.init.zeros_(module.bias)
    channels_last(network)


def begin_near_zero(stage: InceptionStage) -> None:
    """Makes the maps of a stage nearly 0 at first, as targets are nearly everywhere."""
    nn.init.normal_(stage.Conv2dT_2.get_submodule("conv").weight, std=0.001)  # type: ignore[arg-type]
