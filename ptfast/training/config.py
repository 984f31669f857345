"""Settings that all training runs have, whatever their network."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from ptfast._check import check_finite_number, check_number, check_positive


@dataclass(frozen=True)
class RunConfig:
    """Settings of a training run, as `ptfast.training.loop.train` needs them.

    Attributes:
        frames: Frames of an example: T of a clip, for most networks.
        batch: Examples of a step, over all processes.
        steps: Number of steps; 0 leaves the network as it starts.
        optimizer: "sgd" (momentum 0.9), "adam" or "adamw".
        learning_rate: After warm-up.
        schedule: Course of the learning rate after warm-up: "step", a tenth after each of `drops`, "cosine", down
            to 0 along half a period (Loshchilov and Hutter 2017, SGDR, equation 5, without restarts), or "linear",
            down to 0 along a line.
        weight_decay: On weights, not on biases and normalisation.
        warm_up: Steps over which the learning rate rises from a tenth, linearly.
        drops: Steps at which the learning rate falls to a tenth; none but with "step".
        clip_norm: Largest norm of the gradient.
        mixed_precision: Run the network in bfloat16.
        seed: Of initialisation, sampling and data.
        epoch: Steps between two validations and checkpoints.

    Raises:
        ValueError: A number is out of its range.
    """

    frames: int = 1
    batch: int = 8
    steps: int = 13000
    optimizer: Literal["sgd", "adam", "adamw"] = "sgd"
    learning_rate: float = 1e-3
    schedule: Literal["step", "cosine", "linear"] = "step"
    weight_decay: float = 1e-4
    warm_up: int = 500
    drops: tuple[int, ...] = (10000, 12000)
    clip_norm: float = 10.0
    mixed_precision: bool = True
    seed: int = 0
    epoch: int = 1000

    def __post_init__(self) -> None:
        for name in ("frames", "batch", "epoch"):
            check_number(name, getattr(self, name), 1)
        for name in ("steps", "learning_rate", "weight_decay", "warm_up", "seed"):
            check_finite_number(name, getattr(self, name), 0)
        check_positive("clip_norm", self.clip_norm)
        if self.schedule != "step" and self.drops:
            raise ValueError(f"drops must be empty for schedule {self.schedule!r}, got {self.drops}")

    def to_dict(self) -> dict[str, Any]:
        """Nested plain values, as a JSON file holds them."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class ClipConfig(RunConfig):
    """Settings of a run on clips about a middle frame, of a network whose 2D form may be where it starts.

    Attributes:
        initialise: "none", or the slices of temporal kernels that 2D weights fill (`ptfast.models.inflate`): "center"
            or "mean".

    Raises:
        ValueError: A number is out of its range.
    """

    initialise: Literal["none", "center", "mean"] = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.frames % 2 == 0:
            raise ValueError(f"frames must be odd, got {self.frames}")
