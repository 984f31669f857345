"""Weights by name or by file: those that come along in this folder, published ones, and the user's own."""

from ptfast.pipeline.weights.cache import cache_folder, fetch, place_of
from ptfast.pipeline.weights.names import (
    ENTAILMENT_NAMES,
    MASK_RCNN_NAMES,
    MATCHER_NAMES,
    MOVENET_NAMES,
    NAMES,
    NANODET_NAMES,
    POSE_NAMES,
    path_of,
)
from ptfast.pipeline.weights.networks import (
    THRESHOLDS,
    MaskRcnnWeights,
    MoveNetWeights,
    PoseWeights,
    load_entailment_weights,
    load_flow_weights,
    load_mask_rcnn_weights,
    load_movenet_weights,
    load_nanodet_weights,
    load_pose_weights,
    network_of,
    settings_for,
    thresholds_of,
)
from ptfast.pipeline.weights.zoo import ZOO, Origin, Published

__all__ = [
    "ENTAILMENT_NAMES",
    "MASK_RCNN_NAMES",
    "MATCHER_NAMES",
    "MOVENET_NAMES",
    "NAMES",
    "NANODET_NAMES",
    "POSE_NAMES",
    "THRESHOLDS",
    "ZOO",
    "MaskRcnnWeights",
    "MoveNetWeights",
    "Origin",
    "PoseWeights",
    "Published",
    "cache_folder",
    "fetch",
    "load_entailment_weights",
    "load_flow_weights",
    "load_mask_rcnn_weights",
    "load_movenet_weights",
    "load_nanodet_weights",
    "load_pose_weights",
    "network_of",
    "path_of",
    "place_of",
    "settings_for",
    "thresholds_of",
]
