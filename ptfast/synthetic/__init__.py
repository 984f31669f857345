"""Seeded scenes of articulated people, and detections of them."""

from ptfast.synthetic.detections import detections

__all__ = ["detections"]
