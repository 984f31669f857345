"""HRNet for poses: of single crops of a person as published, or with temporal kernels, of tubes of crops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ptfast._check import check_integer
from ptfast.models.images import IMAGE_MEAN, Colour, check_crops
from ptfast.models.layers import ClipConv, FrameBatchNorm, channels_last, fold_frames, unfold_frames
from ptfast.models.resnet3d import BasicBlock, Bottleneck

Where = Literal["none", "early", "last", "all"]


@dataclass(frozen=True)
class HrnetArchitecture:
    """What a Hrnet is made of. The defaults are W32 as published, with the 3D kernels of Wang et al. 2020.

    Attributes:
        width: Channels of the branch of the highest resolution: 32, 48, or any number; each further branch has twice
            as many as the one before. Multiples of 16 run best.
        joints: K.
        where: Stages with temporal kernels (Wang et al. 2020, table 8): "early", the first two; "last", the last;
            "all"; or "none", the published network, frame by frame. The first stage's bottlenecks then have kernels
            3x1x1, 1x3x3, 1x1x1, and in later stages each 3x3 kernel of blocks and exchange units is 3x3x3. The two
            strided convolutions before the first stage, the transitions between stages and all 1x1 kernels stay 2D.
        stem: Channels of those two convolutions and, times 4, of the first stage; 64 as published.
        stem_blocks: Bottlenecks of the first stage; 4 as published.
        modules: Modules of each further stage, 1 to 3 stages; (1, 4, 3) as published. A stage has one branch more, of
            half the resolution, than the one before.
        blocks: Residual blocks of each branch in a module; 4 as published.
        image_mean: What must be subtracted from pictures for this network.
    """

    width: int = 32
    joints: int = 17
    where: Where = "early"
    stem: int = 64
    stem_blocks: int = 4
    modules: tuple[int, ...] = (1, 4, 3)
    blocks: int = 4
    image_mean: Colour = IMAGE_MEAN


class Hrnet(nn.Module):
    """HRNet over tubes of crops: branches of several resolutions in parallel that exchange what they find.

    Without temporal kernels it is the published 2D network on every frame. Parameters have the names of its public
    code (conv1, stage2.0.branches.0.0.conv1, stage2.0.fuse_layers.0.1.0, ...), whose weights `load_hrnet` reads and
    `inflate` makes 3D. Statistics of batch norms run over all frames of a batch.

    Args:
        architecture: What it is made of.

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
            extent = temporal_extent(a, stage)
            exchanges = (Exchange(wanted, a.blocks, extent, count) for count in outputs)
            self.add_module(f"stage{stage}", nn.Sequential(*exchanges))
            channels = wanted
        self.final_layer = ClipConv(a.width, a.joints, 1, temporal_kernel=1, bias=True)
        initialise(self)
        channels_last(self)

    def forward(self, clips: Tensor) -> Tensor:
        """Heatmaps of the joints.

        Args:
            clips: (B, 3, T, h, w) normalised crops of a person each; h and w are multiples of `multiple`.

        Returns:
            (B, K, T, h / 4, w / 4) float32; heatmap pixel p stands for the crop's pixel 4 p.

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


class Exchange(nn.Module):
    """A module of a stage: residual blocks in each branch, then each branch gets the sum of all, resized to its own.

    Args:
        channels: Of each branch, finest first.
        blocks: Residual blocks of each.
        temporal_kernel: Temporal extent of the 3x3 convolutions.
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


def bottlenecks(a: HrnetArchitecture) -> nn.Sequential:
    """The first stage."""
    extent = temporal_extent(a, 1)
    blocks = [
        Bottleneck(
            4 * a.stem if index else a.stem,
            a.stem,
            stride=1,
            dilations=(1, 1),
            normalisation="batch",
            temporal_kernel=1,
            temporal_1x1=extent,
        )
        for index in range(a.stem_blocks)
    ]
    return nn.Sequential(*blocks)


def basic_block(channels: int, temporal_kernel: int) -> BasicBlock:
    """A residual block of a branch."""
    return BasicBlock(
        channels, channels, stride=1, dilations=(1, 1), normalisation="batch", temporal_kernel=temporal_kernel
    )


def transition(channels: list[int], wanted: list[int]) -> nn.ModuleList:
    """What brings branches of some channels to the wanted ones; the last makes a new branch of half the resolution."""
    steps: list[nn.Module] = []
    for size, goal in zip(channels, wanted, strict=False):
        steps.append(nn.Identity() if size == goal else nn.Sequential(*conv_norm(size, goal), nn.ReLU(inplace=True)))
    halved = nn.Sequential(*conv_norm(channels[-1], wanted[-1], stride=2), nn.ReLU(inplace=True))
    return nn.ModuleList([*steps, nn.Sequential(halved)])


def resize(channels: list[int], source: int, target: int, temporal_kernel: int) -> nn.Module:
    """What brings one branch to the resolution and the channels of another."""
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


def temporal_extent(a: HrnetArchitecture, stage: int) -> int:
    """Of the kernels of a stage, from 1, that see other frames where the stage is to do so."""
    last = len(a.modules) + 1
    stages = {"none": (), "early": (1, 2), "last": (last,), "all": range(1, last + 1)}
    return 3 if stage in stages[a.where] else 1


def initialise(network: Hrnet) -> None:
    """He's, but heatmaps near 0; the published N(0, 0.001) everywhere expects weights that were trained before."""
    for module in network.modules():
        if isinstance(module, ClipConv):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    nn.init.normal_(network.final_layer.weight, std=0.001)
    nn.init.zeros_(network.final_layer.bias)  # type: ignore[arg-type]


def check_architecture(a: HrnetArchitecture) -> None:
    """Raises ValueError unless a Hrnet can be built so."""
    if a.where not in get_args(Where):
        raise ValueError(f"where must be one of {get_args(Where)}, got {a.where!r}")
    for name in ("width", "joints", "stem", "stem_blocks", "blocks"):
        check_integer(name, getattr(a, name), 1)
    if not 1 <= len(a.modules) <= 3:
        raise ValueError(f"modules must be numbers for 1 to 3 stages, got {a.modules}")
    for count in a.modules:
        check_integer("modules", count, 1)
    if len(a.image_mean) != 3:
        raise ValueError(f"image_mean must be three numbers, got {a.image_mean}")
