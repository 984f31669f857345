"""Weights of other programs, turned into weights of ptfast's networks."""

from ptfast.models.adapters.detectron import load_detectron
from ptfast.models.adapters.hrnet import load_hrnet, load_pose_resnet, read_state_dict
from ptfast.models.adapters.pickles import read_detectron
from ptfast.models.adapters.torchvision import load_torchvision

__all__ = [
    "load_detectron",
    "load_hrnet",
    "load_pose_resnet",
    "load_torchvision",
    "read_detectron",
    "read_state_dict",
]
