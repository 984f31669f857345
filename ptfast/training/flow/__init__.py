"""Training of FlowNet2-S, the network of optical flow."""

from ptfast.training.flow.config import FlowConfig, read_config
from ptfast.training.flow.recipe import RECIPE, flow_task
from ptfast.training.flow.validation import validate_flow

__all__ = ["RECIPE", "FlowConfig", "flow_task", "read_config", "validate_flow"]
