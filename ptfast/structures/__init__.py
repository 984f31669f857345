"""Poses and Tracklets: the columnar structures that every part of ptfast passes on, in NumPy or torch."""

from ptfast._columns import joint_boxes
from ptfast.structures._measures import head_sizes, pose_areas
from ptfast.structures._pose_columns import IgnoreRegions
from ptfast.structures._poses import Poses
from ptfast.structures._tracklets import Tracklets

__all__ = ["IgnoreRegions", "Poses", "Tracklets", "head_sizes", "joint_boxes", "pose_areas"]
