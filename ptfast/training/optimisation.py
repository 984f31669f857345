"""The optimizer of a run, and the course of its learning rate."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from ptfast.training.config import RunConfig


def make_optimizer(config: RunConfig, model: nn.Module) -> torch.optim.Optimizer:
    """SGD, Adam or AdamW over all parameters. Only weights of layers decay."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=0.9)
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, lr=config.learning_rate)


def learning_rate(config: RunConfig, number: int) -> float:
    """The learning rate of a step: a linear rise from a tenth, times the schedule's factor."""
    rise = 0.1 + 0.9 * number / config.warm_up if number < config.warm_up else 1.0
    return config.learning_rate * rise * factor(config, number)


def factor(config: RunConfig, number: int) -> float:
    """The schedule's factor on the learning rate of a step."""
    if config.schedule == "cosine":
        return (1 + math.cos(math.pi * number / config.steps)) / 2
    if config.schedule == "linear":
        return (config.steps - number) / max(config.steps - config.warm_up, 1) if number >= config.warm_up else 1.0
    return 0.1 ** sum(number >= drop for drop in config.drops)
