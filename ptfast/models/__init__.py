"""Networks. They take and give tensors; what turns a video into tracks stands in ptfast.methods."""

from ptfast.models.checkpoints import load_detectron, load_torchvision, load_weights, save_weights
from ptfast.models.detection import Limits, Tubes, detect
from ptfast.models.fpn import FeaturePyramid
from ptfast.models.inflate import inflate
from ptfast.models.mask_rcnn import Architecture, MaskRcnn3d
from ptfast.models.resnet3d import ResNet3d

__all__ = [
    "Architecture",
    "FeaturePyramid",
    "Limits",
    "MaskRcnn3d",
    "ResNet3d",
    "Tubes",
    "detect",
    "inflate",
    "load_detectron",
    "load_torchvision",
    "load_weights",
    "save_weights",
]
