"""Weights of published networks over single images, in files with a card that says where they come from."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from ptfast._json import bad_value, decode
from ptfast.models.checkpoints import DETECTORS, SIZED, card_path, checked_path, read_card, read_weights
from ptfast.models.entailment_files import NETWORK as ENTAILMENT
from ptfast.models.movenet import MoveNet, MoveNetArchitecture
from ptfast.models.nanodet import NanoDet, NanoDetArchitecture


class PublishedCard(msgspec.Struct):
    """The entries that every published network's card has."""

    network: str
    architecture: dict[str, Any]
    source: str
    licence: str
    intended_use: str
    sha256: str


class PublishedPoseCard(PublishedCard):
    """The entries of a card of a network that finds joints."""

    skeleton: str


NETWORKS: dict[str, tuple[type, type, type[PublishedCard]]] = {
    "movenet": (MoveNet, MoveNetArchitecture, PublishedPoseCard),
    "nanodet": (NanoDet, NanoDetArchitecture, PublishedCard),
}


def load_movenet(path: str | Path) -> tuple[MoveNet, dict[str, Any]]:
    """Reads a MoveNet.

    Args:
        path: File of the weights, *.safetensors. The card beside it has the same name with .json and the entries
            "network", "architecture", "skeleton" (its name), "source", "licence", "intended_use" and "sha256" (of the
            weights' file).

    Returns:
        The network, float32 and in eval mode, and the card.

    Raises:
        FileNotFoundError: The weights or their card are missing.
        ValueError: The card or the weights are broken or do not belong together. The message names the file and the
            place, what was expected and what was found.
    """
    return read_published(path, "movenet")


def load_nanodet(path: str | Path) -> tuple[NanoDet, dict[str, Any]]:
    """Reads a NanoDet, as `load_movenet` does. Its card needs no skeleton."""
    return read_published(path, "nanodet")


def read_any_card(path: str | Path) -> tuple[dict[str, Any], str]:
    """The card beside a *.safetensors file of any network, and which network that is.

    Raises:
        FileNotFoundError: There is no card.
        ValueError: The card is damaged, or names a network that is not known.
    """
    return read_card(card_path(checked_path(path)), [*DETECTORS, *SIZED, *NETWORKS, ENTAILMENT])


def read_published(path: str | Path, network: str) -> tuple[Any, dict[str, Any]]:
    """A network of this name, and its card."""
    path = checked_path(path)
    kind, architecture, card_kind = NETWORKS[network]
    card, _ = read_card(card_path(path), [network])
    decode(card, card_kind, card_path(path))
    model = read_weights(path, card["architecture"], kind, architecture)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != card["sha256"]:
        raise bad_value(card_path(path), "sha256", f"that of the weights, {found}", card["sha256"])
    return model, card
