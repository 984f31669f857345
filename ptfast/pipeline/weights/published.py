"""Networks of other programs' checkpoints, recognised by their tensors' names and shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from ptfast._json import shortened
from ptfast.models import (
    FlowNet2S,
    MaskRcnn3d,
    PoseNetwork,
    Raft,
    load_detectron,
    load_flownet,
    load_hrnet,
    load_inception_pose,
    load_pose_resnet,
    load_raft,
    load_torchvision,
)
from ptfast.models.adapters import (
    FLOWNET,
    HRNET,
    INCEPTION_POSE,
    KEYPOINT_RCNN,
    POSE_RESNET,
    RAFT,
    named_tensors,
    network_of,
    read_detectron,
    read_state_dict,
)
from ptfast.models.checkpoints import read_tensors
from ptfast.pipeline.weights.given import Form
from ptfast.pipeline.weights.zoo import ZOO, Published
from ptfast.skeletons import POSETRACK_15, POSETRACK_17, Skeleton

HEATMAPS = "final_layer."  # the layer of a pose network that makes them


def read_pose_network(path: Path, skeleton: Skeleton) -> PoseNetwork:
    """A published HRNet, PoseResNet or CorrTrack's pose network, with heatmaps of these joints.

    PoseResNets under the public code's own names are taken for its authors', which see blue, green, red; MMPose's see
    red, green, blue, as HRNets do.

    Args:
        path: The checkpoint.
        skeleton: The network's joints, or posetrack_15 for one with channels as posetrack_17 has them: ears are in
            PoseTrack's files, but annotated nowhere.

    Raises:
        ValueError: The file holds another network, or one with other joints.
    """
    content = named_tensors(read_state_dict(path), str(path), parts=())
    weights = named_tensors(content, str(path))
    network = check_network(path, weights, HRNET, POSE_RESNET, INCEPTION_POSE)
    if network == INCEPTION_POSE:
        with named(path):
            model = load_inception_pose(weights)
        check_joints(path, model.architecture.joints, skeleton)
        return model
    weights = with_joints(path, weights, skeleton)
    with named(path):
        return load_hrnet(weights) if network == HRNET else load_pose_resnet(weights, bgr="conv1.weight" in content)


def with_joints(path: Path, weights: Mapping[str, Tensor], skeleton: Skeleton) -> dict[str, Tensor]:
    """A pose network's tensors with heatmaps of these joints alone, in their order."""
    head = {name: value for name, value in weights.items() if name.startswith(HEATMAPS) and value.ndim}
    joints = {len(value) for value in head.values()}
    if skeleton == POSETRACK_15 and joints == {len(POSETRACK_17)}:
        channels = torch.from_numpy(POSETRACK_17.indices_of(POSETRACK_15))
        return {**weights, **{name: value[channels] for name, value in head.items()}}
    check_joints(path, max(joints, default=0), skeleton)
    return dict(weights)


def read_torchvision(path: Path, published: Published | None) -> MaskRcnn3d:
    """torchvision's keypoint R-CNN; the weights that torchvision itself runs with an eps of 0 get the same."""
    weights = named_tensors(read_state_dict(path, "a state dict"), str(path), parts=())
    check_network(path, named_tensors(weights), KEYPOINT_RCNN)
    with named(path):
        return load_torchvision(weights, eps=0.0 if published == ZOO["keypointrcnn"] else 1e-5)


def read_caffe2(path: Path) -> MaskRcnn3d:
    """Detectron's or Detect-and-Track's network."""
    blobs = read_detectron(path)
    with named(path):
        return load_detectron(blobs)


def read_flow_network(path: Path, form: Form) -> FlowNet2S | Raft:
    """A FlowNet2-S, published or trained here, or torchvision's RAFT."""
    content = read_tensors(path) if form == "safetensors" else read_state_dict(path)
    weights = named_tensors(content, str(path))
    network = check_network(path, weights, FLOWNET, RAFT)
    with named(path):
        return load_flownet(weights) if network == FLOWNET else load_raft(weights)


def check_network(path: Path, weights: Mapping[str, Tensor], *wanted: str) -> str:
    """The network that tensors are of. Raises ValueError unless it is one of these."""
    network = network_of(weights)
    if network not in wanted:
        some = f"tensors such as {shortened(', '.join(list(weights)[:3]))}" if weights else "no tensors"
        expected = " or ".join(filter(None, (", ".join(wanted[:-1]), wanted[-1])))
        raise ValueError(f"{path}: expected {expected}, found {network or some}")
    return network


def check_joints(path: Path, joints: int, skeleton: Skeleton) -> None:
    """Raises ValueError unless a network has as many joints as its skeleton."""
    if joints != len(skeleton):
        expected = f"expected the {len(skeleton)} joints of {skeleton.name}"
        raise ValueError(f"{path}: {expected}, found {joints}; another skeleton may be named")


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Gives errors about the content of a file its name."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
