"""Heads over the features of tubes: person or not, the tube's exact place, and heatmaps of the joints."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from ptfast.models.layers import ClipConv, fold_frames, unfold_frames
from ptfast.models.residual import Normalisation, residual_stage

Upsampling = Literal["deconv", "bilinear"]


class BlockBoxHead(nn.Module):
    """Residual 3D blocks, then the mean over each frame.

    Args:
        in_channels: Channels of a tube's features.
        channels: Channels of the blocks.
        blocks: Number of blocks.
        stride: Spatial stride of the first one.
        depth: Layers of the body, which has blocks of the same kind.
        normalisation: Kind of norm, the body's.
        temporal_kernel: Temporal size of the 3x3 convolutions.

    Source:
        Girdhar et al. 2018 (Detect-and-Track), section 3.1: "a 3D ResNet block"; released with res5's, without stride.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        blocks: int,
        stride: int,
        depth: int,
        normalisation: Normalisation,
        temporal_kernel: int,
    ) -> None:
        super().__init__()
        self.blocks = residual_stage(depth, in_channels, channels, blocks, stride, normalisation, temporal_kernel)
        self.channels: int = self.blocks[-1].channels  # type: ignore[assignment]

    def forward(self, features: Tensor) -> Tensor:
        """(M, in_channels, T, 7, 7) features of tubes to (M, T, channels)."""
        return self.blocks(features).mean((3, 4)).transpose(1, 2)


class MlpBoxHead(nn.Module):
    """Two fully connected layers over each frame's features.

    Args:
        in_channels: Channels of a tube's features, 7 x 7 of them a frame.
        channels: Width of both layers.

    Source:
        Lin et al. 2017 (Feature Pyramid Networks), section 4.2; Girdhar et al. 2018, section 4.2, for its best model.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.fc6 = nn.Linear(in_channels * 49, channels)
        self.fc7 = nn.Linear(channels, channels)
        self.channels = channels

    def forward(self, features: Tensor) -> Tensor:
        """(M, in_channels, T, 7, 7) features of tubes to (M, T, channels)."""
        return F.relu(self.fc7(F.relu(self.fc6(features.transpose(1, 2).flatten(2)))))


class BoxPredictor(nn.Module):
    """A tube's class logits, the mean over its frames, and each frame's shift of its box.

    Args:
        channels: Channels of the head before it.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cls_score = nn.Linear(channels, 2)
        self.bbox_pred = nn.Linear(channels, 4)
        nn.init.normal_(self.cls_score.weight, std=0.01)
        nn.init.normal_(self.bbox_pred.weight, std=0.001)
        nn.init.zeros_(self.cls_score.bias)
        nn.init.zeros_(self.bbox_pred.bias)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(M, T, channels) to (M, 2) logits of background and person, and (M, T, 4) shifts, float32."""
        return self.cls_score(features).float().mean(1), self.bbox_pred(features).float()


class KeypointHead(nn.Module):
    """Convolutions over a tube's features, then four times the size, to a heatmap of each joint in each frame.

    Args:
        in_channels: Channels of a tube's features.
        channels: Channels of the convolutions.
        convs: Number of convolutions.
        joints: K.
        temporal_kernel: Temporal size of the convolutions, odd.
        upsampling: Second doubling of the size. "deconv" is a transposed convolution, as the first is, "bilinear" an
            enlargement of the heatmaps, as in Mask R-CNN's code.

    Source:
        Girdhar et al. 2018 (Detect-and-Track), section 3.1; He et al. 2017 (Mask R-CNN), section 5.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        convs: int,
        joints: int,
        *,
        temporal_kernel: int,
        upsampling: Upsampling = "deconv",
    ) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            ClipConv(channels if i else in_channels, channels, 3, temporal_kernel=temporal_kernel, bias=True)
            for i in range(convs)
        )
        self.deconv = None
        if upsampling == "deconv":
            self.deconv = nn.ConvTranspose2d(channels, channels, 4, stride=2, padding=1)
        self.heatmaps = nn.ConvTranspose2d(channels, joints, 4, stride=2, padding=1)
        for layer in (*self.convs, self.deconv, self.heatmaps):
            if layer is not None:
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def forward(self, features: Tensor) -> Tensor:
        """(M, in_channels, T, R, R) features of tubes to (M, K, T, 4R, 4R) heatmaps: logits, float32."""
        for conv in self.convs:
            features = F.relu(conv(features))
        frames = fold_frames(features)
        if self.deconv is not None:
            frames = F.relu(self.deconv(frames))
        frames = self.heatmaps(frames).float()
        if self.deconv is None:
            frames = F.interpolate(frames, scale_factor=2, mode="bilinear", align_corners=False)
        return unfold_frames(frames, features.shape[2])
