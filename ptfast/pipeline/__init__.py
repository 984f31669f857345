"""From a video to people's boxes and joints: the parts that every method uses and no paper owns."""

from ptfast.pipeline.detectors import Boxes, Detector, GivenBoxes, each_image, given_boxes
from ptfast.pipeline.mask_rcnn import MaskRcnn, MaskRcnnSettings, load_mask_rcnn
from ptfast.pipeline.one_shot import MultiPose, MultiPoseSettings, OneShot
from ptfast.pipeline.pose_networks import TubePoses
from ptfast.pipeline.records import FrameTracklets, Record

__all__ = [
    "Boxes",
    "Detector",
    "FrameTracklets",
    "GivenBoxes",
    "MaskRcnn",
    "MaskRcnnSettings",
    "MultiPose",
    "MultiPoseSettings",
    "OneShot",
    "Record",
    "TubePoses",
    "each_image",
    "given_boxes",
    "load_mask_rcnn",
]
