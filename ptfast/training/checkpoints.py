"""Checkpoints from which a run goes on as if it had never stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from ptfast._files import write_atomic
from ptfast._json import shortened
from ptfast.training.config import RunConfig
from ptfast.training.config_files import make_config

CHECKPOINT = "checkpoint.pt"  # in the folder of a run


def save_checkpoint(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, step: int, config: RunConfig
) -> None:
    """Writes the weights, with normalisation's running statistics, and the optimizer's state after `step` steps.

    The file appears whole or not at all. Random choices depend on the seed and the step alone, so that no generator's
    state is needed.

    Raises:
        OSError: The file cannot be written, the disk being full perhaps; the error names it, and the old one stays.
    """
    state = {
        "step": step,
        "config": config.to_dict(),
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    # Given a path, torch writes its name into the file, and the draft's is another one each time.
    with write_atomic(path) as draft, draft.open("wb") as file:
        torch.save(state, file)


def load_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, config: RunConfig) -> int:
    """Restores the state that save_checkpoint wrote and returns the number of steps done.

    Entries of the config that the checkpoint lacks, as it is older than they are, had their defaults.

    Raises:
        ValueError: The file is not a checkpoint, or that of a run with another config.
    """
    state = read_checkpoint(path)
    saved = make_config(type(config), state["config"], f"{path}: config")
    check_same(saved.to_dict(), config.to_dict(), str(path))
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return state["step"]


def check_same(found: dict, wanted: dict, place: str) -> None:
    """Raises ValueError with the first entry in which two nested dictionaries of the same keys differ."""
    for name, value in wanted.items():
        if isinstance(value, dict):
            check_same(found[name], value, f"{place}: {name}")
        elif found[name] != value:
            raise ValueError(f"{place}: {name}: expected this run's {value!r}, found {shortened(repr(found[name]))}")


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Reads the state that save_checkpoint wrote, on the CPU.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not a checkpoint.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # torch.load raises errors of many kinds for files that are none of its own
        raise ValueError(f"{path}: expected a checkpoint, found {error}") from None
    if not isinstance(state, dict) or not {"step", "config", "model", "optimizer"} <= state.keys():
        raise ValueError(f"{path}: expected a checkpoint of ptfast, found something else")
    return state
