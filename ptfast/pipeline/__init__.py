"""From a video to people's boxes and joints: the parts that every method uses and no paper owns."""

from ptfast.pipeline.by_name import load_detector, load_one_shot, load_person_poses
from ptfast.pipeline.detectors import Boxes, Detector, GivenBoxes, each_batch, each_image, given_boxes
from ptfast.pipeline.entailment import load_match_scorer
from ptfast.pipeline.fused import Fused, FusedSettings
from ptfast.pipeline.mask_rcnn import MaskRcnn, MaskRcnnSettings, load_mask_rcnn
from ptfast.pipeline.nanodet_boxes import NanoDetBoxes, NanoDetSettings
from ptfast.pipeline.one_shot import MultiPose, MultiPoseSettings, OneShot, OneShotBoxes
from ptfast.pipeline.person_poses import PersonPoses, SinglePose
from ptfast.pipeline.pose_networks import TubePoses
from ptfast.pipeline.records import FrameTracklets, Record
from ptfast.pipeline.top_down import TopDown

__all__ = [
    "Boxes",
    "Detector",
    "FrameTracklets",
    "Fused",
    "FusedSettings",
    "GivenBoxes",
    "MaskRcnn",
    "MaskRcnnSettings",
    "MultiPose",
    "MultiPoseSettings",
    "NanoDetBoxes",
    "NanoDetSettings",
    "OneShot",
    "OneShotBoxes",
    "PersonPoses",
    "Record",
    "SinglePose",
    "TopDown",
    "TubePoses",
    "each_batch",
    "each_image",
    "given_boxes",
    "load_detector",
    "load_mask_rcnn",
    "load_match_scorer",
    "load_one_shot",
    "load_person_poses",
]
