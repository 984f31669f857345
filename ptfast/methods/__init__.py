"""Systems, each from pixels to scored tracks; a folder a paper, and `online`, which no paper owns."""

from ptfast.methods.clip_tracking import ClipTracking
from ptfast.methods.detect_and_track import DetectAndTrack
from ptfast.methods.keytrack import KeyTrack
from ptfast.methods.online import Online
from ptfast.methods.simple_baselines import SimpleBaselines

__all__ = ["ClipTracking", "DetectAndTrack", "KeyTrack", "Online", "SimpleBaselines"]
