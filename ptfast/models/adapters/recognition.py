"""Networks recognised by the names of their tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HRNET, POSE_RESNET, KEYPOINT_RCNN = "an HRNet", "a PoseResNet", "torchvision's keypoint R-CNN"
FLOWNET, RAFT = "a FlowNet2-S", "torchvision's RAFT"
CORRESPONDENCES, INCEPTION_POSE = "CorrTrack's correspondence network", "CorrTrack's pose network"
NETWORKS: tuple[tuple[str, tuple[str, ...]], ...] = (  # names of tensors that a network has; the first that fits
    (KEYPOINT_RCNN, ("roi_heads.keypoint_predictor.kps_score_lowres.weight",)),
    ("a detector of torchvision without joints", ("roi_heads.box_predictor.cls_score.weight",)),
    ("a Faster R-CNN of MMDetection", ("roi_head.bbox_head.fc_cls.weight",)),
    ("an RTMDet", ("bbox_head.rtm_cls.0.weight",)),
    ("a YOLOX of MMDetection", ("bbox_head.multi_level_conv_cls.0.weight",)),
    ("a YOLOX", ("stems.0.conv.weight", "cls_preds.0.weight")),
    ("an RTMPose", ("mlp.1.weight", "cls_x.weight")),
    (RAFT, ("feature_encoder.convnormrelu.0.weight",)),
    ("a FlowNet2-C", ("conv_redir.0.weight", "predict_flow2.weight")),
    ("a FlowNet2-SD", ("inter_conv2.0.weight", "predict_flow2.weight")),
    ("a FlowNet2-S with batch norms", ("conv1.1.weight", "predict_flow2.weight")),
    (FLOWNET, ("conv1.0.weight", "conv3_1.0.weight", "predict_flow2.weight")),
    (CORRESPONDENCES, ("model.model.conv1_7x7_s2.weight", "pd.Conv2dT_2.conv.weight")),
    (CORRESPONDENCES, ("model.module.model.conv1_7x7_s2.weight", "pd.Conv2dT_2.conv.weight")),
    ("CorrTrack's embedding without refinement", ("model.conv1_7x7_s2.weight", "model.pd1.Conv2dT_2.conv.weight")),
    (INCEPTION_POSE, ("conv1_7x7_s2.weight", "pd1.Conv2dT_2.conv.weight", "pd2.Conv2dT_2.conv.weight")),
    ("a BN-Inception that names images", ("conv1_7x7_s2.weight", "inception_3a_1x1.weight")),
    (POSE_RESNET, ("layer1.0.conv1.weight", "deconv_layers.0.weight")),
    (HRNET, ("conv1.weight", "stage2.0.branches.0.0.conv1.weight", "final_layer.weight")),
    ("an HRNet without heatmaps", ("conv1.weight", "stage2.0.branches.0.0.conv1.weight")),
    ("a ResNet that names images", ("layer1.0.conv1.weight", "fc.weight")),
)


def network_of(weights: Mapping[str, Any]) -> str | None:
    """What network tensors are of, such as "an HRNet", by their names without prefixes (`named_tensors`), or None."""
    for network, names in NETWORKS:
        if all(name in weights for name in names):
            return network
    return None
