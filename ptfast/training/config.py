"""What a training run does."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ptfast.models.detection import Limits
from ptfast.models.mask_rcnn import Architecture
from ptfast.training.targets import Sampling

CONFIGS = Path(__file__).parent / "configs"


@dataclass(frozen=True)
class Config:
    """A training run of the 3D Mask R-CNN. Defaults are those of Detect-and-Track's released 3D model.

    Attributes:
        frames: T of a clip.
        batch: Clips of a step, of all processes together.
        steps: Steps in all.
        optimizer: "sgd" (momentum 0.9) or "adamw".
        learning_rate: After warm-up.
        weight_decay: On weights, not on biases and normalisation.
        warm_up: Steps over which the learning rate rises from a tenth, linearly.
        drops: Steps at which the learning rate falls to a tenth.
        clip_norm: Largest norm of the gradient.
        mixed_precision: Runs the network in bfloat16.
        seed: Of initialisation, sampling and data.
        short_sides: A clip's shorter side in pixels is one of these, by chance; synthetic films are drawn so.
        long_side: The longer side, at most.
        epoch: Steps between two validations and checkpoints.
        validation_videos: Synthetic videos of 32 frames that a validation tracks.
        initialise: "none", or how a 2D model's weights are inflated: "center" or "mean".
        architecture: The network.
        sampling: What a step learns from.
        proposals: How many proposals there are in training.
    """

    frames: int = 3
    batch: int = 8
    steps: int = 13000
    optimizer: Literal["sgd", "adamw"] = "sgd"
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    warm_up: int = 500
    drops: tuple[int, ...] = (10000, 12000)
    clip_norm: float = 10.0
    mixed_precision: bool = True
    seed: int = 0
    short_sides: tuple[int, ...] = (128, 196, 256)
    long_side: int = 333
    epoch: int = 1000
    validation_videos: int = 4
    initialise: Literal["none", "center", "mean"] = "none"
    architecture: Architecture = field(default_factory=Architecture)
    sampling: Sampling = field(default_factory=Sampling)
    proposals: Limits = field(default_factory=lambda: Limits(proposals_before=2000, proposals_after=2000))

    def to_dict(self) -> dict[str, Any]:
        """Nested plain values, as a JSON file holds them."""
        return dataclasses.asdict(self)


def read_config(source: str | Path) -> Config:
    """A run described by a TOML file, or by one of those that come with ptfast, by name.

    Args:
        source: A path, or a name such as "synthetic_3d".

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is no TOML, or an entry is unknown or of the wrong type; the message names it.
    """
    path = Path(source)
    if not path.is_file():
        path = CONFIGS / f"{source}.toml"
    if not path.is_file():
        names = ", ".join(sorted(known.stem for known in CONFIGS.glob("*.toml")))
        raise FileNotFoundError(f"{source}: expected a TOML file or one of {names}")
    try:
        document = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected TOML, found {error}") from None
    return build(Config, document, str(path))


def build(kind: type, entries: dict[str, Any], place: str) -> Any:
    """A frozen dataclass from plain values, lists as tuples, tables as further dataclasses."""
    default = kind()
    values = {}
    for name, value in entries.items():
        if name not in {one.name for one in dataclasses.fields(kind)}:
            known = ", ".join(one.name for one in dataclasses.fields(kind))
            raise ValueError(f"{place}: expected entries out of {known}; found {name!r}")
        current = getattr(default, name)
        if dataclasses.is_dataclass(current):
            if not isinstance(value, dict):
                raise ValueError(f"{place}: {name}: expected a table, found {value!r}")
            values[name] = build(type(current), value, f"{place}: {name}")
            continue
        values[name] = plain(value, current, f"{place}: {name}")
    return kind(**values)


def plain(value: Any, current: Any, place: str) -> Any:
    """The value as what the default `current` is: an integer may stand for a number, a list for a tuple."""
    if isinstance(current, tuple) and isinstance(value, list):
        return tuple(plain(entry, current[0], place) for entry in value)
    if isinstance(current, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if current is not None and type(value) is not type(current):
        raise ValueError(f"{place}: expected {type(current).__name__}, found {value!r}")
    return value
