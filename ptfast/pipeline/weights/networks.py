"""Networks of weights by name or file, with their skeleton and the settings that suit them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ptfast._json import shortened
from ptfast.models import (
    MaskRcnn3d,
    MoveNet,
    NanoDet,
    PoseNetwork,
    load_detectron,
    load_hrnet,
    load_movenet,
    load_nanodet,
    load_pose_network,
    load_pose_resnet,
    load_torchvision,
    load_weights,
)
from ptfast.models.adapters import read_detectron, read_state_dict
from ptfast.models.image_networks import read_any_card
from ptfast.pipeline.weights.names import (
    MASK_RCNN_NAMES,
    MOVENET_NAMES,
    NAMES,
    NANODET_NAMES,
    POSE_NAMES,
    path_of,
)
from ptfast.skeletons import COCO_17, SKELETONS, Skeleton

TORCHVISION_COCO_V1 = "fc266e95"  # in the name of the file that torchvision runs with eps 0
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


def load_mask_rcnn_weights(weights: str | Path) -> MaskRcnnWeights:
    """Loads a Mask R-CNN.

    Args:
        weights: A name of MASK_RCNN_NAMES; a *.safetensors file with its card beside it; a *.pth file, torchvision's
            keypoint R-CNN; or a *.pkl file, Detectron's or Detect-and-Track's.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is damaged or of another kind, or its card names a skeleton that is not known.
    """
    path = _file_of(weights, (".safetensors", ".pth", ".pkl"), MASK_RCNN_NAMES)
    if path.suffix == ".safetensors":
        model, card = load_weights(path)
        return MaskRcnnWeights(model, _skeleton(path, card), _settings(path, card) | {"frames": card["frames"]})
    if path.suffix == ".pth":
        state_dict = read_state_dict(path, "a state dict")
        with _named(path):
            model = load_torchvision(state_dict, eps=0.0 if TORCHVISION_COCO_V1 in path.name else 1e-5)
        return MaskRcnnWeights(model, _coco(path, model), {"frames": 1, **LARGE})
    blobs = read_detectron(path)
    with _named(path):
        model = load_detectron(blobs)
    frames = 3 if model.architecture.temporal_kernel > 1 else 1
    size = {} if frames > 1 else LARGE
    return MaskRcnnWeights(model, _coco(path, model), {"frames": frames, "caffe2": True, **size})


def load_pose_weights(weights: str | Path) -> PoseWeights:
    """Loads a pose network.

    Args:
        weights: A name of POSE_NAMES; a *.safetensors file with its card beside it; or a *.pth file, a published HRNet
            or PoseResNet, whose crops are 256 x 192 unless its name says 384x288.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is damaged or of another kind, or its card names a skeleton that is not known.
    """
    path = _file_of(weights, (".safetensors", ".pth"), POSE_NAMES)
    if path.suffix == ".safetensors":
        model, card = load_pose_network(path)
        settings = _settings(path, card)
        if card["frames"] > 1:  # a network that sees single frames may see any number of them
            settings = {"frames": card["frames"], **settings}
        return PoseWeights(model, _skeleton(path, card), settings, tuple(card["size"]))
    model = load_pose_resnet(path) if "resnet" in path.name else load_hrnet(path)
    return PoseWeights(model, _coco(path, model), {}, (384, 288) if "384x288" in path.name else (256, 192))


def load_movenet_weights(weights: str | Path) -> MoveNetWeights:
    """Loads a MoveNet.

    Args:
        weights: A name of MOVENET_NAMES, or a *.safetensors file with its card beside it.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is damaged or of another kind, or its card names a skeleton that is not known or has other
            joints.
    """
    path = _file_of(weights, (".safetensors",), MOVENET_NAMES)
    model, card = load_movenet(path)
    skeleton = _skeleton(path, card)
    if len(skeleton) != model.architecture.joints:
        expected = f"a skeleton of {model.architecture.joints} joints"
        raise ValueError(f"{path.with_suffix('.json')}: skeleton: expected {expected}, found {skeleton.name!r}")
    return MoveNetWeights(model, skeleton, _settings(path, card))


def load_nanodet_weights(weights: str | Path) -> NanoDet:
    """Loads a NanoDet, by a name of NANODET_NAMES or otherwise as `load_movenet_weights` does."""
    return load_nanodet(_file_of(weights, (".safetensors",), NANODET_NAMES))[0]


def network_of(weights: str | Path) -> str | None:
    """The network that weights are of, as their card says; None of a file that has no card.

    Args:
        weights: A *.safetensors file with its card beside it, the name of one that comes along, or any other file.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name, or no card.
        ValueError: The card is damaged, or of a network that is not known.
    """
    path = path_of(weights)
    if not path.exists():
        raise FileNotFoundError(f"{weights}: expected a file, or one of: {', '.join(NAMES)}; there is no such file")
    return read_any_card(path)[1] if path.suffix == ".safetensors" else None


def thresholds_of(weights: str | Path) -> dict[str, Any]:
    """The thresholds of linking that suit the scores of a network, by name, as its card says; errors as `network_of`.

    Args:
        weights: As `network_of` takes them.
    """
    if network_of(weights) is None:
        return {}
    path = path_of(weights)
    settings = _settings(path, read_any_card(path)[0])
    return {name: settings[name] for name in ("min_score", "min_joint_score") if name in settings}


def _file_of(weights: str | Path, suffixes: tuple[str, ...], names: tuple[str, ...]) -> Path:
    """The file of weights by their name or path.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: It is a folder, or has another suffix.
    """
    path = path_of(weights)
    wanted = f"expected a {' or '.join(filter(None, [', '.join(suffixes[:-1]), suffixes[-1]]))} file"
    if not path.exists():
        raise FileNotFoundError(f"{weights}: {wanted}, or one of: {', '.join(names)}; there is no such file")
    if not path.is_file():
        raise ValueError(f"{weights}: {wanted}, found a folder")
    if path.suffix not in suffixes:
        raise ValueError(f"{weights}: {wanted}, got {path.suffix or 'no suffix'}")
    return path


def _skeleton(path: Path, card: dict[str, Any]) -> Skeleton:
    """The skeleton that a card names."""
    name = card.get("skeleton")
    if name not in SKELETONS:
        raise ValueError(
            f"{path.with_suffix('.json')}: skeleton: expected one of {sorted(SKELETONS)}, found {shortened(repr(name))}"
        )
    return SKELETONS[name]


def _settings(path: Path, card: dict[str, Any]) -> dict[str, Any]:
    """A card's settings for the method."""
    settings = card.get("settings", {})
    if not isinstance(settings, dict):
        raise ValueError(
            f"{path.with_suffix('.json')}: settings: expected a dictionary, found {shortened(repr(settings))}"
        )
    return settings


def _coco(path: Path, model: MaskRcnn3d | PoseNetwork) -> Skeleton:
    """COCO's joints, if the network has as many."""
    if model.architecture.joints != len(COCO_17):
        raise ValueError(f"{path}: expected {len(COCO_17)} joints, found {model.architecture.joints}")
    return COCO_17


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Gives errors about the content of a file its name."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
