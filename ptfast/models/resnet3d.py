"""Residual networks over clips. With temporal_kernel=1 they are the usual 2D networks, frame by frame."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ptfast._check import check_integer, check_number, check_shape
from ptfast.models.layers import (
    MOST_CHANNELS,
    MOST_LAYERS,
    NORMALISATIONS,
    ClipConv,
    FrameGroupNorm,
    fold_frames,
    unfold_frames,
)
from ptfast.models.residual import LAYOUTS, BasicBlock, Bottleneck, Normalisation, residual_stage


class ResNet3d(nn.Module):
    """3D ResNet with convolutions inflated in time to their spatial width and no temporal stride.

    Parameters have the names of torchvision's ResNet (conv1, bn1, layer1.0.conv1, ...), whose weights fit after
    `inflate`. A 3x3 convolution becomes 3x3x3, a 1x1 stays 1x1x1 and the first one is 3x7x7, each padded in time as in
    space, so that a clip keeps its T frames.

    Args:
        depth: 18, 50 or 101 layers.
        stages: Residual stages, 1 to 4: 3 ends after res4, as the paper does; 4 includes res5, for a feature pyramid.
        output_stride: Spatial stride after res4, 16 or 8. With 8, res4 has no stride and its later convolutions are
            dilated by 2: it computes the features of stride 16, and those between them, with the same weights.
        normalisation: "frozen" batch norm, for weights from a checkpoint, or "group" norm, for training from scratch.
        width: Factor on all channels; 64 * width must be a multiple of 8.
        temporal_kernel: Temporal size of the 3x3 and 7x7 convolutions, odd; 1 gives the 2D network.
        temporal_stages: Residual stages, from the first, that have it. Later ones look at each frame by itself.
        stride_in_1x1: Bottlenecks have their stride in the first 1x1 convolution, not in the 3x3 one.

    Attributes:
        channels: Channels of each stage's features.
        strides: Their spatial strides.

    Raises:
        ValueError: An argument is none of those above.

    Source:
        Girdhar et al. 2018 (Detect-and-Track), section 3.1. Its text has stride 8, its released code stride 16.
    """

    def __init__(
        self,
        depth: int,
        *,
        stages: int = 3,
        output_stride: int = 16,
        normalisation: Normalisation = "frozen",
        width: float = 1.0,
        temporal_kernel: int = 3,
        temporal_stages: int = 4,
        stride_in_1x1: bool = False,
    ) -> None:
        super().__init__()
        check_arguments(depth, stages, output_stride, normalisation, width, temporal_kernel, stride_in_1x1)
        check_integer("temporal_stages", temporal_stages, 0, 4)
        block, counts = LAYOUTS[depth]
        base = round(64 * width)
        self.conv1 = ClipConv(3, base, 7, temporal_kernel=temporal_kernel, stride=2)
        self.bn1 = NORMALISATIONS[normalisation](base)
        self.relu = nn.ReLU(inplace=True)
        self.stages = stages
        self.channels = [base * 2**stage * block.expansion for stage in range(stages)]
        self.strides = [min(4 * 2**stage, output_stride) if stage < 3 else 32 for stage in range(stages)]
        for stage in range(stages):
            dilated = self.strides[stage] < 4 * 2**stage
            stride = 2 if stage > 0 and not dilated else 1
            inside = base if stage == 0 else self.channels[stage - 1]
            blocks = residual_stage(
                depth,
                inside,
                base * 2**stage,
                counts[stage],
                stride,
                normalisation,
                temporal_kernel if stage < temporal_stages else 1,
                dilated,
                stride_in_1x1,
            )
            self.add_module(f"layer{stage + 1}", blocks)
        initialise(self)

    def forward(self, clips: Tensor) -> list[Tensor]:
        """Features of every stage.

        Args:
            clips: (B, 3, T, H, W), normalised.

        Returns:
            (B, channels, T, H / stride, W / stride) of each stage, finest first, sizes rounded up.

        Raises:
            ValueError: `clips` has another shape.
        """
        check_shape("clips", clips, ("B", 3, "T", "H", "W"))
        stem = self.relu(self.bn1(self.conv1(clips)))
        pooled = unfold_frames(F.max_pool2d(fold_frames(stem), 3, 2, 1), clips.shape[2])
        features = []
        for stage in range(self.stages):
            pooled = self.get_submodule(f"layer{stage + 1}")(pooled)
            features.append(pooled)
        return features


def check_arguments(
    depth: int,
    stages: int,
    output_stride: int,
    normalisation: str,
    width: float,
    temporal_kernel: int,
    stride_in_1x1: bool,
) -> None:
    """Raises ValueError unless a ResNet3d can be built with these arguments."""
    if depth not in LAYOUTS:
        raise ValueError(f"depth must be 18, 50 or 101, got {depth}")
    check_integer("stages", stages, 1, 4)
    if output_stride not in (8, 16):
        raise ValueError(f"output_stride must be 8 or 16, got {output_stride}")
    if output_stride == 8 and stages == 4:
        raise ValueError("output_stride must be 16 with 4 stages, got 8")
    if normalisation not in ("frozen", "group"):  # statistics of a detector's few clips would not do
        raise ValueError(f"normalisation must be 'frozen' or 'group', got {normalisation!r}")
    if width <= 0 or 64 * width % 8:
        raise ValueError(f"width must make 64 * width a positive multiple of 8, got {width}")
    check_number("width", width, 0, MOST_CHANNELS / 64)
    check_integer("temporal_kernel", temporal_kernel, 1, MOST_LAYERS)
    if temporal_kernel % 2 == 0:
        raise ValueError(f"temporal_kernel must be odd, got {temporal_kernel}")
    if stride_in_1x1 and LAYOUTS[depth][0] is BasicBlock:
        raise ValueError(f"stride_in_1x1 needs the bottlenecks of depth 50 or 101, got {depth}")


def initialise(network: nn.Module) -> None:
    """Initialises as He et al. do. Blocks under group norm start as the identity, which trains better from scratch."""
    for module in network.modules():
        if isinstance(module, ClipConv):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, BasicBlock | Bottleneck):
            last = module.bn2 if isinstance(module, BasicBlock) else module.bn3
            if isinstance(last, FrameGroupNorm):
                nn.init.zeros_(last.weight)
