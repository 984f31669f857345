"""KeyTrack (Snower et al., CVPR 2020)."""

from ptfast.methods.keytrack.config import Config
from ptfast.methods.keytrack.method import KeyTrack

__all__ = ["Config", "KeyTrack"]
