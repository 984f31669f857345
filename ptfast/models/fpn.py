"""Feature pyramid over clips."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ptfast.models.layers import ClipConv, fold_frames, unfold_frames


class FeaturePyramid(nn.Module):
    """Feature pyramid network: every level gets the content of all coarser ones, at one number of channels.

    Each input goes through a 1x1x1 convolution, receives the coarser level enlarged twice in space (nearest), and
    leaves through a K_T x 3 x 3 convolution. One more level is the coarsest output at every other pixel. Time is never
    resized. Parameters have the names of torchvision's FeaturePyramidNetwork.

    Args:
        in_channels: Channels of each input level, finest first.
        channels: Channels of every output level.
        temporal_kernel: K_T, odd; 1 gives the 2D pyramid, frame by frame.

    Source:
        Lin et al. 2017, section 3; the additional level is that of their section 4.1.
    """

    def __init__(self, in_channels: list[int], channels: int = 256, *, temporal_kernel: int = 3) -> None:
        super().__init__()
        self.inner_blocks = nn.ModuleList(
            nn.Sequential(ClipConv(size, channels, 1, temporal_kernel=1, bias=True)) for size in in_channels
        )
        self.layer_blocks = nn.ModuleList(
            nn.Sequential(ClipConv(channels, channels, 3, temporal_kernel=temporal_kernel, bias=True))
            for _ in in_channels
        )
        for module in self.modules():
            if isinstance(module, ClipConv) and module.bias is not None:
                nn.init.kaiming_uniform_(module.weight, a=1)
                nn.init.zeros_(module.bias)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """Levels of the pyramid.

        Args:
            features: (B, in_channels, T, H, W) of each level, finest first. Each has half the height and width of the
                one before, rounded up.

        Returns:
            (B, channels, T, H, W) of each input level, and of one level more.

        Raises:
            ValueError: There are more or fewer levels than the pyramid has.
        """
        if len(features) != len(self.inner_blocks):
            raise ValueError(f"features must have {len(self.inner_blocks)} levels, got {len(features)}")
        inner = [block(level) for block, level in zip(self.inner_blocks, features, strict=True)]
        for level in range(len(inner) - 2, -1, -1):
            inner[level] = inner[level] + enlarge(inner[level + 1], like=inner[level])
        levels = [block(level) for block, level in zip(self.layer_blocks, inner, strict=True)]
        return [*levels, levels[-1][..., ::2, ::2]]


def enlarge(clips: Tensor, *, like: Tensor) -> Tensor:
    """Repeats pixels to the height and width of `like`."""
    frames = F.interpolate(fold_frames(clips), size=like.shape[-2:], mode="nearest")
    return unfold_frames(frames, clips.shape[2])
