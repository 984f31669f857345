"""Other programs' networks in ONNX files: person detectors, pose networks and one-shot estimators.

A file that follows none of these formats is an error that names its outputs.
"""

from ptfast.pipeline.onnx.estimators import OnnxDetector, OnnxOneShot, OnnxPersonPoses, OnnxSettings
from ptfast.pipeline.onnx.export import export_movenet
from ptfast.pipeline.onnx.loading import load_onnx
from ptfast.pipeline.onnx.network import OnnxNetwork

__all__ = [
    "OnnxDetector",
    "OnnxNetwork",
    "OnnxOneShot",
    "OnnxPersonPoses",
    "OnnxSettings",
    "export_movenet",
    "load_onnx",
]
