"""Clip tracking (Wang et al., CVPR 2020)."""

from ptfast.methods.clip_tracking.config import Config, Merging
from ptfast.methods.clip_tracking.method import ClipTracking
from ptfast.methods.clip_tracking.polish import Dropped

__all__ = ["ClipTracking", "Config", "Dropped", "Merging"]
