"""Weights that come with ptfast, the user's own, and those of other programs, by their files' names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ptfast.models import (
    MaskRcnn3d,
    PoseNetwork,
    load_detectron,
    load_hrnet,
    load_pose_network,
    load_pose_resnet,
    load_torchvision,
    load_weights,
)
from ptfast.models.checkpoints import read_detectron, read_state_dict
from ptfast.skeletons import COCO_17, SKELETONS, Skeleton

WEIGHTS = Path(__file__).parent / "weights"
NAMES = ("detect-and-track", "detect-and-track-2d")
POSE_NAMES = ("clip-tracking", "clip-tracking-2d")
TORCHVISION_COCO_V1 = "fc266e95"  # in the name of the file that torchvision runs with eps 0
LARGE = {"short_side": 800, "long_side": 1333}


def load_named(weights: str | Path) -> tuple[MaskRcnn3d, dict[str, Any], Skeleton]:
    """A network, the settings that it wants, and its skeleton.

    Args:
        weights: A name of NAMES; a *.safetensors file with its card beside it; a *.pth file, torchvision's keypoint
            R-CNN; or a *.pkl file, Detectron's or Detect-and-Track's.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is damaged or of another kind, or its card names a skeleton that is not known.
    """
    path = path_of(weights)
    if not path.is_file():
        raise FileNotFoundError(f"{weights}: expected a .safetensors, .pth or .pkl file, or one of: {', '.join(NAMES)}")
    if path.suffix == ".safetensors":
        return from_card(path)
    if path.suffix == ".pth":
        return from_torchvision(path)
    if path.suffix == ".pkl":
        model = load_detectron(read_detectron(path))
        frames = 3 if model.architecture.temporal_kernel > 1 else 1
        size = {} if frames > 1 else LARGE
        return model, {"frames": frames, "caffe2": True, **size}, coco(path, model)
    raise ValueError(f"{weights}: expected a .safetensors, .pth or .pkl file, got {path.suffix or 'no suffix'}")


def path_of(weights: str | Path) -> Path:
    """The file of a name of NAMES or POSE_NAMES, or the path itself."""
    return WEIGHTS / f"{weights}.safetensors" if weights in NAMES + POSE_NAMES else Path(weights)


def load_pose_named(weights: str | Path) -> tuple[PoseNetwork, dict[str, Any], Skeleton, tuple[int, int]]:
    """A pose network, the settings that it wants, its skeleton, and height and width of its crops.

    Args:
        weights: A name of POSE_NAMES; a *.safetensors file with its card beside it; or a *.pth file, a published HRNet
            or PoseResNet, whose crops are 256 x 192 unless its name says 384x288.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is damaged or of another kind, or its card names a skeleton that is not known.
    """
    path = path_of(weights)
    if not path.is_file():
        raise FileNotFoundError(f"{weights}: expected a .safetensors or .pth file, or one of: {', '.join(POSE_NAMES)}")
    if path.suffix == ".safetensors":
        model, card = load_pose_network(path)
        settings = settings_of(path, card)
        if card["frames"] > 1:  # a network that sees single frames may see any number of them
            settings = {"frames": card["frames"], **settings}
        return model, settings, skeleton_of(path, card), tuple(card["size"])
    if path.suffix == ".pth":
        model = load_pose_resnet(path) if "resnet" in path.name else load_hrnet(path)
        return model, {}, coco(path, model), (384, 288) if "384x288" in path.name else (256, 192)
    raise ValueError(f"{weights}: expected a .safetensors or .pth file, got {path.suffix or 'no suffix'}")


def from_card(path: Path) -> tuple[MaskRcnn3d, dict[str, Any], Skeleton]:
    """Weights of this package."""
    model, card = load_weights(path)
    return model, settings_of(path, card) | {"frames": card["frames"]}, skeleton_of(path, card)


def skeleton_of(path: Path, card: dict[str, Any]) -> Skeleton:
    """The skeleton that a card names."""
    name = card.get("skeleton")
    if name not in SKELETONS:
        raise ValueError(f"{path.with_suffix('.json')}: skeleton: expected one of {sorted(SKELETONS)}, found {name!r}")
    return SKELETONS[name]


def settings_of(path: Path, card: dict[str, Any]) -> dict[str, Any]:
    """A card's settings for the method."""
    settings = card.get("settings", {})
    if not isinstance(settings, dict):
        raise ValueError(f"{path.with_suffix('.json')}: settings: expected a dictionary, found {settings!r}")
    return settings


def from_torchvision(path: Path) -> tuple[MaskRcnn3d, dict[str, Any], Skeleton]:
    """torchvision's keypointrcnn_resnet50_fpn."""
    state_dict = read_state_dict(path, "a state dict")
    model = load_torchvision(state_dict, eps=0.0 if TORCHVISION_COCO_V1 in path.name else 1e-5)
    return model, {"frames": 1, **LARGE}, coco(path, model)


def coco(path: Path, model: MaskRcnn3d | PoseNetwork) -> Skeleton:
    """COCO's joints, if the network has as many."""
    if model.architecture.joints != len(COCO_17):
        raise ValueError(f"{path}: expected {len(COCO_17)} joints, found {model.architecture.joints}")
    return COCO_17
