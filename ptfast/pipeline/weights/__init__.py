"""Weights by name or by file: those that come along in this folder, the user's own, and other programs'."""

from ptfast.pipeline.weights.names import MASK_RCNN_NAMES, MOVENET_NAMES, NANODET_NAMES, POSE_NAMES, path_of
from ptfast.pipeline.weights.networks import (
    MaskRcnnWeights,
    MoveNetWeights,
    PoseWeights,
    load_mask_rcnn_weights,
    load_movenet_weights,
    load_nanodet_weights,
    load_pose_weights,
    network_of,
    thresholds_of,
)

__all__ = [
    "MASK_RCNN_NAMES",
    "MOVENET_NAMES",
    "NANODET_NAMES",
    "POSE_NAMES",
    "MaskRcnnWeights",
    "MoveNetWeights",
    "PoseWeights",
    "load_mask_rcnn_weights",
    "load_movenet_weights",
    "load_nanodet_weights",
    "load_pose_weights",
    "network_of",
    "path_of",
    "thresholds_of",
]
