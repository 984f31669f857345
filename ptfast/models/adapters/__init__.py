"""State dicts of other programs, turned into those of this package's networks."""

from ptfast.models.adapters.corrtrack import load_correspondences, load_inception_pose
from ptfast.models.adapters.detectron import load_detectron
from ptfast.models.adapters.detectron_files import read_detectron
from ptfast.models.adapters.flownet import load_flownet
from ptfast.models.adapters.hrnet import load_hrnet
from ptfast.models.adapters.pose_resnet import load_pose_resnet
from ptfast.models.adapters.raft import load_raft
from ptfast.models.adapters.recognition import (
    CORRESPONDENCES,
    FLOWNET,
    HRNET,
    INCEPTION_POSE,
    KEYPOINT_RCNN,
    POSE_RESNET,
    RAFT,
    network_of,
)
from ptfast.models.adapters.state_dicts import named_tensors, read_state_dict
from ptfast.models.adapters.torchvision import load_torchvision

__all__ = [
    "CORRESPONDENCES",
    "FLOWNET",
    "HRNET",
    "INCEPTION_POSE",
    "KEYPOINT_RCNN",
    "POSE_RESNET",
    "RAFT",
    "load_correspondences",
    "load_detectron",
    "load_flownet",
    "load_hrnet",
    "load_inception_pose",
    "load_pose_resnet",
    "load_raft",
    "load_torchvision",
    "named_tensors",
    "network_of",
    "read_detectron",
    "read_state_dict",
]
