"""Residual blocks over clips, and stages of them."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from ptfast.models.layers import NORMALISATIONS, ClipConv

Normalisation = Literal["frozen", "group", "batch"]  # the last for pose networks, whose batches are large


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around which the input is carried. The first one has the stride."""

    expansion = 1

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        stride: int,
        dilations: tuple[int, int],
        normalisation: Normalisation,
        temporal_kernel: int,
    ) -> None:
        super().__init__()
        self.channels = channels
        norm = NORMALISATIONS[normalisation]
        first, second = dilations
        self.conv1 = ClipConv(in_channels, channels, 3, temporal_kernel=temporal_kernel, stride=stride, dilation=first)
        self.bn1 = norm(channels)
        self.conv2 = ClipConv(channels, channels, 3, temporal_kernel=temporal_kernel, dilation=second)
        self.bn2 = norm(channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(in_channels, channels, stride, normalisation)

    def forward(self, clips: Tensor) -> Tensor:
        inner = self.relu(self.bn1(self.conv1(clips)))
        inner = self.bn2(self.conv2(inner))
        return self.relu(inner + self.downsample(clips))


class Bottleneck(nn.Module):
    """A 3x3 convolution between two of 1x1 that narrow and widen, around them the input.

    The 3x3 one has the stride, or with `stride_in_1x1` the one before it, as in the first ResNets (He et al. 2015).
    `temporal_1x1` is the temporal size of the first one.
    """

    expansion = 4

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        stride: int,
        dilations: tuple[int, int],
        normalisation: Normalisation,
        temporal_kernel: int,
        stride_in_1x1: bool = False,
        temporal_1x1: int = 1,
    ) -> None:
        super().__init__()
        norm = NORMALISATIONS[normalisation]
        self.channels = wide = channels * self.expansion
        first, second = (stride, 1) if stride_in_1x1 else (1, stride)
        self.conv1 = ClipConv(in_channels, channels, 1, temporal_kernel=temporal_1x1, stride=first)
        self.bn1 = norm(channels)
        self.conv2 = ClipConv(
            channels, channels, 3, temporal_kernel=temporal_kernel, stride=second, dilation=dilations[stride_in_1x1]
        )
        self.bn2 = norm(channels)
        self.conv3 = ClipConv(channels, wide, 1, temporal_kernel=1)
        self.bn3 = norm(wide)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(in_channels, wide, stride, normalisation)

    def forward(self, clips: Tensor) -> Tensor:
        inner = self.relu(self.bn1(self.conv1(clips)))
        inner = self.relu(self.bn2(self.conv2(inner)))
        inner = self.bn3(self.conv3(inner))
        return self.relu(inner + self.downsample(clips))


LAYOUTS: dict[int, tuple[type[BasicBlock | Bottleneck], tuple[int, int, int, int]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
}


def shortcut(in_channels: int, out_channels: int, stride: int, normalisation: Normalisation) -> nn.Module:
    """Carries a block's input past it: as it is, or through a 1x1 convolution where the shape changes."""
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    convolution = ClipConv(in_channels, out_channels, 1, temporal_kernel=1, stride=stride)
    return nn.Sequential(convolution, NORMALISATIONS[normalisation](out_channels))


def residual_stage(
    depth: int,
    in_channels: int,
    channels: int,
    count: int,
    stride: int,
    normalisation: Normalisation,
    temporal_kernel: int,
    dilated: bool = False,
    stride_in_1x1: bool = False,
) -> nn.Sequential:
    """`count` blocks of a ResNet of that depth, the first with the stride and, if `dilated`, all later ones dilated."""
    block = LAYOUTS[depth][0]
    options = {"stride_in_1x1": True} if stride_in_1x1 else {}  # basic blocks have no 1x1 convolution
    blocks = []
    for index in range(count):
        # The convolution that would have had the stride still sees what stride 16 sees, hence its dilation 1.
        first = 2 if dilated and index > 0 else 1
        blocks.append(
            block(
                channels * block.expansion if index else in_channels,
                channels,
                stride=1 if index else stride,
                dilations=(first, 2 if dilated else 1),
                normalisation=normalisation,
                temporal_kernel=temporal_kernel,
                **options,
            )
        )
    return nn.Sequential(*blocks)
