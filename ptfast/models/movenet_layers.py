"""Layers of MoveNet: MobileNetV2's inverted residual blocks with TensorFlow's padding, and separable convolutions."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

EXPANSION = 6  # channels inside a block, as a multiple of its input's
MOST_VALUES = 2**21  # of the maps inside a block at a time, on the CPU
CHANNELS_PER_PART = 16  # or a multiple


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
        # Of the input and its expansion, the input is the smaller one to pad, which makes a copy.
        padded = pad_for_stride_2(x) if self.stride == 2 else x
        first, *others = self.parts(padded)
        y = self.part(padded, first, self.project.bias)
        for part in others:
            y = y.add_(self.part(padded, part, None))
        return y.add_(x) if self.adds_input else y

    def parts(self, x: Tensor) -> list[slice]:
        """The channels inside the block, on the CPU in parts whose maps stay small.

        The memory of larger ones is fetched from the system and given back every time, at the cost of a third of a
        forward pass.
        """
        inside = self.depthwise.in_channels
        if self.expand is None or x.device.type != "cpu":
            return [slice(0, inside)]
        most = MOST_VALUES // max(1, x.numel() // x.shape[1])
        step = min(inside, max(CHANNELS_PER_PART, most // CHANNELS_PER_PART * CHANNELS_PER_PART))
        return [slice(start, min(start + step, inside)) for start in range(0, inside, step)]

    def part(self, x: Tensor, part: slice, bias: Tensor | None) -> Tensor:
        """What some of the channels inside the block add to its output."""
        if self.expand is not None:
            x = F.conv2d(x, self.expand.weight[part], chosen(self.expand.bias, part))
            if self.stride == 2:  # the padding is 0 after the expansion, too, whatever its bias
                x[..., -1, :] = 0
                x[..., -1] = 0
            x = relu6(x)
        layer = self.depthwise
        weight = layer.weight[part]
        x = F.conv2d(x, weight, chosen(layer.bias, part), layer.stride, layer.padding, groups=len(weight))
        return F.conv2d(relu6(x), self.project.weight[:, part], bias)


def chosen(bias: Tensor | None, part: slice) -> Tensor | None:
    """Some entries of a bias, if there is one."""
    return None if bias is None else bias[part]


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
