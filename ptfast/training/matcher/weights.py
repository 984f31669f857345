"""Weights of a matcher in a file, with their card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from ptfast._files import write_atomic
from ptfast.methods.detect_and_track.matching import load_matcher
from ptfast.models.matcher import TrackMatcher
from ptfast.training.checkpoints import read_checkpoint


def save_matcher(matcher: TrackMatcher, path: Path, card: Mapping[str, Any]) -> None:
    """Writes weights as safetensors, and beside them, under the same name with .json, their card and architecture."""
    architecture = {"hidden": matcher.hidden, "appearance": matcher.appearance}
    card = {"skeleton": matcher.skeleton.name, "architecture": architecture, **card}
    weights = {name: value.detach().cpu().contiguous() for name, value in matcher.state_dict().items()}
    with ExitStack() as stack:
        drafts = [stack.enter_context(write_atomic(file)) for file in (path, path.with_suffix(".json"))]
        drafts[0].write_bytes(save(weights))
        drafts[1].write_text(json.dumps(card, indent=1) + "\n")


def read_weights(path: Path) -> dict[str, Tensor]:
    """Reads a matcher's weights out of a .safetensors file or a checkpoint."""
    return load_matcher(path).state_dict() if path.suffix == ".safetensors" else read_checkpoint(path)["model"]
