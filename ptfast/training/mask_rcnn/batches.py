"""Batches of clips as the 3D Mask R-CNN and its losses take them."""

from __future__ import annotations

import torch
from torch import Tensor

from ptfast.models import MaskRcnn3d
from ptfast.models.images import IMAGE_MEAN, Colour, normalise_clips
from ptfast.training.data.batches import tensor
from ptfast.training.data.clips import Clip
from ptfast.training.mask_rcnn.targets import Targets


def arguments(model: MaskRcnn3d, clips: list[Clip], device: torch.device) -> tuple[Tensor, list[Targets]]:
    """Padded images, and each clip's people."""
    return tensors(clips, max(model.strides), device, model.architecture.image_mean)


def tensors(
    clips: list[Clip], multiple: int, device: torch.device, mean: Colour = IMAGE_MEAN
) -> tuple[Tensor, list[Targets]]:
    """Normalises clips, pads them to one size, and copies them to a device.

    Args:
        clips: B clips of T frames, of any sizes.
        multiple: Height and width are padded to a multiple of this.
        device: Target of the copies.
        mean: The network's `architecture.image_mean`.

    Returns:
        (B, 3, T, H, W) normalised images, and each clip's people.
    """
    height = max(clip.frames.shape[1] for clip in clips)
    width = max(clip.frames.shape[2] for clip in clips)
    height, width = height + -height % multiple, width + -width % multiple
    images = torch.zeros(len(clips), 3, clips[0].frames.shape[0], height, width, device=device)
    images = images.contiguous(memory_format=torch.channels_last_3d)
    for padded, clip in zip(images, clips, strict=True):
        image = normalise_clips(torch.from_numpy(clip.frames).to(device)[None], mean=mean)[0]
        padded[..., : image.shape[-2], : image.shape[-1]] = image
    return images, [targets_of(clip, device) for clip in clips]


def targets_of(clip: Clip, device: torch.device) -> Targets:
    """The people of a clip, on a device."""
    return Targets(
        tubes=tensor(clip.tubes, device),
        present=tensor(clip.present, device),
        keypoints=tensor(clip.keypoints, device),
        labelled=tensor(clip.labelled, device),
        ignored=None if clip.ignored is None else tensor(clip.ignored, device),
    )
