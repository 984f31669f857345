"""Seeded scenes of articulated people as poses, and detections of them."""

from ptfast.synthetic.crowd import crowd
from ptfast.synthetic.detections import detections
from ptfast.synthetic.scene import scene

__all__ = ["crowd", "detections", "scene"]
