"""Training of networks for the poses of single people."""

from ptfast.training.pose.config import HrnetConfig, PoseConfig, PoseResnetConfig, read_config
from ptfast.training.pose.recipe import RECIPE, pose_network, pose_task

__all__ = ["RECIPE", "HrnetConfig", "PoseConfig", "PoseResnetConfig", "pose_network", "pose_task", "read_config"]
