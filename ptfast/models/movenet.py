"""MoveNet: people and their joints in one pass over an image, on features of stride 4."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ptfast._check import check_integer, check_number
from ptfast.models.images import check_images
from ptfast.models.layers import MOST_CHANNELS, channels_last
from ptfast.models.movenet_layers import Head, InvertedResidual, Separable, pad_for_stride_2, pointwise, relu6

STAGES = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
"""Channels at width 1, blocks and stride of each stage."""
LAST_CHANNELS = 1280  # at every width
TAPS = (9, 5, 2)  # the last blocks of stride 16, 8 and 4
LATERALS = (64, 64, 32, 24)  # channels of the features that meet at stride 32, 16, 8 and 4
FINEST = 24  # channels of what the heads see
HEAD_CHANNELS = 96
WIDEST = 64.0  # far more than any has
SCALE = 0.007843017578125  # of an image's values, before 1 is taken away: 1 / 127.5 in float16, as published


@dataclass(frozen=True)
class MoveNetArchitecture:
    """Sizes of a MoveNet. The defaults are MultiPose Lightning.

    Attributes:
        width: Factor on the channels of the backbone: 1.5 in MultiPose, 1.75 in SinglePose Thunder and 1.0 in
            SinglePose Lightning.
        boxes: Has maps of people's boxes, as MultiPose has and SinglePose has not.
        joints: K.
    """

    width: float = 1.5
    boxes: bool = True
    joints: int = 17


class MoveNet(nn.Module):
    """MoveNet: MobileNetV2 with a feature pyramid down to stride 4, and CenterNet's heads.

    `decode_multipose` and `decode_singlepose` find people in its maps.

    Args:
        architecture: Its sizes.

    Attributes:
        architecture: The same.
        multiple: Height and width of images must be multiples of it, 32.

    Raises:
        ValueError: An entry of the architecture is out of range.

    Source:
        Votel and Li 2021 (Next-Generation Pose Detection with MoveNet and TensorFlow.js); Sandler et al. 2018
        (MobileNetV2) for the backbone; Zhou et al. 2019 (Objects as Points) for the heads.
    """

    multiple = 32

    def __init__(self, architecture: MoveNetArchitecture) -> None:
        super().__init__()
        check_architecture(architecture)
        self.architecture = a = architecture
        channels = scaled(32, a.width)
        self.stem = nn.Conv2d(3, channels, 3, stride=2)
        self.blocks = nn.ModuleList()
        for base, count, stride in STAGES:
            for index in range(count):
                wanted = scaled(base, a.width)
                block_stride = 1 if index else stride
                block = InvertedResidual(channels, wanted, stride=block_stride, expand=len(self.blocks) > 0)
                self.blocks.append(block)
                channels = wanted
        self.last = pointwise(channels, LAST_CHANNELS)
        inputs = [LAST_CHANNELS, scaled(64, a.width), scaled(32, a.width), scaled(24, a.width)]
        self.lateral = nn.ModuleList(pointwise(*pair) for pair in zip(inputs, LATERALS, strict=True))
        outputs = (*LATERALS[2:], FINEST)
        self.smooth = nn.ModuleList(Separable(*pair) for pair in zip(LATERALS[1:], outputs, strict=True))
        self.heads = nn.ModuleDict({name: Head(FINEST, HEAD_CHANNELS, count) for name, count in head_sizes(a).items()})
        channels_last(self)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Maps of people and joints.

        Args:
            images: (B, 3, H, W) red, green and blue from 0 to 255, of any dtype, with H and W multiples of 32.

        Returns:
            Float32 maps (B, C, H / 4, W / 4) by name. Places and lengths are in map pixels, y before x:

            - center (C = 1): probability that a person's centre is here.
            - kpt_heatmap (K): probability that a joint is here.
            - kpt_regress (2 K): from a person's centre to the joints.
            - kpt_offset (2 K): from a joint's pixel to its place.
            - box_scale (2), with boxes: height and width of a person's box.
            - box_offset (2), with boxes: from a person's centre to the box's.

        Raises:
            ValueError: `images` has another shape.
        """
        check_images(images, self.multiple)
        images = images.to(torch.float32, memory_format=torch.channels_last) * SCALE - 1
        features = self.features(images.to(self.stem.weight.dtype))
        maps = {name: head(features).float() for name, head in self.heads.items()}
        for name in ("center", "kpt_heatmap"):
            maps[name] = maps[name].sigmoid()
        return maps

    def features(self, x: Tensor) -> Tensor:
        """(B, 24, H / 4, W / 4) of images (B, 3, H, W) from -1 to 1."""
        x = relu6(self.stem(pad_for_stride_2(x)))
        kept = {}
        for index, block in enumerate(self.blocks):
            x = block(x)
            kept[index] = x
        x = self.lateral[0](relu6(self.last(x)))
        for lateral, smooth, tap in zip(self.lateral[1:], self.smooth, TAPS, strict=True):
            x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = smooth(lateral(kept[tap]).add_(x))
        return x


def scaled(channels: int, width: float) -> int:
    """Channels times the width, as a multiple of 8 that is at most 10 % less."""
    wanted = channels * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


def head_sizes(a: MoveNetArchitecture) -> dict[str, int]:
    """Channels of each head's maps."""
    boxes = {"box_scale": 2, "box_offset": 2} if a.boxes else {}
    return {"center": 1, **boxes, "kpt_heatmap": a.joints, "kpt_regress": 2 * a.joints, "kpt_offset": 2 * a.joints}


def check_architecture(a: MoveNetArchitecture) -> None:
    """Raises ValueError unless a MoveNet can be built so."""
    check_number("width", a.width, 0, WIDEST)
    check_integer("joints", a.joints, 1, MOST_CHANNELS)
