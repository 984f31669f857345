"""Weights of networks in files, with a card beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from ptfast._check import format_shape, is_integral
from ptfast._files import utf8_name, write_atomic
from ptfast._json import bad_value, decode, shortened
from ptfast.models.correspondence import CorrespondenceArchitecture, CorrespondenceNetwork
from ptfast.models.flownet import FlowNet2S, FlowNetArchitecture
from ptfast.models.hrnet import Hrnet, HrnetArchitecture
from ptfast.models.inception_pose import InceptionPose, InceptionPoseArchitecture
from ptfast.models.mask_rcnn import Architecture, MaskRcnn3d
from ptfast.models.pose_resnet import PoseResnet, PoseResnetArchitecture
from ptfast.models.tubes import PoseNetwork

DTYPES = {"float16": torch.float16, "float32": torch.float32}
Side = Annotated[int, msgspec.Meta(ge=1, le=8192)]  # in pixels
Length = Annotated[int, msgspec.Meta(ge=1, le=1024)]  # in frames
DETECTORS: dict[str, tuple[type, type]] = {"mask-rcnn": (MaskRcnn3d, Architecture)}
POSE_NETWORKS: dict[str, tuple[type, type]] = {
    "hrnet": (Hrnet, HrnetArchitecture),
    "pose-resnet": (PoseResnet, PoseResnetArchitecture),
    "inception-pose": (InceptionPose, InceptionPoseArchitecture),
}
FLOW_NETWORKS: dict[str, tuple[type, type]] = {"flownet2s": (FlowNet2S, FlowNetArchitecture)}
CORRESPONDENCE_NETWORKS: dict[str, tuple[type, type]] = {
    "correspondences": (CorrespondenceNetwork, CorrespondenceArchitecture)
}
SIZED = POSE_NETWORKS | CORRESPONDENCE_NETWORKS  # whose cards say the size of what they see


class NamedCard(msgspec.Struct):
    """The entry that says which network a card is of."""

    network: str = "mask-rcnn"  # older cards do not say


class Card(msgspec.Struct):
    """The entries that the card of each network has that is trained here."""

    skeleton: str
    data: Any
    command: Any
    seed: Any
    score: Any
    frames: Length


class SizedCard(Card):
    """The entries of the card of a network that sees crops or images of one size."""

    size: tuple[Side, Side]


class FlowCard(msgspec.Struct):
    """The entries of the card of a network of optical flow, which has no joints."""

    data: Any
    command: Any
    seed: Any
    score: Any
    frames: Length


class ArchitectureCard(Card):
    """The entries of a card in a file."""

    architecture: dict[str, Any]


def save_weights(
    model: MaskRcnn3d | PoseNetwork | FlowNet2S | CorrespondenceNetwork,
    path: str | Path,
    card: Mapping[str, Any],
    *,
    dtype: Literal["float16", "float32"] = "float16",
) -> None:
    """Writes a network's weights, and beside them a card that describes them; both whole or not at all.

    Args:
        model: The network.
        path: File of the weights, *.safetensors. The card has the same name with .json.
        card: Entries that JSON can hold, at least "data", "command", "seed", "score", "frames" (T of the clips), unless
            it is of optical flow "skeleton" (its name), and "size": height and width of a pose network's crops, or of a
            correspondence network's images. Its "network" and "architecture" are always the model's.
        dtype: Type of the weights in the file.

    Raises:
        ValueError: The name ends otherwise, the card lacks an entry, or a weight is not finite in that dtype.
    """
    path = checked_path(path)
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be 'float16' or 'float32', got {dtype!r}")
    kinds = DETECTORS | SIZED | FLOW_NETWORKS
    network = next(name for name, (kind, _) in kinds.items() if isinstance(model, kind))
    decode(dict(card), SizedCard if network in SIZED else FlowCard if network in FLOW_NETWORKS else Card, "card")
    text = json.dumps({**card, "network": network, "architecture": asdict(model.architecture)}, indent=2) + "\n"
    weights = {}
    for name, value in model.state_dict().items():
        counts = not value.is_floating_point()  # the numbers of batches that norms have seen
        weights[name] = value.detach().cpu().to(value.dtype if counts else DTYPES[dtype]).contiguous()
        if not weights[name].isfinite().all():
            raise ValueError(f"{name} must be finite in {dtype}, got {float(value.abs().max())} at most")
    with ExitStack() as drafts:
        drafts.enter_context(write_atomic(card_path(path))).write_text(text)
        drafts.enter_context(write_atomic(path)).write_bytes(save(weights))
        # The weights are replaced first, and no card of others stands beside them.
        card_path(path).unlink(missing_ok=True)


def load_weights(path: str | Path) -> tuple[MaskRcnn3d, dict[str, Any]]:
    """Reads a 3D Mask R-CNN that save_weights wrote.

    Args:
        path: File of the weights, beside which the card stands.

    Returns:
        The network, float32 and in eval mode, and the card.

    Raises:
        FileNotFoundError: The weights or their card are missing.
        ValueError: The card or the weights are broken or do not belong together. The message names the file and the
            place, what was expected and what was found.
    """
    return read_network(path, DETECTORS)


def load_pose_network(path: str | Path) -> tuple[PoseNetwork, dict[str, Any]]:
    """Reads a pose network that save_weights wrote, as `load_weights` does."""
    return read_network(path, POSE_NETWORKS)


def load_correspondence_network(path: str | Path) -> tuple[CorrespondenceNetwork, dict[str, Any]]:
    """Reads a correspondence network that save_weights wrote, as `load_weights` does."""
    return read_network(path, CORRESPONDENCE_NETWORKS)


def read_network(path: str | Path, networks: Mapping[str, tuple[type, type]]) -> tuple[Any, dict[str, Any]]:
    """One of these networks and its card."""
    path = checked_path(path)
    card, network = read_card(card_path(path), networks)
    decode(card, ArchitectureCard, card_path(path))
    if network in SIZED:
        decode(card, SizedCard, card_path(path))
    return read_weights(path, card["architecture"], *networks[network]), card


def read_weights(path: Path, entries: dict[str, Any], kind: type, architecture: type) -> Any:
    """A network of a card's architecture with the weights of a file."""
    model = build(card_path(path), entries, kind, architecture)
    weights = read_tensors(path)
    check_weights(path, weights, model)
    model.to_empty(device="cpu").eval().load_state_dict(weights)
    return model


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file."""
    try:
        with utf8_name(path) as name:
            return load_file(name)
    except OSError:
        raise
    except Exception as error:  # besides its own, of dtypes that torch does not know and of sizes that wrap around
        raise ValueError(f"{path}: expected safetensors, found {shortened(repr(error))}") from None


def checked_path(path: str | Path) -> Path:
    """The path of weights, if its name is one."""
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"path must end in .safetensors, got {path.name!r}")
    return path


def card_path(path: Path) -> Path:
    """The card's place, beside the weights."""
    return path.with_suffix(".json")


