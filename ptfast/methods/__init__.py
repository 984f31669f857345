"""Published systems, each from pixels to scored tracks; a thin file a paper."""

from ptfast.methods.detect_and_track import DetectAndTrack

__all__ = ["DetectAndTrack"]
