"""Layers over clips (B, C, T, H, W) whose 2D parts run as 2D layers over the frames, which is faster."""

from __future__ import annotations

from math import gcd

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS_PER_GROUP = 16
# A file may ask for a network of any size: far more than any has, and few enough to be built.
MOST_CHANNELS = 2**16
MOST_LAYERS = 64


def fold_frames(clips: Tensor) -> Tensor:
    """(B, C, T, H, W) to (B * T, C, H, W): a view if in channels-last memory, T = 1, or out of unfold_frames."""
    return clips.transpose(1, 2).flatten(0, 1)


def unfold_frames(frames: Tensor, length: int) -> Tensor:
    """(B * T, C, H, W) of clips of T = length frames to (B, C, T, H, W), a view."""
    return frames.unflatten(0, (-1, length)).transpose(1, 2)


def channels_last(network: nn.Module) -> None:
    """Lays the weights of convolutions out channels last, which is faster. Loading weights keeps it so."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    for weight in network.parameters():
        if weight.ndim in formats:
            weight.data = weight.data.contiguous(memory_format=formats[weight.ndim])


class ClipConv(nn.Conv3d):
    """A convolution over clips, padded in time and space so that stride 1 keeps the size. Strides are spatial.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel: Spatial width, odd.
        temporal_kernel: Temporal size, odd.
        stride: Spatial stride.
        dilation: Spatial dilation.
        bias: Adds a bias.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        temporal_kernel: int,
        stride: int = 1,
        dilation: int = 1,
        bias: bool = False,
    ) -> None:
        space = dilation * (kernel // 2)
        super().__init__(
            in_channels,
            out_channels,
            (temporal_kernel, kernel, kernel),
            stride=(1, stride, stride),
            padding=(temporal_kernel // 2, space, space),
            dilation=(1, dilation, dilation),
            bias=bias,
        )

    def forward(self, clips: Tensor) -> Tensor:
        if self.kernel_size[1:] == (1, 1) and self.stride[1] == 1 and self.kernel_size[0] > 1:
            # In 2D, with time and place as the sides: as fast in bfloat16, and in float32 several times as fast.
            lines, padding = clips.flatten(3), (self.kernel_size[0] // 2, 0)
            lines = F.conv2d(lines, self.weight.squeeze(4), self.bias, padding=padding)
            return lines.unflatten(3, clips.shape[3:])
        if self.kernel_size[0] > 1:
            return super().forward(clips)
        frames = F.conv2d(
            fold_frames(clips), self.weight.squeeze(2), self.bias, self.stride[1:], self.padding[1:], self.dilation[1:]
        )
        return unfold_frames(frames, clips.shape[2])


class FrozenBatchNorm(nn.Module):
    """Batch norm with the statistics and the affine map of a checkpoint, none of which is trained.

    Args:
        channels: Channels of the input.
        eps: Added to the variance.
    """

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, clips: Tensor) -> Tensor:
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        shift = self.bias - self.running_mean * scale
        shape = (-1, 1, 1, 1)
        return clips * scale.to(clips.dtype).view(shape) + shift.to(clips.dtype).view(shape)


class FrameGroupNorm(nn.GroupNorm):
    """Group norm of each frame by itself, in groups of 16 channels or, where these do not divide, fewer.

    Statistics over time as well would make a frame's features depend on the length of its clip, so that a long chunk
    would give other features than a sliding window. For 16 channels a group see Wu and He 2018, table 3.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels // gcd(channels, CHANNELS_PER_GROUP), channels)

    def forward(self, clips: Tensor) -> Tensor:
        return unfold_frames(super().forward(fold_frames(clips)), clips.shape[2])


class FrameBatchNorm(nn.BatchNorm2d):
    """Batch norm with trained affine maps. Statistics run over all frames of all clips of a batch, and their pixels."""

    def forward(self, clips: Tensor) -> Tensor:
        return unfold_frames(super().forward(fold_frames(clips)), clips.shape[2])


NORMALISATIONS: dict[str, type[FrozenBatchNorm | FrameGroupNorm | FrameBatchNorm]] = {
    "frozen": FrozenBatchNorm,
    "group": FrameGroupNorm,
    "batch": FrameBatchNorm,
}
