"""Progress of a training run, which checkpoints keep."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from ptfast.training.checkpoints import CHECKPOINT, load_checkpoint, save_checkpoint
from ptfast.training.config import RunConfig


class Run:
    """Number of steps that a run has done, and its checkpoint, from which it starts if there is one.

    Args:
        config: The run's settings.
        model: The network.
        optimizer: Its optimizer.
        out: Folder of the checkpoint; None keeps none.
        rank: Of this process; 0 alone writes.
    """

    def __init__(
        self, config: RunConfig, model: nn.Module, optimizer: torch.optim.Optimizer, out: Path | None, rank: int
    ) -> None:
        self.config, self.model, self.optimizer, self.out, self.rank = config, model, optimizer, out, rank
        self.done = 0
        if out is not None and (out / CHECKPOINT).exists():
            self.done = load_checkpoint(out / CHECKPOINT, model, optimizer, config)
        self.saved = self.done

    def save(self) -> None:
        """Writes the checkpoint unless it is there already."""
        if self.out is not None and self.rank == 0 and self.done != self.saved:
            save_checkpoint(self.out / CHECKPOINT, self.model, self.optimizer, self.done, self.config)
        self.saved = self.done

    def left(self) -> str:
        """Says what an interrupted run leaves."""
        if self.done == 0:
            return "no step was done"
        progress = f"{self.done} of {self.config.steps} steps"
        if self.out is None:
            return f"nothing is kept of {progress}"
        return f"a checkpoint after {progress} is in {self.out}; the same command goes on from it"
