"""The log of a training run."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from ptfast._files import write_atomic

FILE = "log.jsonl"


class Log:
    """log.jsonl in a folder, TensorBoard logs where it is installed, and the progress bar's text.

    Args:
        out: The folder, made if need be.
        done: Steps that are done; lines about later ones go, as these steps come again.
        names: Of the losses.
    """

    def __init__(self, out: Path, done: int = 0, names: tuple[str, ...] = ()) -> None:
        self.path, self.names, self.board = out / FILE, names, None
        lines = self.path.read_text().splitlines(keepends=True) if self.path.exists() else []
        with write_atomic(self.path) as draft:
            draft.write_text("".join(line for line in lines if logged_step(line) <= done))
        self.mean: torch.Tensor | None = None
        with suppress(ImportError):
            from torch.utils.tensorboard import SummaryWriter

            self.board = SummaryWriter(str(out))

    def losses(self, done: int, values: torch.Tensor, optimizer: torch.optim.Optimizer, bar: tqdm) -> None:
        """Logs the running means of the losses (L,) every twenty steps."""
        self.mean = values if self.mean is None else 0.95 * self.mean + 0.05 * values
        if done % 20:
            return
        means = dict(zip(self.names, self.mean.tolist(), strict=True))
        bar.set_postfix({name: f"{value:.3g}" for name, value in means.items()}, refresh=False)
        self.figures(done, means | {"learning_rate": optimizer.param_groups[0]["lr"]})

    def figures(self, done: int, figures: dict[str, float]) -> None:
        """Logs figures by name."""
        try:
            with self.path.open("a") as file:
                file.write(json.dumps({"step": done} | figures) + "\n")
        except OSError as error:  # that of a full disk names no file
            raise OSError(error.errno, error.strerror, str(self.path)) from None
        if self.board is not None:
            for name, value in figures.items():
                self.board.add_scalar(name, value, done)

    def close(self) -> None:
        """Ends TensorBoard's logs."""
        if self.board is not None:
            self.board.close()


def logged_step(line: str) -> float:
    """The step that a line of the log is about; infinity for one that was cut off."""
    try:
        return json.loads(line)["step"]
    except ValueError:
        return float("inf")


def last_score(out: Path) -> dict[str, Any] | None:
    """The last validation in the log of a folder, or None."""
    rows = [json.loads(line) for line in (out / FILE).read_text().splitlines()]
    return next((row for row in reversed(rows) if "learning_rate" not in row), None)
