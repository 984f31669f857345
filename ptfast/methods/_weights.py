"""Weights that come with ptfast, and those of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ptfast.models import MaskRcnn3d, load_weights
from ptfast.skeletons import SKELETONS, Skeleton

WEIGHTS = Path(__file__).parent / "weights"
NAMES = ("detect-and-track",)


def load_named(weights: str | Path) -> tuple[MaskRcnn3d, dict[str, Any], Skeleton]:
    """A network, its card and its skeleton.

    Args:
        weights: A *.safetensors file, or the name of one that comes with ptfast.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file or its card is damaged, or names a skeleton that is not known.
    """
    path = Path(weights)
    if not path.suffix:
        path = WEIGHTS / f"{weights}.safetensors"
    if not path.is_file():
        raise FileNotFoundError(f"{weights}: expected a .safetensors file or one of: {', '.join(NAMES)}")
    model, card = load_weights(path)
    name = card.get("skeleton")
    if name not in SKELETONS:
        raise ValueError(f"{path.with_suffix('.json')}: skeleton: expected one of {sorted(SKELETONS)}, found {name!r}")
    return model, card, SKELETONS[name]
