"""The training loop: one process or many, on the CPU or on GPUs, in one go or in pieces."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn
from torch.utils.data import Dataset
from tqdm import tqdm

from ptfast.models.mask_rcnn import MaskRcnn3d
from ptfast.training.batches import Steps, loader, tensors
from ptfast.training.checkpoints import load_checkpoint, save_checkpoint
from ptfast.training.config import Config
from ptfast.training.losses import LOSSES, MaskRcnnLoss

Validate = Callable[[MaskRcnn3d], dict[str, float]]


def train(
    config: Config,
    data: Dataset,
    out: Path,
    *,
    device: torch.device | str = "cpu",
    workers: int = 1,
    start: dict[str, torch.Tensor] | None = None,
    validate: Validate | None = None,
    minutes: float | None = None,
) -> MaskRcnn3d:
    """Trains a 3D Mask R-CNN, from the last checkpoint in `out` if there is one.

    A run that is stopped and goes on gives the weights, to the bit on one machine, of one that never stopped: the clips
    and all random choices of a step depend on the seed and the step's number. Several processes, started by torchrun,
    share each batch.

    Args:
        config: What to do.
        data: Clips by number (see `ptfast.training.SyntheticClips`).
        out: A folder for checkpoint.pt, log.jsonl (one line every twenty steps and one each validation) and, where
            tensorboard is installed, its logs.
        device: Where to train.
        workers: Processes that make clips; 0 makes them in this one.
        start: Weights to start from where there is no checkpoint; None starts from random ones.
        validate: Called after every config.epoch steps, and at the end, with the network in evaluation mode; the
            figures that it returns are logged.
        minutes: Stops after that time, with a checkpoint. Also Ctrl-C leaves a checkpoint, and raises
            KeyboardInterrupt.

    Returns:
        The network as it is after the last step.
    """
    rank, world = join_processes()
    torch.manual_seed(config.seed)
    model = MaskRcnn3d(config.architecture)
    if start is not None:
        model.load_state_dict(start)
    model = model.to(device).train()
    optimizer = make_optimizer(config, model)
    checkpoint, log = out / "checkpoint.pt", Log(out) if rank == 0 else None
    done = load_checkpoint(checkpoint, model, optimizer, config.to_dict()) if checkpoint.exists() else 0
    losses: nn.Module = MaskRcnnLoss(model, config.sampling, config.proposals)
    if world > 1:
        losses = nn.parallel.DistributedDataParallel(losses)
    steps = Steps(done, config.steps, config.batch, rank, world)
    until = time.monotonic() + 60 * minutes if minutes is not None else float("inf")
    bar = tqdm(total=config.steps, initial=done, desc="training", unit="step", disable=rank > 0, mininterval=1)
    try:
        for clips in loader(data, steps, workers):
            values = step(config, losses, optimizer, clips, done, rank, torch.device(device))
            done += 1
            bar.update()
            if log is not None:
                log.losses(done, values, optimizer, bar)
            if done % config.epoch == 0 or done == config.steps:
                if rank == 0:
                    save_checkpoint(checkpoint, model, optimizer, done, config.to_dict())
                    validate_and_log(model, validate, log, done)
            elif stop_together(time.monotonic() > until, world):
                break
    finally:
        bar.close()
        if rank == 0:
            save_checkpoint(checkpoint, model, optimizer, done, config.to_dict())
    return model


def step(
    config: Config,
    losses: nn.Module,
    optimizer: torch.optim.Optimizer,
    clips: list,
    number: int,
    rank: int,
    device: torch.device,
) -> torch.Tensor:
    """One step of the optimizer; returns the losses (5,) in the order of LOSSES, detached."""
    torch.manual_seed(config.seed + 1_000_003 * (number + 1) + 7919 * rank)
    rate = learning_rate(config, number)
    for group in optimizer.param_groups:
        group["lr"] = rate
    alone = losses.module if isinstance(losses, nn.parallel.DistributedDataParallel) else losses
    assert isinstance(alone, MaskRcnnLoss)
    pictures, targets = tensors(clips, max(alone.model.strides), device)
    with torch.autocast(device.type, torch.bfloat16, enabled=config.mixed_precision):
        values = losses(pictures, targets)
    optimizer.zero_grad(set_to_none=True)
    values.sum().backward()
    norm = nn.utils.clip_grad_norm_(losses.parameters(), config.clip_norm)
    if not torch.isfinite(norm):
        raise FloatingPointError(f"the gradient of step {number} is not finite; losses are {values.tolist()}")
    optimizer.step()
    return values.detach()


def learning_rate(config: Config, number: int) -> float:
    """The learning rate of a step: a linear rise from a tenth, then a tenth after each drop."""
    rise = min(1.0, 0.1 + 0.9 * number / max(1, config.warm_up))
    return config.learning_rate * rise * 0.1 ** sum(number >= drop for drop in config.drops)


def make_optimizer(config: Config, model: nn.Module) -> torch.optim.Optimizer:
    """SGD or AdamW over all parameters; only weights of layers decay."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=config.learning_rate)
    return torch.optim.SGD(groups, lr=config.learning_rate, momentum=0.9)


def join_processes() -> tuple[int, int]:
    """This process's rank and the number of processes, as torchrun has set them; 0 and 1 without it."""
    if not distributed.is_available() or not distributed.is_torchelastic_launched():
        return 0, 1
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return distributed.get_rank(), distributed.get_world_size()


def stop_together(stop: bool, world: int) -> bool:
    """Whether any process wants to stop; all get the same answer."""
    if world == 1:
        return stop
    wanted = torch.tensor(float(stop))
    if distributed.get_backend() == "nccl":
        wanted = wanted.cuda()
    distributed.all_reduce(wanted)
    return bool(wanted > 0)


def validate_and_log(model: MaskRcnn3d, validate: Validate | None, log: Log | None, done: int) -> None:
    """Validates in evaluation mode and logs the figures."""
    if validate is None or log is None:
        return
    model.eval()
    log.figures(done, validate(model))
    model.train()


class Log:
    """log.jsonl in a folder, TensorBoard logs where it is installed, and the progress bar's text.

    Args:
        out: The folder, made if need be.
    """

    def __init__(self, out: Path) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.path, self.board = out / "log.jsonl", None
        self.mean: torch.Tensor | None = None
        with suppress(ImportError):
            from torch.utils.tensorboard import SummaryWriter

            self.board = SummaryWriter(str(out))

    def losses(self, done: int, values: torch.Tensor, optimizer: torch.optim.Optimizer, bar: tqdm) -> None:
        """Logs the running means of the losses (5,) every twenty steps."""
        self.mean = values if self.mean is None else 0.95 * self.mean + 0.05 * values
        if done % 20:
            return
        figures = dict(zip(LOSSES, self.mean.tolist(), strict=True)) | {
            "learning_rate": optimizer.param_groups[0]["lr"]
        }
        bar.set_postfix({name: f"{value:.3f}" for name, value in figures.items() if name in LOSSES}, refresh=False)
        self.figures(done, figures)

    def figures(self, done: int, figures: dict[str, float]) -> None:
        """Logs figures by name."""
        with self.path.open("a") as file:
            file.write(json.dumps({"step": done} | figures) + "\n")
        if self.board is not None:
            for name, value in figures.items():
                self.board.add_scalar(name, value, done)
