"""torchvision's keypoint R-CNN."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from ptfast.models.adapters.filling import as_clip_kernel, change_eps, check_tensors, empty_model, fill, shape_of_layer
from ptfast.models.mask_rcnn import Architecture, MaskRcnn3d

HEATMAPS = "roi_heads.keypoint_predictor.kps_score_lowres.weight"
NAMES = (  # beginnings of ours and torchvision's; the first that fits
    ("body.", "backbone.body."),
    ("pyramid.", "backbone.fpn."),
    ("proposals.conv.", "rpn.head.conv.0.0."),
    ("proposals.", "rpn.head."),
    ("keypoint_head.heatmaps.", "roi_heads.keypoint_predictor.kps_score_lowres."),
    ("box_", "roi_heads.box_"),
)
OLDER = (  # torchvision's older layout to its present one
    (r"^(backbone\.fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)$", r"\1.0.\2"),
    (r"^rpn\.head\.conv\.(weight|bias)$", r"rpn.head.conv.0.0.\1"),
)


@torch.no_grad()
def load_torchvision(state_dict: Mapping[str, Tensor], *, eps: float = 1e-5) -> MaskRcnn3d:
    """Loads torchvision's keypoint R-CNN with a ResNet-50 and a feature pyramid, as the 2D network of this package.

    It gives the same boxes, scores and keypoints, the latter by `ptfast.models.keypoints.decode_bicubic`. torchvision
    itself resizes images first, the shorter side to 800 pixels but the longer one to 1333 at most, and the results
    back.

    Args:
        state_dict: Weights of torchvision.models.detection.keypointrcnn_resnet50_fpn, in the layout of any version.
        eps: Added to the variance by its norms: 1e-5, but 0 for torchvision's own weights COCO_V1, which it runs so.
            The network has the same map with its own eps.

    Returns:
        The network in eval mode, float32, with as many joints as the weights have.

    Raises:
        ValueError: A tensor is missing, has a wrong shape, or is not one of that network's. The first such one is
            named.
    """
    check_tensors("state_dict", state_dict)
    weights = {present_name(name): value for name, value in state_dict.items()}
    weights = {name: value for name, value in weights.items() if not name.endswith(".num_batches_tracked")}
    joints = shape_of_layer("state_dict", weights, HEATMAPS, ("C", "K", 4, 4))[1]
    model = empty_model(MaskRcnn3d, architecture(joints), "state_dict")
    fill(model, "state_dict", weights, torchvision_name, fit)
    change_eps(model, eps=eps)
    return model


def architecture(joints: int) -> Architecture:
    """The architecture of torchvision's network."""
    return Architecture(
        depth=50,
        temporal_kernel=1,
        pyramid_channels=256,
        anchor_sizes=(32.0, 64.0, 128.0, 256.0, 512.0),
        box_head="mlp",
        box_channels=1024,
        upsampling="bilinear",
        joints=joints,
    )


def present_name(name: str) -> str:
    """torchvision's present name for one of any version."""
    for pattern, replacement in OLDER:
        name = re.sub(pattern, replacement, name)
    return name


def torchvision_name(name: str) -> str:
    """torchvision's name of one of our parameters or buffers."""
    found = re.fullmatch(r"keypoint_head\.convs\.(\d+)\.(weight|bias)", name)
    if found:
        return f"roi_heads.keypoint_head.{2 * int(found[1])}.{found[2]}"
    ours, theirs = next(pair for pair in NAMES if name.startswith(pair[0]))
    return theirs + name.removeprefix(ours)


def fit(name: str, weight: Tensor, shape: tuple[int, ...]) -> Tensor:
    """torchvision's tensor in the shape of our parameter."""
    if len(shape) == 5:
        return as_clip_kernel(weight, shape)
    if name.startswith("box_predictor.bbox_pred.") and weight.shape[:1] == (8,):
        return weight[4:]  # the person's; the background has shifts, too
    return weight
