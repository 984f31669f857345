"""The training loop: one process or many, on the CPU or on GPUs, in one go or in pieces."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import Dataset
from tqdm import tqdm

from ptfast.training.config import RunConfig
from ptfast.training.data.batches import Steps, loader
from ptfast.training.interruption import Interruption
from ptfast.training.log import Log
from ptfast.training.optimisation import learning_rate, make_optimizer
from ptfast.training.processes import join_processes, stop_together
from ptfast.training.run import Run
from ptfast.training.task import Network, Task, Validate


def train(
    task: Task[Network],
    data: Dataset,
    out: Path | None,
    *,
    device: torch.device | str = "cpu",
    workers: int = 1,
    start: dict[str, torch.Tensor] | None = None,
    validate: Validate[Network] | None = None,
    minutes: float | None = None,
) -> tuple[Network, int]:
    """Trains a network, from the last checkpoint in `out` if there is one.

    A run that is stopped and goes on gives the weights, to the bit on one machine, of one that never stopped: the
    examples and all random choices of a step depend on the seed and the step's number. Several processes, started by
    torchrun, share each batch; their gradients, each of the mean over the process's own examples, are averaged. Batch
    normalisation takes each process's own examples; its running statistics are those of the first process, which go to
    all others before each step, and into checkpoints.

    Args:
        task: The network, its losses, and the settings of the run.
        data: Examples by number, clips for the most part (see `ptfast.training.data`).
        out: A folder for checkpoint.pt, log.jsonl (one line every twenty steps and one each validation) and, where
            tensorboard is installed, its logs. Several processes read one checkpoint: the folder is one for all. None
            keeps neither checkpoint nor log, and shows no progress.
        device: Device to train on; "cuda" takes one GPU a process.
        workers: Processes that make examples; 0 makes them in this one.
        start: Weights to start from where there is no checkpoint; None starts from random ones.
        validate: Called after every `epoch` steps, and at the end, with the network in evaluation mode; the
            figures that it returns are logged.
        minutes: Stops after that time, with a checkpoint.

    Returns:
        The network, and the number of steps it has been trained for.

    Raises:
        FloatingPointError: A gradient is not finite; the checkpoint is that of the step before.
        KeyboardInterrupt: After Ctrl-C, or as `Terminated` after SIGTERM, once the step is done and its checkpoint
            written; a second one does not wait for that.
        ValueError: The checkpoint is of another run, or the batch cannot be shared out evenly.
    """
    config = task.config
    rank, world, device = join_processes(torch.device(device))
    model = initial_network(task, start, device)
    optimizer = make_optimizer(config, model)
    run = Run(config, model, optimizer, out, rank)
    losses = task.losses(model)
    steps = Steps(run.done, config.steps, config.batch, rank, world)
    if world > 1:
        losses = nn.parallel.DistributedDataParallel(losses)
    log = Log(out, run.done, task.names) if out is not None and rank == 0 else None
    until = time.monotonic() + 60 * minutes if minutes is not None else float("inf")
    bar = tqdm(total=config.steps, initial=run.done, desc="training", unit="step", disable=log is None, mininterval=1)
    with bar, closing(log) if log is not None else nullcontext(), Interruption() as interruption:
        try:
            for examples in loader(data, steps, workers):
                arguments = task.arguments(model, examples, device)
                values = step(config, losses, optimizer, arguments, run.done, rank, device)
                run.done += 1
                bar.update()
                if log is not None:
                    log.losses(run.done, values, optimizer, bar)
                if run.done % config.epoch == 0 or run.done == config.steps:
                    run.save()
                    validate_and_log(model, validate, log, run.done)
                if stop_together(interruption.asked or time.monotonic() > until, world):
                    break
        except Exception:
            run.save()
            raise
        run.save()
    if interruption.asked:
        raise interruption.error(run.left())
    return model, run.done


def initial_network(task: Task[Network], start: dict[str, torch.Tensor] | None, device: torch.device) -> Network:
    """The network in training mode, with weights of `start`, or random ones that depend on the seed."""
    torch.manual_seed(task.config.seed)
    model = task.network()
    if start is not None:
        model.load_state_dict(start)
    return model.to(device).train()


def step(
    config: RunConfig,
    losses: nn.Module,
    optimizer: torch.optim.Optimizer,
    arguments: tuple,
    number: int,
    rank: int,
    device: torch.device,
) -> torch.Tensor:
    """Does one step of the optimizer; returns the losses (L,), detached."""
    torch.manual_seed(config.seed + 1_000_003 * (number + 1) + 7919 * rank)
    rate = learning_rate(config, number)
    for group in optimizer.param_groups:
        group["lr"] = rate
    with buffers_restored(losses):
        with torch.autocast(device.type, torch.bfloat16, enabled=config.mixed_precision):
            values = losses(*arguments)
        optimizer.zero_grad(set_to_none=True)
        values.sum().backward()
        norm = nn.utils.clip_grad_norm_(losses.parameters(), config.clip_norm)
        if not torch.isfinite(norm):
            raise FloatingPointError(f"the gradient of step {number} is not finite; losses are {values.tolist()}")
    optimizer.step()
    return values.detach()


@contextmanager
def buffers_restored(module: nn.Module) -> Iterator[None]:
    """Puts running statistics back after an error, so that a checkpoint is that of the step before."""
    before = [buffer.clone() for buffer in module.buffers()]
    try:
        yield
    except Exception:
        for buffer, value in zip(module.buffers(), before, strict=True):
            buffer.copy_(value)
        raise


def validate_and_log(model: Network, validate: Validate[Network] | None, log: Log | None, done: int) -> None:
    """Validates in evaluation mode and logs the figures."""
    if validate is None or log is None:
        return
    model.eval()
    log.figures(done, validate(model))
    model.train()
