"""Networks. They take and give tensors; what turns a video into tracks stands in ptfast.methods."""

from ptfast.models.fpn import FeaturePyramid
from ptfast.models.inflate import inflate
from ptfast.models.resnet3d import ResNet3d

__all__ = ["FeaturePyramid", "ResNet3d", "inflate"]
