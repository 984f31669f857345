"""State dicts of other programs, turned into those of this package's networks."""

from ptfast.models.adapters.detectron import load_detectron
from ptfast.models.adapters.detectron_files import read_detectron
from ptfast.models.adapters.flownet import load_flownet
from ptfast.models.adapters.hrnet import load_hrnet
from ptfast.models.adapters.pose_resnet import load_pose_resnet
from ptfast.models.adapters.raft import load_raft
from ptfast.models.adapters.recognition import FLOWNET, HRNET, KEYPOINT_RCNN, POSE_RESNET, RAFT, network_of
from ptfast.models.adapters.state_dicts import named_tensors, read_state_dict
from ptfast.models.adapters.torchvision import load_torchvision

__all__ = [
    "FLOWNET",
    "HRNET",
    "KEYPOINT_RCNN",
    "POSE_RESNET",
    "RAFT",
    "load_detectron",
    "load_flownet",
    "load_hrnet",
    "load_pose_resnet",
    "load_raft",
    "load_torchvision",
    "named_tensors",
    "network_of",
    "read_detectron",
    "read_state_dict",
]
