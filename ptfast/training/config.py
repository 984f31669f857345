"""What a training run does: what all runs have, and the runs of the 3D Mask R-CNN."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ptfast._check import check_number
from ptfast.models.detection import Limits
from ptfast.models.mask_rcnn import Architecture
from ptfast.training.targets import Sampling

CONFIGS = Path(__file__).parent / "configs"


@dataclass(frozen=True)
class RunConfig:
    """What every training run has, whatever its network.

    Attributes:
        frames: T of a clip.
        batch: Clips of a step, of all processes together.
        steps: Steps in all.
        optimizer: "sgd" (momentum 0.9), "adam" or "adamw".
        learning_rate: After warm-up.
        weight_decay: On weights, not on biases and normalisation.
        warm_up: Steps over which the learning rate rises from a tenth, linearly.
        drops: Steps at which the learning rate falls to a tenth.
        clip_norm: Largest norm of the gradient.
        mixed_precision: Runs the network in bfloat16.
        seed: Of initialisation, sampling and data.
        epoch: Steps between two validations and checkpoints.
        initialise: "none", or how a 2D network's weights are inflated: "center" or "mean".

    Raises:
        ValueError: A number is out of its range.
    """

    frames: int = 1
    batch: int = 8
    steps: int = 13000
    optimizer: Literal["sgd", "adam", "adamw"] = "sgd"
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    warm_up: int = 500
    drops: tuple[int, ...] = (10000, 12000)
    clip_norm: float = 10.0
    mixed_precision: bool = True
    seed: int = 0
    epoch: int = 1000
    initialise: Literal["none", "center", "mean"] = "none"

    def __post_init__(self) -> None:
        for name in ("frames", "batch", "steps", "epoch"):
            check_number(name, getattr(self, name), 1)
        for name in ("learning_rate", "weight_decay", "warm_up", "seed"):
            check_number(name, getattr(self, name), 0)
        if self.frames % 2 == 0:
            raise ValueError(f"frames must be odd, got {self.frames}")
        if not self.clip_norm > 0:
            raise ValueError(f"clip_norm must be positive, got {self.clip_norm}")

    def to_dict(self) -> dict[str, Any]:
        """Nested plain values, as a JSON file holds them."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Config(RunConfig):
    """A training run of the 3D Mask R-CNN. Defaults are those of Detect-and-Track's released 3D model.

    Attributes:
        short_sides: A clip's shorter side in pixels is one of these, by chance; synthetic films are drawn so.
        long_side: The longer side, at most.
        validation_videos: Synthetic videos of 32 frames that a validation tracks.
        architecture: The network.
        sampling: What a step learns from.
        proposals: How many proposals there are in training.

    Raises:
        ValueError: A number is out of its range.
    """

    frames: int = 3
    short_sides: tuple[int, ...] = (128, 196, 256)
    long_side: int = 333
    validation_videos: int = 4
    architecture: Architecture = field(default_factory=Architecture)
    sampling: Sampling = field(default_factory=Sampling)
    proposals: Limits = field(default_factory=lambda: Limits(proposals_before=2000, proposals_after=2000))

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("long_side", self.long_side, 1)
        check_number("validation_videos", self.validation_videos, 0)
        if not self.short_sides or min(self.short_sides) < 1:
            raise ValueError(f"short_sides must be at least one positive number, got {self.short_sides}")


def read_config(source: str | Path) -> Config:
    """A run described by a TOML file, or by one of those that come with ptfast, by name.

    Args:
        source: A path, or a name such as "synthetic_3d".

    Raises:
        FileNotFoundError: There is neither such a file nor such a name.
        ValueError: The file is no TOML, or an entry is unknown or of the wrong type; the message names it.
    """
    return build(Config, *read_document(source, CONFIGS))


def read_document(source: str | Path, folder: Path) -> tuple[dict[str, Any], str]:
    """What a TOML file holds, or the one of that name in a folder, and its path; errors as in read_config."""
    path = Path(source)
    if not path.is_file():
        path = folder / f"{source}.toml"
    if not path.is_file():
        names = ", ".join(sorted(known.stem for known in folder.glob("*.toml")))
        raise FileNotFoundError(f"{source}: expected a TOML file or one of {names}")
    try:
        return tomllib.loads(path.read_text()), str(path)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected TOML, found {error}") from None


def build(kind: type, entries: Mapping[str, Any], place: str, default: Any = None) -> Any:
    """A frozen dataclass from plain values, lists as tuples, tables as further dataclasses.

    Args:
        kind: The dataclass, all of whose fields have defaults.
        entries: Values by field.
        place: What a message begins with.
        default: Where the values of fields that lack come from; None takes kind().

    Raises:
        ValueError: An entry is unknown, of the wrong type, or out of its range; the message names it.
    """
    hints, default = get_type_hints(kind), kind() if default is None else default
    values = {}
    for name, value in entries.items():
        if name not in hints:
            raise ValueError(f"{place}: expected entries out of {', '.join(hints)}; found {name!r}")
        values[name] = convert(value, hints[name], f"{place}: {name}", getattr(default, name))
    try:
        return dataclasses.replace(default, **values)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


def convert(value: Any, hint: Any, place: str, default: Any = None) -> Any:
    """The value as the type `hint` wants it: an integer may stand for a float, a list for a tuple.

    `default` fills up a table.
    """
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise ValueError(f"{place}: expected a table, found {value!r}")
        return build(hint, value, place, default)  # type: ignore[arg-type]
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        if value not in inner:
            raise ValueError(f"{place}: expected one of {', '.join(map(repr, inner))}, found {value!r}")
        return value
    if origin in (Union, UnionType):  # of a type and None
        wanted = next(one for one in inner if one is not NoneType)
        return None if value is None else convert(value, wanted, place)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{place}: expected a list, found {value!r}")
        if inner[-1] is not Ellipsis and len(value) != len(inner):
            raise ValueError(f"{place}: expected {len(inner)} entries, found {value!r}")
        return tuple(convert(entry, inner[0], place) for entry in value)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise ValueError(f"{place}: expected {hint.__name__}, found {value!r}")
    return value
