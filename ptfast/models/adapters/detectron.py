"""Networks of Caffe2's Detectron and of Detect-and-Track's released code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ptfast.models.adapters.filling import as_clip_kernel, empty_model, fill, shape_of_layer
from ptfast.models.box_coding import BOX_WEIGHTS, Weights
from ptfast.models.images import IMAGE_STD, Colour
from ptfast.models.mask_rcnn import Architecture, MaskRcnn3d
from ptfast.models.residual import LAYOUTS

MEAN_OF_255: Colour = (122.7717, 115.9465, 102.9801)  # red, green, blue
HEATMAPS = "kps_score_lowres_w"
ENLARGEMENTS = ("kps_score", "kps_score_prefinal")  # a transposed convolution that is never trained


@torch.no_grad()
def load_detectron(blobs: Mapping[str, np.ndarray], *, box_weights: Weights = BOX_WEIGHTS) -> MaskRcnn3d:
    """Loads a keypoint network of Detectron or Detect-and-Track.

    These are known: Detectron's e2e_keypoint_rcnn with a ResNet-50 or 101 and a feature pyramid, Detect-and-Track's 2D
    networks of that kind, whose kernels have a temporal size of 1, and its 3D ResNet-18 without a pyramid. Kernels
    shorter in time than the longest, such as those of its first layer and res2, stand in the middle of ours, zeros
    around them.

    The network takes clips of `normalise_clips(frames, mean=model.architecture.image_mean)`. The order blue, green,
    red and the scale of 255 are folded into the first convolution. Two things differ from Caffe2: coordinates are
    continuous (Caffe2's boxes hold one pixel more), and the outermost heatmap pixels are not faded towards 0.

    Args:
        blobs: Arrays by name, as `read_detectron` gives them. Momentum is passed over. Blobs that belonged to the
            network that the training started from, which Detectron keeps in its files, must be taken out before.
        box_weights: The checkpoint's MODEL.BBOX_REG_WEIGHTS; (1, 1, 1, 1) where its configuration does not have them.

    Returns:
        The network in eval mode, float32.

    Raises:
        ValueError: A blob is missing, has a wrong shape, or is not one of the network's. The first such one is named.

    Source:
        Girdhar et al. 2018 (Detect-and-Track), released code: modeling/ResNet3D.py, FPN3D.py, FPN.py,
        model_builder.py, head_builder.py and keypoint_rcnn_heads.py.
    """
    own = {name: blob for name, blob in blobs.items() if not name.endswith("_momentum")}
    weights = {name: as_tensor(name, blob) for name, blob in own.items()}
    architecture = read_architecture(weights)
    drop_enlargement(weights, architecture.joints)
    model = empty_model(MaskRcnn3d, architecture, "blobs")
    fill(model, "blobs", weights, partial(detectron_name, patterns=name_patterns(weights, architecture)), fit)
    for name, buffer in model.named_buffers():
        if name.endswith(".running_mean"):
            buffer.zero_()
        elif name.endswith(".running_var"):
            buffer.fill_(1 - 1e-5)  # with eps it is 1: Detectron's norms have only a scale and a bias
    scale = 1 / torch.tensor(box_weights) * torch.tensor(BOX_WEIGHTS)
    model.box_predictor.bbox_pred.weight.mul_(scale[:, None])
    model.box_predictor.bbox_pred.bias.mul_(scale)
    return model


def as_tensor(name: str, blob: np.ndarray) -> Tensor:
    """A blob as float32. Raises ValueError unless it has real numbers."""
    if np.asarray(blob).dtype.kind not in "fiu":
        raise ValueError(f"blobs: {name} must be an array of real numbers, got {np.asarray(blob).dtype}")
    return torch.from_numpy(np.array(blob, np.float32))


def read_architecture(weights: Mapping[str, Tensor]) -> Architecture:
    """The architecture that the blobs' names and shapes show."""
    joints = shape_of_layer("blobs", weights, HEATMAPS, ("C", "K", 4, 4))[1]
    channels = shape_of_layer("blobs", weights, "conv_fcn1_w", ("...", "C", "D", 3, 3))[0]
    pyramid = "fc6_w" in weights
    stages = 4 if pyramid else 3
    convs = sum(re.fullmatch(r"conv_fcn\d+_w", name) is not None for name in weights)
    sizes = [weight.shape[2] for weight in weights.values() if weight.ndim == 5]
    common = Architecture(
        depth=read_depth(weights, stages),
        temporal_kernel=max(sizes, default=1),
        output_stride=16,
        box_blocks=max(count_blocks(weights, 5), 1),
        keypoint_convs=convs,
        keypoint_channels=channels,
        upsampling="bilinear",
        joints=joints,
        stride_in_1x1="res2_0_branch2c_w" in weights,
        anchor_layout="detectron",
        image_mean=tuple(value / 255 for value in MEAN_OF_255),  # type: ignore[arg-type]
    )
    if not pyramid:
        return common
    finest = f"fpn_res2_{count_blocks(weights, 2) - 1}_sum_w"
    return replace(
        common,
        pyramid_channels=shape_of_layer("blobs", weights, finest, ("...", "C", "D", 3, 3))[0],
        anchor_sizes=(32.0, 64.0, 128.0, 256.0, 512.0),
        box_head="mlp",
        box_channels=shape_of_layer("blobs", weights, "fc6_w", ("C", "D"))[0],
        box_blocks=1,
    )


def read_depth(weights: Mapping[str, Tensor], stages: int) -> int:
    """The depth whose stages, from res2 on, have as many blocks as there are."""
    counts = tuple(count_blocks(weights, 2 + stage) for stage in range(stages))
    expansion = 4 if "res2_0_branch2c_w" in weights else 1
    for depth, (block, layout) in LAYOUTS.items():
        if layout[:stages] == counts and block.expansion == expansion:
            return depth
    raise ValueError(f"blobs must be of a ResNet-18, 50 or 101, got {counts} blocks from res2 on")


def count_blocks(weights: Mapping[str, Tensor], stage: int) -> int:
    """Number of residual blocks that the blobs of res<stage> make."""
    return sum(re.fullmatch(rf"res{stage}_\d+_branch2a_w", name) is not None for name in weights)


def drop_enlargement(weights: dict[str, Tensor], joints: int) -> None:
    """Takes out the bilinear enlargement of the heatmaps, once it is seen to be that."""
    side = torch.tensor([0.25, 0.75, 0.75, 0.25])
    kernel = torch.eye(joints)[:, :, None, None] * (side[:, None] * side)
    for name in ENLARGEMENTS:
        for suffix, expected in (("_w", kernel), ("_b", torch.zeros(joints))):
            found = weights.pop(name + suffix, None)
            if found is not None and not (found.shape == expected.shape and torch.allclose(found, expected)):
                raise ValueError(f"blobs: {name}{suffix} must be a bilinear enlargement, got another one")


def name_patterns(weights: Mapping[str, Tensor], architecture: Architecture) -> dict[str, str]:
    """Regular expressions of our names without .weight or .bias, and the beginnings of blobs' names."""
    pyramid = architecture.pyramid_channels is not None
    tubes = "_1" if "rpn_cls_logits_1_w" in weights else ""  # networks over tubes take the mean of these over time
    level = "_fpn2" if pyramid else ""
    patterns = {
        r"body\.conv1": "conv1",
        r"body\.bn1": "res_conv1_bn",
        r"proposals\.conv": f"conv_rpn{level}",
        r"proposals\.(cls_logits|bbox_pred)": rf"rpn_\1{level}{tubes}",
        r"box_head\.(fc6|fc7)": r"\1",
        r"box_predictor\.(cls_score|bbox_pred)": rf"\1{tubes}",
        r"keypoint_head\.heatmaps": "kps_score_lowres",
    }
    patterns |= {rf"keypoint_head\.convs\.{i}": f"conv_fcn{i + 1}" for i in range(architecture.keypoint_convs)}
    stages = [(rf"body\.layer{stage}", 1 + stage) for stage in range(1, 5)] + [(r"box_head\.blocks", 5)]
    for ours, stage in stages:
        patterns[ours + r"\.(\d+)\.downsample\.0"] = rf"res{stage}_\1_branch1"
        patterns[ours + r"\.(\d+)\.downsample\.1"] = rf"res{stage}_\1_branch1_bn"
        for place, letter in enumerate("abc", start=1):
            patterns[ours + rf"\.(\d+)\.conv{place}"] = rf"res{stage}_\1_branch2{letter}"
            patterns[ours + rf"\.(\d+)\.bn{place}"] = rf"res{stage}_\1_branch2{letter}_bn"
    for index in range(4):
        top = f"res{index + 2}_{count_blocks(weights, index + 2) - 1}_sum"
        patterns[rf"pyramid\.inner_blocks\.{index}\.0"] = f"fpn_inner_{top}" + ("" if index == 3 else "_lateral")
        patterns[rf"pyramid\.layer_blocks\.{index}\.0"] = f"fpn_{top}"
    return patterns


def detectron_name(name: str, *, patterns: Mapping[str, str]) -> str | None:
    """The blob of one of our parameters or buffers; None for the statistics of norms."""
    layer, kind = name.rsplit(".", 1)
    if kind not in ("weight", "bias"):
        return None
    blob = next(re.sub(ours, theirs, layer) for ours, theirs in patterns.items() if re.fullmatch(ours, layer))
    norm = blob.endswith("_bn")
    return blob + ("_b" if kind == "bias" else "_s" if norm else "_w")


def fit(name: str, weight: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A blob in the shape of our parameter."""
    if name == "body.conv1.weight" and weight.shape[1:2] == (3,):
        colours = torch.tensor(IMAGE_STD) * 255
        weight = weight.flip(1) * colours.view(3, *[1] * (weight.ndim - 2))
    if name.startswith("box_predictor.") and weight.shape[2:] == (1, 1, 1):
        weight = weight[..., 0, 0, 0]
    if name.startswith("box_predictor.bbox_pred.") and weight.shape[:1] == (8,):
        weight = weight[4:]  # the person's; the background has shifts, too
    return as_clip_kernel(weight, shape) if len(shape) == 5 else weight
