"""Layers of MoveNet: MobileNetV2's inverted residual blocks with TensorFlow's padding, and separable convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EXPANSION = 6  # channels inside a block, as a multiple of its input's
MOST_VALUES = 2**21  # of the maps inside a block at a time, on the CPU
LEAST_ROWS = 4  # of a block's output at a time


def relu6(x: Tensor) -> Tensor:
    """The activation of the backbone, in place."""
    return F.hardtanh_(x, 0.0, 6.0)


def pad_for_stride_2(x: Tensor) -> Tensor:
    """Adds a row below and a column on the right, as TensorFlow pads even sides for a 3x3 kernel of stride 2."""
    return F.pad(x, (0, 1, 0, 1))


def pointwise(in_channels: int, out_channels: int) -> nn.Conv2d:
    """A 1x1 convolution."""
    return nn.Conv2d(in_channels, out_channels, 1)


def depthwise(channels: int, *, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    """A 3x3 convolution of each channel by itself; for stride 2, inputs come out of `pad_for_stride_2`."""
    return nn.Conv2d(channels, channels, 3, stride, padding=2 - stride, groups=channels, bias=bias)


class InvertedResidual(nn.Module):
    """A block of MobileNetV2: more channels, a convolution of each, fewer channels. Batch norms are folded in.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: 1 or 2.
        expand: Begins with more channels; the network's first block does not.

    Source:
        Sandler et al. 2018 (MobileNetV2), section 3.
    """

    def __init__(self, in_channels: int, out_channels: int, *, stride: int, expand: bool) -> None:
        super().__init__()
        inside = in_channels * EXPANSION if expand else in_channels
        self.expand = pointwise(in_channels, inside) if expand else None
        self.depthwise = depthwise(inside, stride=stride)
        self.project = pointwise(inside, out_channels)
        self.stride = stride
        self.adds_input = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        height = x.shape[2] // self.stride
        rows = self.rows_at_a_time(x)
        if rows >= height:
            y = self.strip(x, 0, height)
        else:
            shape = (len(x), self.project.out_channels, height, x.shape[3] // self.stride)
            y = x.new_empty(shape).contiguous(memory_format=torch.channels_last)
            for first in range(0, height, rows):
                last = min(first + rows, height)
                y[:, :, first:last] = self.strip(x, first, last)
        return y.add_(x) if self.adds_input else y

    def rows_at_a_time(self, x: Tensor) -> int:
        """Rows of the output that are computed together: on the CPU, in strips whose maps inside the block stay small.

        The memory of larger ones is fetched from the system and given back every time, and is far from the processor,
        at the cost of a third of a forward pass.
        """
        if x.device.type != "cpu":
            return x.shape[2]
        a_row = len(x) * self.depthwise.in_channels * x.shape[3] * self.stride
        return max(LEAST_ROWS, MOST_VALUES // max(1, a_row))

    def strip(self, x: Tensor, first: int, last: int) -> Tensor:
        """Rows `first` to `last` (B, C, last - first, w) of what the block adds, of its whole input (B, C, H, W)."""
        if self.stride == 2:
            # The padding is 0 after the expansion, too, whatever its bias; the input is the smaller one to pad.
            below = 2 * last == x.shape[2]
            y = F.pad(x[:, :, 2 * first : 2 * last + 1], (0, 1, 0, int(below)))
            if self.expand is not None:
                y = self.expand(y)
                y[..., -1] = 0
                if below:
                    y[..., -1, :] = 0
                relu6(y)
            return self.project(relu6(self.depthwise(y)))
        above = max(0, first - 1)  # the kernel sees a neighbour on either side
        y = x[:, :, above : last + 1]
        y = y if self.expand is None else relu6(self.expand(y))
        y = relu6(self.depthwise(y))
        return self.project(y[:, :, first - above : last - above])


class Separable(nn.Module):
    """A 3x3 convolution of each channel by itself, then one of all channels in each pixel, then ReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.depthwise = depthwise(in_channels, bias=False)
        self.pointwise = pointwise(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu_(self.pointwise(self.depthwise(x)))


class Head(nn.Module):
    """Maps of one kind, from the finest features."""

    def __init__(self, in_channels: int, hidden: int, out_channels: int) -> None:
        super().__init__()
        self.hidden = Separable(in_channels, hidden)
        self.out = pointwise(hidden, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.hidden(x))
