"""A network to train, its losses, and the examples that they take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import nn

from ptfast.training.config import RunConfig

Network = TypeVar("Network", bound=nn.Module)
Validate = Callable[[Network], dict[str, float]]  # figures by name


@dataclass(frozen=True)
class Task(Generic[Network]):
    """A network to train.

    Attributes:
        config: Length of the run, optimizer, schedule, seed.
        network: Makes the network, with random weights.
        losses: Makes a module that holds the network, around which the gradients of several processes are joined. It
            takes `arguments` and gives (L,) float32 losses, each a mean over the examples. Their sum is minimised.
        names: Of the L losses.
        arguments: Turns the network and a list of examples into the module's arguments, on a device.
    """

    config: RunConfig
    network: Callable[[], Network]
    losses: Callable[[Network], nn.Module]
    names: tuple[str, ...]
    arguments: Callable[[Network, list, torch.device], tuple]
