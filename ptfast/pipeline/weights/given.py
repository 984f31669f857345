"""Weights that somebody names: their file, what wrote it, and which network they must be of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ptfast.models.adapters import FLOWNET, HRNET, KEYPOINT_RCNN, POSE_RESNET, RAFT
from ptfast.pipeline.weights.cache import published_file
from ptfast.pipeline.weights.names import NAMES, path_of
from ptfast.pipeline.weights.zoo import ZOO, Kind, Published

CALLED: dict[Kind, str] = {
    "hrnet": HRNET,
    "pose-resnet": POSE_RESNET,
    "keypoint-rcnn": KEYPOINT_RCNN,
    "raft": RAFT,
    "flownet2s": FLOWNET,
}
TORCH_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # of torch.save before its files were zip archives
Form = Literal["safetensors", "torch", "pickle"]


@dataclass(frozen=True)
class Given:
    """Weights in a file.

    Attributes:
        path: The file.
        form: What wrote it, by its first bytes.
        published: The published checkpoint that it is, by name or by its hash, or None.
    """

    path: Path
    form: Form
    published: Published | None


def find_weights(
    weights: str | Path, wanted: str, names: tuple[str, ...], kinds: tuple[Kind, ...] = (), forms: tuple[Form, ...] = ()
) -> Given:
    """The file of weights by name or path; published ones are fetched.

    Args:
        weights: A name or a file, whose name says nothing.
        wanted: Networks that they may be of, for messages.
        names: Names that come along, of such networks.
        kinds: Kinds of published ones.
        forms: What may have written the file besides safetensors.

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ConnectionError: Published ones cannot be fetched.
        ValueError: It is a folder, was written by something else, or the name is that of another network's weights.
    """
    published = ZOO.get(weights) if isinstance(weights, str) and weights not in NAMES else None
    if published is not None and published.network not in kinds:
        raise ValueError(f"{weights}: expected {wanted}, got the name of {CALLED[published.network]}")
    path = path_of(weights)
    expected = f"expected a file of weights of {wanted}"
    if not path.exists():
        more = " or a published one that ptfast weights list shows" if kinds else ""
        known = f", or one of: {', '.join(names)}" if names else ","
        raise FileNotFoundError(f"{weights}: {expected}{known}{more}; there is no such file")
    if not path.is_file():
        raise ValueError(f"{weights}: {expected}, found {'a folder' if path.is_dir() else 'something else'}")
    form = form_of(path)
    if form != "safetensors" and form not in forms:
        found = {"torch": "a file of torch.save", "pickle": "a pickle, such as Detectron writes"}
        raise ValueError(
            f"{weights}: {expected}, found {found.get(form or '', 'neither safetensors nor a checkpoint')}"
        )
    return Given(path, form, published or (published_file(path) if form == "torch" else None))


def form_of(path: Path) -> Form | None:
    """What wrote a file of weights, by its first bytes; of a *.safetensors file that is always safetensors."""
    with path.open("rb") as file:
        start = file.read(16)
    header = int.from_bytes(start[:8], "little")
    if path.suffix == ".safetensors" or (start[8:9] == b"{" and header < path.stat().st_size):
        return "safetensors"
    if start[:2] == b"PK" or start[:15] == TORCH_MAGIC:
        return "torch"
    return "pickle" if start[:1] in (b"\x80", b"(", b"}") else None
