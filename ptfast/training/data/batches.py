"""Batches of examples: the numbers that each step takes, and processes that make them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler


class Steps(Sampler[list[int]]):
    """The examples of each step from `first` on: step s of B examples takes those from s * B to s * B + B - 1.

    Args:
        first: First step.
        last: The step after the last.
        batch: B, of all processes together.
        rank: Number of this process, which takes every `world`-th example.
        world: Number of processes.

    Raises:
        ValueError: The examples of a step cannot be shared out evenly; each process's mean would then count the same
            though some have more examples than others.
    """

    def __init__(self, first: int, last: int, batch: int, rank: int = 0, world: int = 1) -> None:
        if batch % world:
            raise ValueError(f"batch must be a multiple of the {world} processes, got {batch}")
        self.steps, self.batch, self.rank, self.world = range(first, last), batch, rank, world

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[list[int]]:
        for step in self.steps:
            yield list(range(step * self.batch + self.rank, (step + 1) * self.batch, self.world))


class Fallible(Dataset):
    """Data whose errors are handed over in place of examples; those that a worker raises come with its traceback."""

    def __init__(self, data: Dataset) -> None:
        self.data = data

    def __getitem__(self, index: int) -> Any:
        """Example `index`, or the error that it raises."""
        try:
            return self.data[index]
        except (ValueError, OSError) as error:
            return error


def loader(data: Dataset, steps: Steps, workers: int) -> Iterator[list]:
    """Lists of examples, made by `workers` processes ahead of time; 0 makes them in this one."""
    batches = DataLoader(
        Fallible(data),
        batch_sampler=steps,
        collate_fn=list,
        num_workers=workers,
        worker_init_fn=_quiet_worker,
        prefetch_factor=4 if workers else None,
    )
    for examples in batches:
        for example in examples:
            if isinstance(example, Exception):
                raise example
        yield examples


def _quiet_worker(_: int) -> None:
    """One thread a worker, as there are as many as there should be; the trainer acts on Ctrl-C and SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _let_one_pass)
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def _let_one_pass(number: int, frame: object) -> None:
    """Handles a SIGTERM that all processes of a run have got; the trainer ends a worker that hangs by a second one."""
    signal.signal(number, signal.SIG_DFL)


def tensor(column: np.ndarray, device: torch.device) -> Tensor:
    """An array as a tensor on a device."""
    return torch.from_numpy(np.ascontiguousarray(column)).to(device)
