"""Networks, which take and give tensors. ptfast.pipeline and ptfast.methods turn videos into tracks with them."""

from ptfast.models.adapters import (
    load_correspondences,
    load_detectron,
    load_flownet,
    load_hrnet,
    load_inception_pose,
    load_pose_resnet,
    load_raft,
    load_torchvision,
)
from ptfast.models.affinity import affinity_maps
from ptfast.models.camera_shift import camera_shifts
from ptfast.models.checkpoints import load_correspondence_network, load_pose_network, load_weights, save_weights
from ptfast.models.correspondence import CorrespondenceArchitecture, CorrespondenceNetwork
from ptfast.models.detection import Limits, Tubes, detect
from ptfast.models.entailment_architecture import PoseEntailmentArchitecture
from ptfast.models.entailment_files import load_pose_entailment, save_pose_entailment
from ptfast.models.flownet import FlowNet2S, FlowNetArchitecture
from ptfast.models.fpn import FeaturePyramid
from ptfast.models.hrnet import Hrnet, HrnetArchitecture
from ptfast.models.image_networks import load_movenet, load_nanodet
from ptfast.models.inception_pose import InceptionPose, InceptionPoseArchitecture, decode_offsets
from ptfast.models.inflate import inflate
from ptfast.models.mask_rcnn import Architecture, MaskRcnn3d
from ptfast.models.movenet import MoveNet, MoveNetArchitecture
from ptfast.models.movenet_decoding import People, decode_multipose, decode_singlepose
from ptfast.models.nanodet import NanoDet, NanoDetArchitecture
from ptfast.models.nanodet_decoding import decode_nanodet
from ptfast.models.pose_entailment import PoseEntailment
from ptfast.models.pose_pairs import PosePairs
from ptfast.models.pose_resnet import PoseResnet, PoseResnetArchitecture
from ptfast.models.raft import Raft
from ptfast.models.resnet3d import ResNet3d
from ptfast.models.tubes import PoseNetwork, estimate_tubes

__all__ = [
    "Architecture",
    "CorrespondenceArchitecture",
    "CorrespondenceNetwork",
    "FeaturePyramid",
    "FlowNet2S",
    "FlowNetArchitecture",
    "Hrnet",
    "HrnetArchitecture",
    "InceptionPose",
    "InceptionPoseArchitecture",
    "Limits",
    "MaskRcnn3d",
    "MoveNet",
    "MoveNetArchitecture",
    "NanoDet",
    "NanoDetArchitecture",
    "People",
    "PoseEntailment",
    "PoseEntailmentArchitecture",
    "PoseNetwork",
    "PosePairs",
    "PoseResnet",
    "PoseResnetArchitecture",
    "Raft",
    "ResNet3d",
    "Tubes",
    "affinity_maps",
    "camera_shifts",
    "decode_multipose",
    "decode_nanodet",
    "decode_offsets",
    "decode_singlepose",
    "detect",
    "estimate_tubes",
    "inflate",
    "load_correspondence_network",
    "load_correspondences",
    "load_detectron",
    "load_flownet",
    "load_hrnet",
    "load_inception_pose",
    "load_movenet",
    "load_nanodet",
    "load_pose_entailment",
    "load_pose_network",
    "load_pose_resnet",
    "load_raft",
    "load_torchvision",
    "load_weights",
    "save_pose_entailment",
    "save_weights",
]
