"""HRNet for poses: of single crops of a person as published, or with temporal kernels, of tubes of crops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from ptfast._check import check_integer
from ptfast.models.hrnet_layers import Exchange, transition
from ptfast.models.images import IMAGE_MEAN, Colour, check_colour, check_crops
from ptfast.models.layers import MOST_CHANNELS, MOST_LAYERS, ClipConv, FrameBatchNorm, channels_last
from ptfast.models.residual import Bottleneck

MOST_BLOCKS = 1024  # one after another in the later stages; the published networks have 32
TemporalStages = Literal["none", "early", "last", "all"]


@dataclass(frozen=True)
class HrnetArchitecture:
    """Sizes of a Hrnet, and its temporal kernels. The defaults are W32 as published, with the 3D kernels of Wang et al.
    2020.

    Attributes:
        width: Channels of the branch of the highest resolution: 32, 48, or any number. Each further branch has twice
            as many as the one before. Multiples of 16 run best.
        joints: K.
        temporal_stages: Stages with temporal kernels (Wang et al. 2020, table 8): "early" are the first two, "last" is
            the last, "all" are all, and "none" gives the published network, frame by frame. The first stage's
            bottlenecks then have kernels 3x1x1, 1x3x3, 1x1x1, and in later stages each 3x3 kernel of blocks and
            exchange units is 3x3x3. The two strided convolutions before the first stage, the transitions between stages
            and all 1x1 kernels stay 2D.
        stem: Channels of those two convolutions and, times 4, of the first stage; 64 as published.
        stem_blocks: Bottlenecks of the first stage; 4 as published.
        modules: Modules of each further stage, 1 to 3 stages; (1, 4, 3) as published. A stage has one branch more, of
            half the resolution, than the one before.
        blocks: Residual blocks of each branch in a module; 4 as published.
        image_mean: Mean colour that must be subtracted from images for this network.
    """

    width: int = 32
    joints: int = 17
    temporal_stages: TemporalStages = "early"
    stem: int = 64
    stem_blocks: int = 4
    modules: tuple[int, ...] = (1, 4, 3)
    blocks: int = 4
    image_mean: Colour = IMAGE_MEAN


class Hrnet(nn.Module):
    """HRNet over tubes of crops: branches of several resolutions in parallel that exchange features.

    Without temporal kernels it is the published 2D network on every frame. Parameters have the names of its public
    code (conv1, stage2.0.branches.0.0.conv1, stage2.0.fuse_layers.0.1.0, ...), whose weights `load_hrnet` reads and
    `inflate` makes 3D. Statistics of batch norms run over all frames of a batch.

    Args:
        architecture: Its sizes and temporal kernels.

    Attributes:
        architecture: The same.
        multiple: Height and width of crops must be multiples of it; 32 as published.

    Raises:
        ValueError: An entry of the architecture is out of range.

    Source:
        Sun et al. 2019 (HRNet), section 3; Wang et al. 2020 (Combining detection and tracking), section 3.1.
    """

    def __init__(self, architecture: HrnetArchitecture) -> None:
        super().__init__()
        check_architecture(architecture)
        self.architecture = a = architecture
        self.multiple = 4 * 2 ** len(a.modules)
        self.conv1 = ClipConv(3, a.stem, 3, temporal_kernel=1, stride=2)
        self.bn1 = FrameBatchNorm(a.stem)
        self.conv2 = ClipConv(a.stem, a.stem, 3, temporal_kernel=1, stride=2)
        self.bn2 = FrameBatchNorm(a.stem)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = bottlenecks(a)
        channels = [4 * a.stem]
        for stage, modules in enumerate(a.modules, 2):
            wanted = [a.width * 2**branch for branch in range(stage)]
            self.add_module(f"transition{stage - 1}", transition(channels, wanted))
            outputs = [stage] * modules
            if stage == len(a.modules) + 1:
                outputs[-1] = 1  # the heatmaps are made of the finest branch alone
            size = temporal_size(a, stage)
            exchanges = (Exchange(wanted, a.blocks, size, count) for count in outputs)
            self.add_module(f"stage{stage}", nn.Sequential(*exchanges))
            channels = wanted
        self.final_layer = ClipConv(a.width, a.joints, 1, temporal_kernel=1, bias=True)
        initialise(self)
        channels_last(self)

    def forward(self, clips: Tensor) -> Tensor:
        """Heatmaps of the joints.

        Args:
            clips: (B, 3, T, h, w) normalised crops of a person each, with h and w multiples of `multiple`.

        Returns:
            (B, K, T, h / 4, w / 4) float32. Heatmap pixel p stands for the crop's pixel 4 p.

        Raises:
            ValueError: `clips` has another shape.
        """
        check_crops(clips, self.multiple)
        clips = clips.contiguous(memory_format=torch.channels_last_3d)
        clips = self.relu(self.bn1(self.conv1(clips)))
        clips = self.relu(self.bn2(self.conv2(clips)))
        branches = [self.layer1(clips)]
        for stage in range(2, len(self.architecture.modules) + 2):
            steps = self.get_submodule(f"transition{stage - 1}").children()
            inputs = [*branches, branches[-1]]  # the new branch begins with the coarsest one there is
            branches = self.get_submodule(f"stage{stage}")([step(x) for step, x in zip(steps, inputs, strict=True)])
        return self.final_layer(branches[0]).float()


def bottlenecks(a: HrnetArchitecture) -> nn.Sequential:
    """The first stage."""
    size = temporal_size(a, 1)
    blocks = [
        Bottleneck(
            4 * a.stem if index else a.stem,
            a.stem,
            stride=1,
            dilations=(1, 1),
            normalisation="batch",
            temporal_kernel=1,
            temporal_1x1=size,
        )
        for index in range(a.stem_blocks)
    ]
    return nn.Sequential(*blocks)


def temporal_size(a: HrnetArchitecture, stage: int) -> int:
    """Temporal kernel size of a stage, counted from 1."""
    last = len(a.modules) + 1
    stages = {"none": (), "early": (1, 2), "last": (last,), "all": range(1, last + 1)}
    return 3 if stage in stages[a.temporal_stages] else 1


def initialise(network: Hrnet) -> None:
    """Initialises as He et al. do, with heatmaps near 0. The published N(0, 0.001) everywhere suits trained weights."""
    for module in network.modules():
        if isinstance(module, ClipConv):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    nn.init.normal_(network.final_layer.weight, std=0.001)
    nn.init.zeros_(network.final_layer.bias)  # type: ignore[arg-type]


def check_architecture(a: HrnetArchitecture) -> None:
    """Raises ValueError unless a Hrnet can be built so."""
    if a.temporal_stages not in get_args(TemporalStages):
        raise ValueError(f"temporal_stages must be one of {get_args(TemporalStages)}, got {a.temporal_stages!r}")
    for name in ("width", "joints", "stem"):
        check_integer(name, getattr(a, name), 1, MOST_CHANNELS)
    for name in ("stem_blocks", "blocks"):
        check_integer(name, getattr(a, name), 1, MOST_LAYERS)
    if not 1 <= len(a.modules) <= 3:
        raise ValueError(f"modules must be numbers for 1 to 3 stages, got {a.modules}")
    for count in a.modules:
        check_integer("modules", count, 1, MOST_LAYERS)
    if sum(a.modules) * a.blocks > MOST_BLOCKS:
        raise ValueError(f"modules and blocks must make at most {MOST_BLOCKS} blocks, got {sum(a.modules) * a.blocks}")
    check_colour("image_mean", a.image_mean)
