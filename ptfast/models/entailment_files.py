"""Weights of a pose entailment network in a file, with a card that has its architecture and joints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from safetensors.torch import save

from ptfast._files import write_atomic
from ptfast._json import bad_value, decode
from ptfast.models.checkpoints import card_path, checked_path, read_card, read_weights
from ptfast.models.entailment_architecture import PoseEntailmentArchitecture
from ptfast.models.pose_entailment import PoseEntailment
from ptfast.skeletons import SKELETONS, Skeleton

NETWORK = "pose-entailment"


class EntailmentCard(msgspec.Struct):
    """The entries that are read of a card."""

    architecture: dict[str, Any]
    skeleton: str | dict[str, Any]


def save_pose_entailment(model: PoseEntailment, path: str | Path, card: Mapping[str, Any]) -> None:
    """Writes weights as safetensors, and beside them, under the same name with .json, their card; both or neither.

    Args:
        model: The network.
        path: File of the weights, *.safetensors.
        card: Entries that JSON can hold. "network", "architecture" and "skeleton" are the model's: the name of a
            skeleton of `ptfast.skeletons`, or else all of it.
    """
    path, skeleton = checked_path(path), model.skeleton
    joints = skeleton.name if SKELETONS.get(skeleton.name) == skeleton else asdict(skeleton)
    entries = {"network": NETWORK, "skeleton": joints, "architecture": asdict(model.architecture)}
    text = json.dumps({**card, **entries}, indent=1) + "\n"
    weights = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    with ExitStack() as drafts:
        drafts.enter_context(write_atomic(card_path(path))).write_text(text)
        drafts.enter_context(write_atomic(path)).write_bytes(save(weights))
        card_path(path).unlink(missing_ok=True)  # weights are replaced first, and no card of others beside them


def load_pose_entailment(path: str | Path) -> tuple[PoseEntailment, dict[str, Any]]:
    """Reads what `save_pose_entailment` wrote.

    Args:
        path: File of the weights, *.safetensors, beside which the card stands.

    Returns:
        The network, on the CPU and in evaluation mode, and the card.

    Raises:
        FileNotFoundError: The weights or their card are missing.
        ValueError: The card or the weights are broken or do not belong together; the message names file and place.
    """
    path = checked_path(path)
    place = card_path(path)
    card, _ = read_card(place, [NETWORK])
    entries = decode(card, EntailmentCard, place)
    kind = partial(PoseEntailment, skeleton=read_skeleton(place, entries.skeleton))
    return read_weights(path, entries.architecture, kind, PoseEntailmentArchitecture), card  # type: ignore[arg-type]


def read_skeleton(place: Path, entry: str | dict[str, Any]) -> Skeleton:
    """A card's skeleton, by name or whole."""
    if isinstance(entry, str):
        if entry not in SKELETONS:
            raise bad_value(place, "skeleton", f"one of {sorted(SKELETONS)}, or a whole one", repr(entry))
        return SKELETONS[entry]
    return decode(entry, Skeleton, place, "skeleton")
