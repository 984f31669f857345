"""3D Mask R-CNN for keypoints: from a clip to tubes of people with heatmaps of their joints in every frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from ptfast._check import check_integer
from ptfast.models.anchors import base_anchors, detectron_anchors, grid_anchors
from ptfast.models.fpn import FeaturePyramid
from ptfast.models.heads import BlockBoxHead, BoxPredictor, KeypointHead, MlpBoxHead, Upsampling
from ptfast.models.images import IMAGE_MEAN, Colour, check_colour
from ptfast.models.layers import MOST_CHANNELS, MOST_LAYERS, channels_last
from ptfast.models.proposals import TubeProposalNetwork
from ptfast.models.residual import Normalisation
from ptfast.models.resnet3d import ResNet3d
from ptfast.ops import pyramid_tube_roi_align, tube_roi_align

BOX_BINS, KEYPOINT_BINS = 7, 14  # of RoIAlign, along a side


@dataclass(frozen=True)
class Architecture:
    """Sizes and kinds of a MaskRcnn3d's parts. The defaults are Detect-and-Track's 3D model (Girdhar et al. 2018,
    section 3.1).

    Attributes:
        depth: Layers of the ResNet: 18, 50 or 101.
        width: Factor on its channels.
        temporal_kernel: Temporal size K_T of all 3x3 and 7x7 convolutions; 1 makes the 2D model.
        temporal_stages: Residual stages of the body that have it. The paper's body ends after the third. With 3, the
            fourth, which a pyramid adds, sees each frame by itself.
        output_stride: 8 or 16, of a model without a pyramid.
        pyramid_channels: Channels of a feature pyramid over res2 to res5, or None for res4's features alone.
        normalisation: "frozen" batch norm or "group" norm.
        anchor_sizes: Square roots of the anchors' areas, in pixels; with a pyramid one for each of its five levels.
        anchor_ratios: Their heights over widths.
        box_head: "block", residual blocks, or "mlp", two fully connected layers.
        box_channels: Channels of the blocks, before a bottleneck's widening, or of the layers.
        box_blocks: Blocks in the head.
        box_stride: Spatial stride of the first of them.
        keypoint_convs: Convolutions of the keypoint head.
        keypoint_channels: Their channels.
        upsampling: "deconv": two transposed convolutions, or "bilinear": one and a bilinear enlargement.
        joints: K.
        stride_in_1x1: Bottlenecks have their stride in the first 1x1 convolution, not in the 3x3 one.
        anchor_layout: "torchvision", centred at each feature pixel's origin, or "detectron", at its middle.
        image_mean: Mean colour that `normalise_clips` must subtract from images for this network.
    """

    depth: int = 18
    width: float = 1.0
    temporal_kernel: int = 3
    temporal_stages: int = 4
    output_stride: int = 8
    pyramid_channels: int | None = None
    normalisation: Normalisation = "frozen"
    anchor_sizes: tuple[float, ...] = (64.0, 128.0, 256.0, 512.0)
    anchor_ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    box_head: Literal["block", "mlp"] = "block"
    box_channels: int = 512
    box_blocks: int = 1
    box_stride: int = 1
    keypoint_convs: int = 8
    keypoint_channels: int = 512
    upsampling: Upsampling = "deconv"
    joints: int = 15
    stride_in_1x1: bool = False
    anchor_layout: Literal["torchvision", "detectron"] = "torchvision"
    image_mean: Colour = IMAGE_MEAN


class MaskRcnn3d(nn.Module):
    """3D Mask R-CNN with a keypoint head. `ptfast.models.detect` runs all of its parts.

    Args:
        architecture: Sizes and kinds of its parts.

    Attributes:
        architecture: The same.
        strides: Image pixels a feature pixel of each level, finest first.

    Raises:
        ValueError: An entry of the architecture is out of range, or the sizes of the anchors do not fit the levels.

    Source:
        Girdhar et al. 2018 (Detect-and-Track), section 3.1 and figure 2.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = a = architecture
        self.body = ResNet3d(
            a.depth,
            stages=3 if a.pyramid_channels is None else 4,
            output_stride=a.output_stride if a.pyramid_channels is None else 16,
            normalisation=a.normalisation,
            width=a.width,
            temporal_kernel=a.temporal_kernel,
            temporal_stages=a.temporal_stages,
            stride_in_1x1=a.stride_in_1x1,
        )
        self.pyramid = None
        channels, self.strides = self.body.channels[-1], self.body.strides[-1:]
        if a.pyramid_channels is not None:
            check_integer("pyramid_channels", a.pyramid_channels, 1, MOST_CHANNELS)
            self.pyramid = FeaturePyramid(self.body.channels, a.pyramid_channels, temporal_kernel=a.temporal_kernel)
            channels, self.strides = a.pyramid_channels, [*self.body.strides, 2 * self.body.strides[-1]]
        check_architecture(a, len(self.strides))
        anchors = len(a.anchor_ratios) * len(level_sizes(a, 0))
        self.proposals = TubeProposalNetwork(channels, anchors, temporal_kernel=a.temporal_kernel)
        self.box_head = box_head(a, channels)
        self.box_predictor = BoxPredictor(self.box_head.channels)
        self.keypoint_head = KeypointHead(
            channels,
            a.keypoint_channels,
            a.keypoint_convs,
            a.joints,
            temporal_kernel=a.temporal_kernel,
            upsampling=a.upsampling,
        )
        channels_last(self)

    def features(self, clips: Tensor) -> list[Tensor]:
        """Features of every level.

        Args:
            clips: (B, 3, T, H, W) normalised images. H and W are multiples of the largest stride.

        Returns:
            (B, C, T, H / stride, W / stride) for each of `strides`.
        """
        stages = self.body(clips)
        return stages[-1:] if self.pyramid is None else self.pyramid(stages)

    def anchors(self, features: list[Tensor]) -> list[Tensor]:
        """(H * W * A, 4) anchors of every level, which stand still in time."""
        anchors = []
        for index, (level, stride) in enumerate(zip(features, self.strides, strict=True)):
            sizes, ratios = level_sizes(self.architecture, index), self.architecture.anchor_ratios
            detectron = self.architecture.anchor_layout == "detectron"
            base = detectron_anchors(sizes, ratios, stride) if detectron else base_anchors(sizes, ratios)
            anchors.append(grid_anchors(base.to(level.device), stride, *level.shape[-2:]))
        return anchors

    def boxes(self, features: list[Tensor], tubes: Tensor, batch_index: Tensor) -> tuple[Tensor, Tensor]:
        """Class and shifts of tubes.

        Args:
            features: The levels that `features` gives.
            tubes: (M, T, 4) xyxy image pixels.
            batch_index: (M,) the clip of each tube.

        Returns:
            (M, 2) logits of background and person, and (M, T, 4) shifts of the tubes with BOX_WEIGHTS.
        """
        return self.box_predictor(self.box_head(self.pool(features, tubes, batch_index, BOX_BINS)))

    def heatmaps(self, features: list[Tensor], tubes: Tensor, batch_index: Tensor) -> Tensor:
        """(M, K, T, 56, 56) logits of the joints' places within the tubes (M, T, 4) of the clips (M,)."""
        return self.keypoint_head(self.pool(features, tubes, batch_index, KEYPOINT_BINS))

    def pool(self, features: list[Tensor], tubes: Tensor, batch_index: Tensor, bins: int) -> Tensor:
        """(M, C, T, bins, bins) features of tubes (M, T, 4) of the clips (M,)."""
        if self.pyramid is None:
            return tube_roi_align(
                features[0], tubes, batch_index, output_size=bins, spatial_scale=1 / self.strides[0], sampling_ratio=2
            )
        scales = [1 / stride for stride in self.strides[:-1]]
        return pyramid_tube_roi_align(
            features[:-1], tubes, batch_index, output_size=bins, spatial_scales=scales, sampling_ratio=2
        )


