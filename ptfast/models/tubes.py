"""Running a pose network over tubes: from boxes of people in key frames to their joints in all frames around."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ptfast._check import Array, check_dtype, check_integer, check_shape, is_tensor
from ptfast.models.hrnet import Hrnet
from ptfast.models.images import IMAGE_STD
from ptfast.models.inception_pose import PER_JOINT, InceptionPose, decode_offsets
from ptfast.models.pose_resnet import PoseResnet
from ptfast.ops import box_to_crop, crop_tubes, heatmap_peaks, heatmap_to_image
from ptfast.ops.heatmap import Refinement
from ptfast.skeletons import Skeleton

PoseNetwork = Hrnet | PoseResnet | InceptionPose

ENLARGEMENT = 1.25  # of a box, for people who move fast (Wang et al. 2020, section 3.1)


@torch.inference_mode()
def estimate_tubes(
    model: PoseNetwork,
    frames: Array,
    boxes: Array,
    frame_index: Array,
    *,
    size: tuple[int, int],
    skeleton: Skeleton,
    flip: bool = True,
    refine: Refinement = "quarter",
    batch: int = 16,
) -> tuple[Array, Array]:
    """Joints of people in every frame of their tubes.

    A person's tube is one part of the image, cut out of several frames: the box, its shorter side widened to the crops'
    aspect, then both sides enlarged by 25 %. The network runs in the precision of the caller's torch.autocast.

    Args:
        model: The network, in eval mode: from (B, 3, T, h, w) crops, with its own image mean subtracted, to
            (B, K, T, h / s, w / s) heatmaps, s being 4 for most, or an InceptionPose's maps.
        frames: (F, H, W, 3) uint8 RGB: a torch tensor on the network's device, or a NumPy array for the CPU.
        boxes: (M, 4) xyxy image pixels: a detection for each tube, not enlarged yet.
        frame_index: (M, T) int64, the frames of each tube, from 0 to F - 1. Where a tube sticks out of a video, it has
            the end frame again.
        size: (height, width) of the crops, (h, w).
        skeleton: Its K joints, for the pairs that swap in mirrored crops.
        flip: Averages the heatmaps with those of mirrored crops.
        refine: Way in which heatmap_peaks places a joint between pixels; "quarter" is HRNet's. An InceptionPose's
            offsets place it.
        batch: Tubes that the network sees at a time.

    Returns:
        keypoints: (M, T, K, 2) float32, image pixels.
        joint_scores: (M, T, K) float32, the heatmaps' values there.
        Tensors on the frames' device if `boxes` is one, else NumPy arrays.

    Raises:
        ValueError: A shape or an option is wrong, or, on the CPU, frame_index has no frame of `frames`.
        TypeError: A dtype is wrong.

    Source:
        Wang et al. 2020 (Combining detection and tracking), sections 3.1 and 4.2; Sun et al. 2019 (HRNet), the public
        code, for the mean with the mirrored crops, which it moves by a column, and the place between pixels.
    """
    check_shape("frames", frames, ("F", "H", "W", 3))
    check_dtype("frames", frames, ("uint8",))
    check_shape("boxes", boxes, ("M", 4))
    check_shape("frame_index", frame_index, ("M", "T"), M=len(boxes))
    height, width = (check_integer(f"size[{i}]", side, 1) for i, side in enumerate(size))
    check_integer("batch", batch, 1)
    images, index = as_tensor(frames), as_tensor(frame_index)
    device = images.device
    regions = box_to_crop(as_tensor(boxes).to(device, torch.float32), aspect=width / height, scale=ENLARGEMENT)
    index, tubes = index.to(device), regions[:, None].expand(-1, index.shape[1], -1)
    keypoints = torch.empty(*index.shape, len(skeleton), 2, device=device)
    scores = torch.empty(*index.shape, len(skeleton), device=device)
    for first in range(0, len(tubes), batch):
        part = slice(first, first + batch)
        mean = model.architecture.image_mean
        crops = crop_tubes(images, tubes[part], index[part], size=(height, width), mean=mean, std=IMAGE_STD)
        keypoints[part], scores[part] = decode(model, crops, tubes[part], skeleton, flip, refine)
    return (keypoints, scores) if is_tensor(boxes) else (keypoints.cpu().numpy(), scores.cpu().numpy())


def as_tensor(array: Array) -> Tensor:
    """The tensor, or the array as one. An array that may not be written to, which torch does not take, is copied."""
    return array if is_tensor(array) else torch.from_numpy(np.require(array, requirements=("C", "W")))


def decode(
    model: PoseNetwork, crops: Tensor, tubes: Tensor, skeleton: Skeleton, flip: bool, refine: Refinement
) -> tuple[Tensor, Tensor]:
    """(M, T, K, 2) image pixels and (M, T, K) scores of crops (M, 3, T, h, w) that were cut out at tubes (M, T, 4)."""
    heatmaps = model(crops).transpose(1, 2)
    maps = len(skeleton) * (PER_JOINT if isinstance(model, InceptionPose) else 1)
    check_shape("heatmaps", heatmaps, ("M", "T", "K", "h", "w"), M=len(crops), T=crops.shape[2], K=maps)
    mirrored: dict[str, Any] = {}
    if flip:
        mirrored = {"flipped": model(crops.flip(-1)).transpose(1, 2), "flip_pairs": skeleton.flip_pairs}
    if isinstance(model, InceptionPose):
        places, scores = decode_offsets(heatmaps, **mirrored)
    else:
        places, scores = heatmap_peaks(heatmaps, refine=refine, **mirrored)
    height, width = heatmaps.shape[-2:]
    return heatmap_to_image(places, tubes, heatmap_size=(height, width)), scores
