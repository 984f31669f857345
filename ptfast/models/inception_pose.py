"""CorrTrack's pose network: batch-normalised GoogleNets one after the other, with heatmaps and offsets of joints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ptfast._check import check_integer, check_shape
from ptfast.models.bn_inception import STEM, InceptionStage, InceptionStem, begin_near_zero, channels_at, initialise
from ptfast.models.images import IMAGE_MEAN, Colour, check_colour, check_crops
from ptfast.models.layers import MOST_CHANNELS, fold_frames, unfold_frames
from ptfast.ops import heatmap_peaks

MOST_STAGES = 3
PER_JOINT = 3  # maps: a heatmap and two offsets


@dataclass(frozen=True)
class InceptionPoseArchitecture:
    """Sizes of an InceptionPose.

    Attributes:
        stages: 2 as in the paper, or 3.
        width: Factor on all channels; 32 * width must be a whole number. 1 is the published network.
        joints: K.
        image_mean: Mean colour that must be subtracted from images for this network.
    """

    stages: int = 2
    width: float = 1.0
    joints: int = 17
    image_mean: Colour = IMAGE_MEAN


class InceptionPose(InceptionStem):
    """CorrTrack's pose network. Parameters have the names of its public code; `load_inception_pose` reads its weights.

    Args:
        architecture: Its sizes.

    Attributes:
        architecture: The same.
        multiple: Height and width of crops must be multiples of it, 32.
        stride: Crop pixels from one heatmap pixel to the next, 4.

    Raises:
        ValueError: An entry of the architecture is out of range.

    Source:
        Rafi et al. 2020 (CorrTrack), section 6.1.
    """

    def __init__(self, architecture: InceptionPoseArchitecture | None = None) -> None:
        a = architecture or InceptionPoseArchitecture()
        check_architecture(a)
        super().__init__(a.width)
        self.architecture = a
        stem, maps = channels_at(a.width, STEM), PER_JOINT * a.joints
        for number in range(1, a.stages + 1):
            self.add_module(f"pd{number}", InceptionStage(stem + (maps if number > 1 else 0), maps, a.width))
        initialise(self)
        for stage in self.children():
            if isinstance(stage, InceptionStage):
                begin_near_zero(stage)

    def forward(self, clips: Tensor) -> Tensor:
        """Maps of the last stage; each frame is seen by itself.

        Args:
            clips: (B, 3, T, h, w) normalised crops of a person each, with h and w multiples of `multiple`.

        Returns:
            (B, 3 K, T, h / 4, w / 4) float32, as `decode_offsets` takes them.

        Raises:
            ValueError: `clips` has another shape.
        """
        check_crops(clips, self.multiple)
        return unfold_frames(self.stages(fold_frames(clips))[-1], clips.shape[2])

    def stages(self, crops: Tensor) -> list[Tensor]:
        """Maps of each stage, which training compares with the truth.

        Args:
            crops: (N, 3, h, w) normalised crops of a person each.

        Returns:
            A tensor (N, 3 K, h / 4, w / 4) float32 for each stage. The first K maps are the heatmaps, before the
            sigmoid; then come K of the offsets' x and K of their y, in pixels of the crop.
        """
        features = self.stem(crops)
        outputs: list[Tensor] = []
        for number in range(1, self.architecture.stages + 1):
            seen = torch.cat([features, *outputs[-1:]], 1)
            outputs.append(self.get_submodule(f"pd{number}")(seen))
        return [output.float() for output in outputs]


def decode_offsets(
    maps: Tensor, *, flipped: Tensor | None = None, flip_pairs: Sequence[tuple[int, int]] | None = None
) -> tuple[Tensor, Tensor]:
    """Joints of heatmaps with offsets: at the peak of the heatmap, moved by the offset there.

    Args:
        maps: (..., 3 K, h, w), as InceptionPose.stages gives them.
        flipped: The same of the mirrored crops. Its heatmaps are averaged in, after the sigmoid and without a shift;
            its offsets do not count, as in the released code.
        flip_pairs: The joints that swap in a mirrored image, as in Skeleton.flip_pairs.

    Returns:
        (..., K, 2) x and y in heatmap pixels, a quarter of the crop's, and (..., K) scores from 0 to 1; in the maps'
        dtype, on their device and detached.

    Raises:
        ValueError: A shape is wrong, or flip_pairs name a joint twice or one that is not there.

    Source:
        Rafi et al. 2020 (CorrTrack), section 6.1, and the released code.
    """
    check_shape("maps", maps, ("...", "M", "h", "w"))
    if maps.shape[-3] % PER_JOINT:
        raise ValueError(f"maps must be three of each joint, got {maps.shape[-3]}")
    joints = maps.shape[-3] // PER_JOINT
    heatmaps = maps.narrow(-3, 0, joints).sigmoid()
    if flipped is not None:
        check_shape("flipped", flipped, tuple(maps.shape))
        flipped = flipped.narrow(-3, 0, joints).sigmoid()
    peaks, scores = heatmap_peaks(heatmaps, flipped=flipped, flip_pairs=flip_pairs, shift=False)
    offsets = maps.detach().narrow(-3, joints, 2 * joints).unflatten(-3, (2, joints)).flatten(-2).movedim(-3, -1)
    place = (peaks[..., 1] * maps.shape[-1] + peaks[..., 0]).long()  # (..., K), in offsets (..., K, h w, 2)
    moved = offsets.gather(-2, place[..., None, None].expand(*place.shape, 1, 2)).squeeze(-2)
    return peaks + moved / InceptionPose.stride, scores


def check_architecture(a: InceptionPoseArchitecture) -> None:
    """Raises ValueError unless an InceptionPose can be built so. The width is checked as layers are built."""
    check_integer("stages", a.stages, 2, MOST_STAGES)
    check_integer("joints", a.joints, 1, MOST_CHANNELS // PER_JOINT)
    check_colour("image_mean", a.image_mean)
