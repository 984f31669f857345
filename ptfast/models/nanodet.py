"""NanoDet-g: a small detector of COCO's classes, of 3x3 convolutions alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ptfast._check import check_integer
from ptfast.models.images import check_images
from ptfast.models.layers import MOST_CHANNELS, channels_last

MEAN = (123.675, 116.28, 103.53)  # red, green, blue
STD = (58.395, 57.12, 57.375)
SPLITS = (1, 2, 2, 3)  # of each stage
BINS = 11  # of the distribution of a distance, a stride apart


@dataclass(frozen=True)
class NanoDetArchitecture:
    """Sizes of a NanoDet. The defaults are NanoDet-g as published.

    Attributes:
        classes: Kinds of objects, C.
        channels: Channels of the stem, even. The stages have 2, 4, 8 and 16 times as many, the pyramid 4 times.
    """

    classes: int = 80
    channels: int = 32


class NanoDet(nn.Module):
    """NanoDet-g: a cross-stage partial network, a path aggregation network and one head for each of three strides.

    `decode_nanodet` finds objects in its maps.

    Args:
        architecture: Its sizes.

    Attributes:
        architecture: The same.
        multiple: Height and width of images must be multiples of it, 32.

    Raises:
        ValueError: An entry of the architecture is out of range.

    Source:
        Lyu 2021 (NanoDet), the public code; Wang et al. 2020 (CSPNet), section 3.2, for the backbone; Li et al. 2020
        (Generalized Focal Loss), section 3.2, for the distributions of distances.
    """

    multiple = 32

    def __init__(self, architecture: NanoDetArchitecture) -> None:
        super().__init__()
        check_architecture(architecture)
        self.architecture = a = architecture
        self.stem = convolution(3, a.channels, stride=2)
        sizes = [a.channels * 2**stage for stage in range(5)]
        self.stages = nn.ModuleList(
            Stage(sizes[index], sizes[index + 1], splits, stride=2 if index else 1)
            for index, splits in enumerate(SPLITS)
        )
        pyramid = 4 * a.channels
        self.lateral = nn.ModuleList(nn.Conv2d(size, pyramid, 1) for size in sizes[2:])
        self.tower = nn.ModuleList(convolution(pyramid, pyramid) for _ in sizes[2:])
        self.out = nn.ModuleList(nn.Conv2d(pyramid, a.classes + 4 * BINS, 1) for _ in sizes[2:])
        channels_last(self)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps of objects at strides 8, 16 and 32.

        Args:
            images: (B, 3, H, W) red, green and blue from 0 to 255, of any dtype, with H and W multiples of 32.

        Returns:
            Float32 logits (B, C + 44, H / s, W / s) of each stride s: of the classes, then of the distances from a
            cell's centre to the left, top, right and bottom of its object, each in 11 bins 0 to 10 strides away.

        Raises:
            ValueError: `images` has another shape.
        """
        check_images(images, self.multiple)
        images = images.to(torch.float32, memory_format=torch.channels_last)
        mean, std = (torch.tensor(values, device=images.device).view(3, 1, 1) for values in (MEAN, STD))
        x = ((images - mean) / std).to(self.stem.weight.dtype)
        # The published weights take blue, green and red.
        x = F.conv2d(x, self.stem.weight.flip(1), self.stem.bias, self.stem.stride, self.stem.padding)
        x = F.max_pool2d(activated(x), 3, 2, 1)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        levels = self.aggregated(features[1:])
        heads = zip(self.out, self.tower, levels, strict=True)
        return [out(activated(tower(level))).float() for out, tower, level in heads]

    def aggregated(self, features: list[Tensor]) -> list[Tensor]:
        """(B, 4 c, H / s, W / s) of each stride s, to which first the coarser and then the finer ones are added."""
        levels = [lateral(x) for lateral, x in zip(self.lateral, features, strict=True)]
        for index in (1, 0):
            levels[index] = levels[index] + resized(levels[index + 1], levels[index])
        for index in (1, 2):
            levels[index] = levels[index] + resized(levels[index - 1], levels[index])
        return levels


class Stage(nn.Module):
    """A cross-stage partial stage: half of its output skips the splits."""

    def __init__(self, in_channels: int, out_channels: int, splits: int, *, stride: int) -> None:
        super().__init__()
        half = out_channels // 2
        self.enter = convolution(in_channels, half, stride=stride)
        self.splits = nn.ModuleList(Split(half) for _ in range(splits))
        self.leave = convolution(half, half)

    def forward(self, x: Tensor) -> Tensor:
        x = y = activated(self.enter(x))
        for split in self.splits:
            y = split(y)
        return torch.cat([activated(self.leave(y)), x], 1)


class Split(nn.Module):
    """Two convolutions, the second after the first, side by side in the output."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels // 2)
        self.second = convolution(channels // 2, channels // 2)

    def forward(self, x: Tensor) -> Tensor:
        x = activated(self.first(x))
        return torch.cat([activated(self.second(x)), x], 1)


def convolution(in_channels: int, out_channels: int, *, stride: int = 1) -> nn.Conv2d:
    """A padded 3x3 convolution, into which a batch norm is folded."""
    return nn.Conv2d(in_channels, out_channels, 3, stride, 1)


def activated(x: Tensor) -> Tensor:
    """Leaky ReLU, in place."""
    return F.leaky_relu_(x, 0.1)


def resized(x: Tensor, like: Tensor) -> Tensor:
    """Features resampled to the size of others."""
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)


def check_architecture(a: NanoDetArchitecture) -> None:
    """Raises ValueError unless a NanoDet can be built so."""
    check_integer("classes", a.classes, 1, MOST_CHANNELS)
    check_integer("channels", a.channels, 2, MOST_CHANNELS // 16)
    if a.channels % 2:
        raise ValueError(f"channels must be even, got {a.channels}")
