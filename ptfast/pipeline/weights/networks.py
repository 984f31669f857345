"""Networks of weights by name or file, with their skeleton and the settings that suit them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ptfast._json import shortened
from ptfast.models import (
    FlowNet2S,
    InceptionPose,
    MaskRcnn3d,
    MoveNet,
    NanoDet,
    PoseEntailment,
    PoseNetwork,
    Raft,
    load_movenet,
    load_nanodet,
    load_pose_entailment,
    load_pose_network,
    load_weights,
)
from ptfast.models.adapters import FLOWNET, HRNET, INCEPTION_POSE, KEYPOINT_RCNN, POSE_RESNET, RAFT
from ptfast.models.image_networks import read_any_card
from ptfast.pipeline.weights.given import find_weights, form_of
from ptfast.pipeline.weights.names import (
    ENTAILMENT_NAMES,
    MASK_RCNN_NAMES,
    MOVENET_NAMES,
    NAMES,
    NANODET_NAMES,
    POSE_NAMES,
    path_of,
)
from ptfast.pipeline.weights.published import (
    check_joints,
    read_caffe2,
    read_flow_network,
    read_pose_network,
    read_torchvision,
)
from ptfast.pipeline.weights.zoo import ZOO
from ptfast.skeletons import COCO_17, POSETRACK_17, SKELETONS, Skeleton

THRESHOLDS = ("min_score", "min_joint_score", "min_new_score")  # of linking, among the settings of a card

MASK_RCNN, POSE = f"a Mask R-CNN or {KEYPOINT_RCNN}", f"{HRNET}, {POSE_RESNET} or {INCEPTION_POSE}"  # in messages
FLOW = f"{FLOWNET} or {RAFT}"
CROP = (256, 192)  # height and width of the crops of most published pose networks
CORRTRACK_CROP = (384, 288)
LARGE = {"short_side": 800, "long_side": 1333}


@dataclass(frozen=True)
class MaskRcnnWeights:
    """A Mask R-CNN with its weights.

    Attributes:
        model: The network.
        skeleton: Its joints.
        settings: Settings of the method that suit the weights, by name.
    """

    model: MaskRcnn3d
    skeleton: Skeleton
    settings: dict[str, Any]


@dataclass(frozen=True)
class PoseWeights:
    """A pose network with its weights.

    Attributes:
        model: The network.
        skeleton: Its joints.
        settings: Settings of the method that suit the weights, by name.
        size: Height and width of the crops.
    """

    model: PoseNetwork
    skeleton: Skeleton
    settings: dict[str, Any]
    size: tuple[int, int]


@dataclass(frozen=True)
class MoveNetWeights:
    """A MoveNet with its weights.

    Attributes:
        model: The network.
        skeleton: Its joints.
        settings: Settings of the method that suit the weights, by name.
    """

    model: MoveNet
    skeleton: Skeleton
    settings: dict[str, Any]


def load_mask_rcnn_weights(weights: str | Path, *, skeleton: Skeleton | None = None) -> MaskRcnnWeights:
    """Loads a Mask R-CNN.

    Args:
        weights: A name of MASK_RCNN_NAMES or of a published keypoint R-CNN (ZOO), which is fetched; or a file of any
            name: safetensors with their card beside them, torchvision's keypoint R-CNN, or Detectron's or
            Detect-and-Track's pickle.
        skeleton: The joints of another program's network; COCO's if it is not given.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ConnectionError: Published weights cannot be fetched.
        ValueError: The file is damaged or of another network, it has other joints, or its card names a skeleton that
            is not known.
    """
    given = find_weights(weights, MASK_RCNN, MASK_RCNN_NAMES, ("keypoint-rcnn",), ("torch", "pickle"))
    path = given.path
    if given.form == "safetensors":
        model, card = load_weights(path)
        return MaskRcnnWeights(
            model, _skeleton(path, card, skeleton), _settings(path, card) | {"frames": card["frames"]}
        )
    joints = skeleton or COCO_17
    if given.form == "torch":
        model, settings = read_torchvision(path, given.published), {"frames": 1, **LARGE}
    else:
        model = read_caffe2(path)
        frames = 3 if model.architecture.temporal_kernel > 1 else 1
        settings = {"frames": frames, "caffe2": True, **({} if frames > 1 else LARGE)}
    check_joints(path, model.architecture.joints, joints)
    return MaskRcnnWeights(model, joints, settings)


def load_pose_weights(
    weights: str | Path, *, size: tuple[int, int] | None = None, skeleton: Skeleton | None = None
) -> PoseWeights:
    """Loads a pose network.

    Args:
        weights: A name of POSE_NAMES or of a published pose network (ZOO), which is fetched; or a file of any name:
            safetensors with their card beside them, or a published HRNet, PoseResNet or CorrTrack's pose network.
        size: Height and width of the crops, instead of those that the card or ZOO says, or 256 x 192, or 384 x 288 for
            CorrTrack's.
        skeleton: The joints of another program's network, instead of those that ZOO says, or COCO's, or posetrack_17
            for CorrTrack's. posetrack_15 takes those of an HRNet or PoseResNet with the 17 channels of posetrack_17, as
            MMPose's for PoseTrack are.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ConnectionError: Published weights cannot be fetched.
        ValueError: The file is damaged or of another network, it has other joints, or its card names a skeleton that
            is not known.
    """
    given = find_weights(weights, POSE, POSE_NAMES, ("hrnet", "pose-resnet"), ("torch",))
    path = given.path
    if given.form == "safetensors":
        model, card = load_pose_network(path)
        return PoseWeights(model, _skeleton(path, card, skeleton), _settings(path, card), size or tuple(card["size"]))
    known = given.published
    joints = skeleton or SKELETONS[(known and known.skeleton) or COCO_17.name]
    model, crop = read_pose_network(path, joints), (known and known.size) or CROP
    if isinstance(model, InceptionPose):
        joints, crop = skeleton or POSETRACK_17, CORRTRACK_CROP
    return PoseWeights(model, joints, {}, size or crop)


def load_movenet_weights(weights: str | Path, *, skeleton: Skeleton | None = None) -> MoveNetWeights:
    """Loads a MoveNet.

    Args:
        weights: A name of MOVENET_NAMES, or a *.safetensors file with its card beside it.
        skeleton: The joints that it must have, if any will not do.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is damaged or of another kind, or its card names a skeleton that is not known, is not the
            wanted one or has other joints.
    """
    path = find_weights(weights, "a MoveNet", MOVENET_NAMES).path
    model, card = load_movenet(path)
    skeleton = _skeleton(path, card, skeleton)
    if len(skeleton) != model.architecture.joints:
        expected = f"a skeleton of {model.architecture.joints} joints"
        raise ValueError(f"{path.with_suffix('.json')}: skeleton: expected {expected}, found {skeleton.name!r}")
    return MoveNetWeights(model, skeleton, _settings(path, card))


def load_nanodet_weights(weights: str | Path) -> NanoDet:
    """Loads a NanoDet, by a name of NANODET_NAMES or otherwise as `load_movenet_weights` does."""
    return load_nanodet(find_weights(weights, "a NanoDet", NANODET_NAMES).path)[0]


def load_entailment_weights(weights: str | Path = "keytrack", *, device: torch.device | str = "cpu") -> PoseEntailment:
    """Loads a pose entailment network.

    Args:
        weights: A name of ENTAILMENT_NAMES, or a *.safetensors file with its card beside it.
        device: Where it runs.

    Returns:
        The network, in evaluation mode. It says its joints: `skeleton`.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is damaged or of another kind, or its card names a skeleton that is not known.
    """
    path = find_weights(weights, "a pose entailment network", ENTAILMENT_NAMES).path
    return load_pose_entailment(path)[0].to(device)


def load_flow_weights(weights: str | Path) -> FlowNet2S | Raft:
    """Loads a network of optical flow.

    Args:
        weights: The name of a published one (ZOO), "flownet2s", "raft-small" or "raft-large"; or a file of any name:
            a FlowNet2-S of `ptfast train flow`, as safetensors or a checkpoint, or a published one, or torchvision's
            RAFT. Names and shapes of the tensors show which, and its width; a card is not needed.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name, or a browser alone can fetch it.
        ConnectionError: Published weights cannot be fetched.
        ImportError: They are RAFT's, and torchvision cannot be imported.
        ValueError: The file is damaged or of another network.
    """
    given = find_weights(weights, FLOW, (), ("flownet2s", "raft"), ("torch",))
    return read_flow_network(given.path, given.form)


def network_of(weights: str | Path) -> str | None:
    """The network that weights are of, as their card says; None of those that have no card.

    Args:
        weights: A *.safetensors file with its card beside it, the name of one that comes along, a name of ZOO, which
            is not fetched, or any other file.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name, or no card.
        ValueError: The card is damaged, or of a network that is not known.
    """
    if weights in ZOO:
        return None
    path = path_of(weights)
    if not path.exists():
        names = f"{', '.join(NAMES)}, or a name that ptfast weights list shows"
        raise FileNotFoundError(f"{weights}: expected a file, or one of: {names}; there is no such file")
    known = path.is_file() and form_of(path) == "safetensors"
    return read_any_card(path)[1] if known else None


def settings_for(weights: str | Path) -> dict[str, Any]:
    """The settings of a method that suit weights, by name, as their card says; errors as `network_of`.

    Args:
        weights: As `network_of` takes them.
    """
    if network_of(weights) is None:
        return {}
    path = path_of(weights)
    return _settings(path, read_any_card(path)[0])


def thresholds_of(weights: str | Path) -> dict[str, Any]:
    """Those of `THRESHOLDS` that suit the scores of a network, of the settings that `settings_for` gives."""
    settings = settings_for(weights)
    return {name: settings[name] for name in THRESHOLDS if name in settings}


def thresholds_in_boxes(weights: str | Path) -> dict[str, Any]:
    """Thresholds of a method that looks for people in a detector's boxes and in boxes around those of the frame before.

    Where a network's card has a threshold for its poses, all of the detector's boxes are looked at, since it was chosen
    so. Its threshold for joints is that of the mean of a person's joints whom the detector misses, too.
    """
    known = thresholds_of(weights)
    if "min_score" in known:
        known["min_box_score"] = None
    if "min_joint_score" in known:
        known["min_propagated_score"] = known["min_joint_score"]
    return known


def _skeleton(path: Path, card: dict[str, Any], wanted: Skeleton | None = None) -> Skeleton:
    """The skeleton that a card names, which must be the wanted one if there is one."""
    name = card.get("skeleton")
    if name not in SKELETONS or wanted not in (None, SKELETONS[name]):
        expected = f"one of {sorted(SKELETONS)}" if wanted is None else repr(wanted.name)
        raise ValueError(f"{path.with_suffix('.json')}: skeleton: expected {expected}, found {shortened(repr(name))}")
    return SKELETONS[name]


def _settings(path: Path, card: dict[str, Any]) -> dict[str, Any]:
    """A card's settings for the method, among them the frames that the network must see together."""
    settings = card.get("settings", {})
    if not isinstance(settings, dict):
        raise ValueError(
            f"{path.with_suffix('.json')}: settings: expected a dictionary, found {shortened(repr(settings))}"
        )
    frames = card.get("frames")
    clips = isinstance(frames, int) and frames > 1  # a network that sees single frames may see any number of them
    return {"frames": frames, **settings} if clips else settings