def read_card(path: Path, networks: Iterable[str]) -> tuple[dict[str, Any], str]:
    """A card of one of these networks, and which one that is."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: expected the card of the weights, found no such file")
    card = decode(path.read_bytes(), dict[str, Any], path)
    network = decode(card, NamedCard, path).network
    if network not in networks:
        raise bad_value(path, "network", " or ".join(map(repr, networks)), repr(network))
    return card, network


def build(path: Path, entries: dict[str, Any], kind: type, architecture: type) -> Any:
    """A network of a card's architecture without memory for its weights, as nobody knows how large it is.

    Fields that the card lacks, as older ones do, have their defaults.
    """
    known = {field.name for field in fields(architecture)}
    for name in entries:
        if name not in known:
            raise bad_value(path, "architecture", f"entries of {architecture.__name__}", repr(name))
    wanted = decode(entries, architecture, path, "architecture")
    try:
        with torch.device("meta"):
            return kind(wanted)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise bad_value(path, "architecture", "one that can be built", error) from None


def check_weights(path: Path, weights: Mapping[str, Tensor], model: nn.Module) -> None:
    """Raises ValueError unless the weights are those of the network."""
    expected = model.state_dict()
    for name in [*expected, *weights]:
        if name not in weights:
            raise ValueError(f"{path}: {name}: expected {shape_text(expected[name])}, found no such tensor")
        if name not in expected:
            raise ValueError(f"{path}: {name}: expected no such tensor, found {shape_text(weights[name])}")
        if weights[name].shape != expected[name].shape:
            raise ValueError(
                f"{path}: {name}: expected {shape_text(expected[name])}, found {shape_text(weights[name])}"
            )
        if kind_of(weights[name]) != kind_of(expected[name]):
            raise ValueError(f"{path}: {name}: expected {kind_of(expected[name])}, found {weights[name].dtype}")
        if not weights[name].isfinite().all():
            raise ValueError(f"{path}: {name}: expected finite numbers, found others")


def kind_of(tensor: Tensor) -> str:
    """The kind of a tensor's numbers in a message."""
    if tensor.is_floating_point():
        return "floating point numbers"
    return "whole numbers" if is_integral(tensor) else "other numbers"


def shape_text(tensor: Tensor) -> str:
    """A shape in a message."""
    return f"shape {format_shape(tuple(tensor.shape))}"
