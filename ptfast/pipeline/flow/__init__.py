"""Optical flow between two images of a video: of every pixel, or at some points alone, and joints that it carries."""

from ptfast.pipeline.flow.by_name import FLOW_NAMES, load_flow, load_point_flow
from ptfast.pipeline.flow.carrying import carry
from ptfast.pipeline.flow.dense import DenseFlow
from ptfast.pipeline.flow.fields import Flow, FlowField
from ptfast.pipeline.flow.images import FlowImage, PointFlow
from ptfast.pipeline.flow.networks import NetworkFlow
from ptfast.pipeline.flow.opencv import OpenCvFlow
from ptfast.pipeline.flow.sparse import SparseFlow

__all__ = [
    "FLOW_NAMES",
    "DenseFlow",
    "Flow",
    "FlowField",
    "FlowImage",
    "NetworkFlow",
    "OpenCvFlow",
    "PointFlow",
    "SparseFlow",
    "carry",
    "load_flow",
    "load_point_flow",
]
