"""Appearance of people: features of their crops from a backbone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ptfast._check import Array, check_integer, check_shape
from ptfast.models.images import IMAGE_MEAN, IMAGE_STD
from ptfast.models.mask_rcnn import MaskRcnn3d
from ptfast.ops.crop import box_to_crop, crop_tubes

if TYPE_CHECKING:
    from ptfast.models.resnet3d import ResNet3d


@torch.no_grad()
def crop_features(
    backbone: ResNet3d | MaskRcnn3d,
    frames: Array,
    boxes: Array,
    frame_index: Array | None = None,
    *,
    stage: int = 3,
    size: tuple[int, int] = (128, 64),
    batch: int = 32,
) -> Tensor:
    """Appearance features of people: a stage of a backbone on each person's crop, averaged over its pixels.

    A crop is the box, widened or heightened to the aspect of `size` and resized to it. It goes through the backbone as
    a clip of one frame, before and after which 3D convolutions see zeros.

    Args:
        backbone: A network such as ResNet3d(18, stages=3, temporal_kernel=1), or a MaskRcnn3d, whose body is taken. Its
            mode is left as it is.
        frames: (F, H, W, 3) uint8 red, green, blue; a NumPy array or a tensor.
        boxes: (N, 4) xyxy pixels, on the frames' device.
        frame_index: (N,) the frame of each box. May be left out if there is one frame.
        stage: Residual stage, 1 to the backbone's last; 3 is res4, torchvision's layer3, as in the released code.
        size: Height and width of the crops in pixels.
        batch: Crops that go through the backbone at a time.

    Returns:
        (N, C) float32 of length 1, on the backbone's device.

    Raises:
        ValueError: A shape, a stage or a frame index is out of range, or frame_index is missing.

    Source:
        Girdhar et al. 2018 (Detect-and-Track), section 3.1, "Visual similarity".
    """
    body = backbone.body if isinstance(backbone, MaskRcnn3d) else backbone
    mean = backbone.architecture.image_mean if isinstance(backbone, MaskRcnn3d) else IMAGE_MEAN
    weight = body.conv1.weight
    stage = check_integer("stage", stage, 1, body.stages)
    batch = check_integer("batch", batch, 1)
    frames, boxes = torch.as_tensor(frames, device=weight.device), torch.as_tensor(boxes, device=weight.device)
    check_shape("boxes", boxes, ("N", 4))
    if frame_index is None:
        if len(frames) != 1:
            raise ValueError(f"frame_index must be given for {len(frames)} frames, got None")
        frame_index = np.zeros(len(boxes), np.int64)
    index = torch.as_tensor(frame_index, device=weight.device)
    check_shape("frame_index", index, ("N",), N=len(boxes))
    tubes = box_to_crop(boxes.float(), aspect=size[1] / size[0], scale=1.0)[:, None]
    features = [weight.new_zeros((0, body.channels[stage - 1]))]
    for first in range(0, len(boxes), batch):
        part = slice(first, first + batch)
        clips = crop_tubes(frames, tubes[part], index[part, None], size=size, mean=mean, std=IMAGE_STD)
        features.append(body(clips.to(weight.dtype))[stage - 1].mean((2, 3, 4)))
    return F.normalize(torch.cat(features).float(), dim=1)
