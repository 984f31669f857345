"""Weights that come with ptfast, the user's own, and those of other programs, by their files' names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ptfast.models import MaskRcnn3d, load_detectron, load_torchvision, load_weights
from ptfast.models.checkpoints import read_detectron
from ptfast.skeletons import COCO_17, SKELETONS, Skeleton

WEIGHTS = Path(__file__).parent / "weights"
NAMES = ("detect-and-track", "detect-and-track-2d")
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
    """The file of a name of NAMES, or the path itself."""
    return WEIGHTS / f"{weights}.safetensors" if weights in NAMES else Path(weights)


def from_card(path: Path) -> tuple[MaskRcnn3d, dict[str, Any], Skeleton]:
    """Weights of this package."""
    model, card = load_weights(path)
    name = card.get("skeleton")
    if name not in SKELETONS:
        raise ValueError(f"{path.with_suffix('.json')}: skeleton: expected one of {sorted(SKELETONS)}, found {name!r}")
    settings = card.get("settings", {})
    if not isinstance(settings, dict):
        raise ValueError(f"{path.with_suffix('.json')}: settings: expected a dictionary, found {settings!r}")
    return model, settings | {"frames": card["frames"]}, SKELETONS[name]


def from_torchvision(path: Path) -> tuple[MaskRcnn3d, dict[str, Any], Skeleton]:
    """torchvision's keypointrcnn_resnet50_fpn."""
    try:
        state_dict = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # torch.load raises errors of many kinds for files that are none of its own
        raise ValueError(f"{path}: expected a state dict, found {error!r}") from None
    if not isinstance(state_dict, dict):
        raise ValueError(f"{path}: expected a state dict, found {type(state_dict).__name__}")
    model = load_torchvision(state_dict, eps=0.0 if TORCHVISION_COCO_V1 in path.name else 1e-5)
    return model, {"frames": 1, **LARGE}, coco(path, model)


def coco(path: Path, model: MaskRcnn3d) -> Skeleton:
    """COCO's joints, if the network has as many."""
    if model.architecture.joints != len(COCO_17):
        raise ValueError(f"{path}: expected {len(COCO_17)} joints, found {model.architecture.joints}")
    return COCO_17
