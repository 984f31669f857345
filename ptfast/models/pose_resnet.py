"""Simple Baselines' pose network: a ResNet, then transposed convolutions; frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ptfast._check import check_integer, check_number
from ptfast.models.images import IMAGE_MEAN, Colour, check_colour, check_crops
from ptfast.models.layers import MOST_CHANNELS, ClipConv, FrameBatchNorm, channels_last, fold_frames, unfold_frames
from ptfast.models.residual import residual_stage

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}  # of each stage
MOST_DECONVOLUTIONS = 5  # with which heatmaps have the crops' size
PADDINGS = {2: (0, 0), 3: (1, 1), 4: (1, 0)}  # by the kernel's width, of input and output, so that sizes double


@dataclass(frozen=True)
class PoseResnetArchitecture:
    """Sizes of a PoseResnet.

    Attributes:
        depth: Layers of the ResNet: 50, 101 or 152.
        width: Factor on all channels; 64 * width must be a whole number.
        joints: K.
        image_mean: Mean colour that must be subtracted from images for this network.
        deconvolutions: Transposed convolutions, 1 to 5, each of which doubles the heatmaps' height and width; 2 or 3 in
            the paper.
        kernel: Width of their kernels: 2, 3 or 4.
    """

    depth: int = 50
    width: float = 1.0
    joints: int = 17
    image_mean: Colour = IMAGE_MEAN
    deconvolutions: int = 3
    kernel: int = 4


class PoseResnet(nn.Module):
    """Simple Baselines' network. Parameters have the names of its public code, whose weights `load_pose_resnet` reads.

    Args:
        architecture: Its sizes.

    Attributes:
        architecture: The same.
        multiple: Height and width of crops must be multiples of it, 32.
        stride: Crop pixels from one heatmap pixel to the next: 4 with three transposed convolutions, 8 with two.

    Raises:
        ValueError: An entry of the architecture is out of range.

    Source:
        Xiao, Wu and Wei 2018 (Simple Baselines), section 2.
    """

    multiple = 32

    def __init__(self, architecture: PoseResnetArchitecture) -> None:
        super().__init__()
        check_architecture(architecture)
        self.architecture = a = architecture
        self.stride = self.multiple // 2**a.deconvolutions
        base = channels = round(64 * a.width)
        self.conv1 = ClipConv(3, base, 7, temporal_kernel=1, stride=2)
        self.bn1 = FrameBatchNorm(base)
        self.relu = nn.ReLU(inplace=True)
        for stage, count in enumerate(BLOCKS[a.depth]):
            # All three depths have bottlenecks, as a ResNet-50 has.
            blocks = residual_stage(50, channels, base * 2**stage, count, 2 if stage else 1, "batch", temporal_kernel=1)
            self.add_module(f"layer{stage + 1}", blocks)
            channels = 4 * base * 2**stage
        self.deconv_layers = deconvolutions(channels, 4 * base, a.deconvolutions, a.kernel)
        self.final_layer = nn.Conv2d(4 * base, a.joints, 1)
        initialise(self)
        channels_last(self)

    def forward(self, clips: Tensor) -> Tensor:
        """Heatmaps of the joints.

        Args:
            clips: (B, 3, T, h, w) normalised crops of a person each, with h and w multiples of `multiple`.

        Returns:
            (B, K, T, h / s, w / s) float32, where s is `stride`. Heatmap pixel p stands for the crop's pixel s p.

        Raises:
            ValueError: `clips` has another shape.
        """
        check_crops(clips, self.multiple)
        length = clips.shape[2]
        clips = clips.contiguous(memory_format=torch.channels_last_3d)
        stem = fold_frames(self.relu(self.bn1(self.conv1(clips))))
        features = unfold_frames(F.max_pool2d(stem, 3, 2, 1), length)
        for stage in range(1, 5):
            features = self.get_submodule(f"layer{stage}")(features)
        heatmaps = self.final_layer(self.deconv_layers(fold_frames(features)))
        return unfold_frames(heatmaps, length).float()


def deconvolutions(in_channels: int, channels: int, count: int, kernel: int) -> nn.Sequential:
    """Transposed convolutions over frames (N, C, H, W), each of which doubles height and width."""
    layers: list[nn.Module] = []
    inner, outer = PADDINGS[kernel]
    for index in range(count):
        inside = channels if index else in_channels
        layers.append(nn.ConvTranspose2d(inside, channels, kernel, 2, inner, outer, bias=False))
        layers += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def initialise(network: PoseResnet) -> None:
    """Initialises the ResNet as He et al. do, and the layers after it by N(0, 0.001), as published."""
    for module in network.modules():
        if isinstance(module, ClipConv):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.ConvTranspose2d):
            nn.init.normal_(module.weight, std=0.001)
    nn.init.normal_(network.final_layer.weight, std=0.001)
    nn.init.zeros_(network.final_layer.bias)  # type: ignore[arg-type]


def check_architecture(a: PoseResnetArchitecture) -> None:
    """Raises ValueError unless a PoseResnet can be built so."""
    if a.depth not in BLOCKS:
        raise ValueError(f"depth must be 50, 101 or 152, got {a.depth}")
    if a.width <= 0 or 64 * a.width % 1:
        raise ValueError(f"width must make 64 * width a positive whole number, got {a.width}")
    check_number("width", a.width, 0, MOST_CHANNELS / 64)
    check_integer("joints", a.joints, 1, MOST_CHANNELS)
    check_colour("image_mean", a.image_mean)
    check_integer("deconvolutions", a.deconvolutions, 1, MOST_DECONVOLUTIONS)
    check_integer("kernel", a.kernel, min(PADDINGS), max(PADDINGS))
