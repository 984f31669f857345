"""Parts of HRNet: modules that exchange features between branches, and the layers between them."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ptfast.models.layers import ClipConv, FrameBatchNorm, fold_frames, unfold_frames
from ptfast.models.residual import BasicBlock


class Exchange(nn.Module):
    """A module of a stage: residual blocks in each branch, then each branch gets the sum of all, resized to its own.

    Args:
        channels: Channels of each branch, finest first.
        blocks: Residual blocks of each.
        temporal_kernel: Temporal size of the 3x3 convolutions.
        outputs: Branches to give, from the finest on.
    """

    def __init__(self, channels: list[int], blocks: int, temporal_kernel: int, outputs: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(*(basic_block(size, temporal_kernel) for _ in range(blocks))) for size in channels
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(resize(channels, source, target, temporal_kernel) for source in range(len(channels)))
            for target in range(outputs)
        )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        features = [branch(x) for branch, x in zip(self.branches, features, strict=True)]
        fused = []
        for resizes in self.fuse_layers:
            first, *others = (step(x) for step, x in zip(resizes.children(), features, strict=True))
            fused.append(self.relu(sum(others, start=first)))
        return fused


class Enlarge(nn.Module):
    """Each frame 2^doublings times as high and wide, pixels repeated."""

    def __init__(self, doublings: int) -> None:
        super().__init__()
        self.scale = 2**doublings

    def forward(self, clips: Tensor) -> Tensor:
        return unfold_frames(F.interpolate(fold_frames(clips), scale_factor=self.scale, mode="nearest"), clips.shape[2])


def basic_block(channels: int, temporal_kernel: int) -> BasicBlock:
    """A residual block of a branch."""
    return BasicBlock(
        channels, channels, stride=1, dilations=(1, 1), normalisation="batch", temporal_kernel=temporal_kernel
    )


def transition(channels: list[int], wanted: list[int]) -> nn.ModuleList:
    """Layers from branches of some channels to the wanted ones. The last makes a new branch of half the resolution."""
    steps: list[nn.Module] = []
    for size, goal in zip(channels, wanted, strict=False):
        steps.append(nn.Identity() if size == goal else nn.Sequential(*conv_norm(size, goal), nn.ReLU(inplace=True)))
    halved = nn.Sequential(*conv_norm(channels[-1], wanted[-1], stride=2), nn.ReLU(inplace=True))
    return nn.ModuleList([*steps, nn.Sequential(halved)])


def resize(channels: list[int], source: int, target: int, temporal_kernel: int) -> nn.Module:
    """Layers from one branch to the resolution and the channels of another."""
    if source == target:
        return nn.Identity()
    if source > target:
        pointwise = conv_norm(channels[source], channels[target], kernel=1)
        return nn.Sequential(*pointwise, Enlarge(source - target))
    steps = []
    for level in range(source + 1, target + 1):
        last = level == target
        layers = conv_norm(
            channels[source], channels[target if last else source], stride=2, temporal_kernel=temporal_kernel
        )
        steps.append(nn.Sequential(*layers) if last else nn.Sequential(*layers, nn.ReLU(inplace=True)))
    return nn.Sequential(*steps)


def conv_norm(
    in_channels: int, out_channels: int, *, kernel: int = 3, stride: int = 1, temporal_kernel: int = 1
) -> list[nn.Module]:
    """A convolution and its norm."""
    convolution = ClipConv(in_channels, out_channels, kernel, temporal_kernel=temporal_kernel, stride=stride)
    return [convolution, FrameBatchNorm(out_channels)]