def box_head(architecture: Architecture, channels: int) -> BlockBoxHead | MlpBoxHead:
    """The head over features of `channels` channels that the architecture names."""
    a = architecture
    if a.box_head == "mlp":
        return MlpBoxHead(channels, a.box_channels)
    return BlockBoxHead(
        channels,
        a.box_channels,
        blocks=a.box_blocks,
        stride=a.box_stride,
        depth=a.depth,
        normalisation=a.normalisation,
        temporal_kernel=a.temporal_kernel,
    )


def level_sizes(architecture: Architecture, level: int) -> tuple[float, ...]:
    """Sizes of a level's anchors."""
    sizes = architecture.anchor_sizes
    return sizes if architecture.pyramid_channels is None else sizes[level : level + 1]


def check_architecture(architecture: Architecture, levels: int) -> None:
    """Raises ValueError for entries that the parts do not check themselves."""
    sizes, ratios = architecture.anchor_sizes, architecture.anchor_ratios
    if not sizes or not ratios or not all(0 < value < math.inf for value in (*sizes, *ratios)):
        raise ValueError(f"anchor_sizes and anchor_ratios must be positive numbers, got {sizes} and {ratios}")
    if architecture.pyramid_channels is not None and len(sizes) != levels:
        raise ValueError(f"anchor_sizes must be one for each of the pyramid's {levels} levels, got {len(sizes)}")
    if architecture.box_head not in ("block", "mlp"):
        raise ValueError(f"box_head must be 'block' or 'mlp', got {architecture.box_head!r}")
    if architecture.upsampling not in ("deconv", "bilinear"):
        raise ValueError(f"upsampling must be 'deconv' or 'bilinear', got {architecture.upsampling!r}")
    if architecture.anchor_layout not in ("torchvision", "detectron"):
        raise ValueError(f"anchor_layout must be 'torchvision' or 'detectron', got {architecture.anchor_layout!r}")
    check_colour("image_mean", architecture.image_mean)
    for name in ("box_blocks", "box_stride", "keypoint_convs"):
        check_integer(name, getattr(architecture, name), 1, MOST_LAYERS)
    for name in ("box_channels", "keypoint_channels", "joints"):
        check_integer(name, getattr(architecture, name), 1, MOST_CHANNELS)
