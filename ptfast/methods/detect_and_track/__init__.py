"""Detect-and-Track (Girdhar et al., CVPR 2018)."""

from ptfast.methods.detect_and_track.config import Config
from ptfast.methods.detect_and_track.method import DetectAndTrack

__all__ = ["Config", "DetectAndTrack"]
