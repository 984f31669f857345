"""Training of the 3D Mask R-CNN of Detect-and-Track."""

from ptfast.training.mask_rcnn.config import MaskRcnnConfig, read_config
from ptfast.training.mask_rcnn.recipe import RECIPE, mask_rcnn_task

__all__ = ["RECIPE", "MaskRcnnConfig", "mask_rcnn_task", "read_config"]
