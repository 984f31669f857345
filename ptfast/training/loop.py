"""The training loop: one process or many, on the CPU or on GPUs, in one go or in pieces."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn
from torch.utils.data import Dataset
from tqdm import tqdm

from ptfast.training.batches import Steps, loader
from ptfast.training.checkpoints import load_checkpoint, save_checkpoint
from ptfast.training.config import RunConfig
from ptfast.training.tasks import Network, Task

Validate = Callable[[Network], dict[str, float]]


def train(
    task: Task[Network],
    data: Dataset,
    out: Path,
    *,
    device: torch.device | str = "cpu",
    workers: int = 1,
    start: dict[str, torch.Tensor] | None = None,
    validate: Validate[Network] | None = None,
    minutes: float | None = None,
) -> tuple[Network, int]:
    """Trains a network, from the last checkpoint in `out` if there is one.

    A run that is stopped and goes on gives the weights, to the bit on one machine, of one that never stopped: the clips
    and all random choices of a step depend on the seed and the step's number. Several processes, started by torchrun,
    share each batch; their gradients, each of the mean over the process's own clips, are averaged. Batch normalisation
    takes each process's own clips; its running statistics are those of the first process, which go to all others
    before each step, and into checkpoints.

    Args:
        task: What to train, and how (see `ptfast.training.tasks`).
        data: What the task learns from by number, clips for the most part (see `ptfast.training.synthetic_clips`).
        out: A folder for checkpoint.pt, log.jsonl (one line every twenty steps and one each validation) and, where
            tensorboard is installed, its logs. Several processes read one checkpoint: the folder is one for all.
        device: Where to train; "cuda" takes one GPU a process.
        workers: Processes that make clips; 0 makes them in this one.
        start: Weights to start from where there is no checkpoint; None starts from random ones.
        validate: Called after every `epoch` steps, and at the end, with the network in evaluation mode; the
            figures that it returns are logged.
        minutes: Stops after that time, with a checkpoint.

    Returns:
        The network, and how many steps it has been trained for.

    Raises:
        FloatingPointError: A gradient is not finite; the checkpoint is that of the step before.
        KeyboardInterrupt: After Ctrl-C, once the step is done and its checkpoint written; a second Ctrl-C does not
            wait for that.
        ValueError: The checkpoint is of another run, or the batch cannot be shared out evenly.
    """
    config = task.config
    rank, world, device = join_processes(torch.device(device))
    torch.manual_seed(config.seed)
    model = task.network()
    if start is not None:
        model.load_state_dict(start)
    model = model.to(device).train()
    optimizer = make_optimizer(config, model)
    run = Run(config, model, optimizer, out / "checkpoint.pt", rank)
    losses = task.losses(model)
    steps = Steps(run.done, config.steps, config.batch, rank, world)
    if world > 1:
        losses = nn.parallel.DistributedDataParallel(losses)
    log = Log(out, run.done, task.names) if rank == 0 else None
    until = time.monotonic() + 60 * minutes if minutes is not None else float("inf")
    bar = tqdm(total=config.steps, initial=run.done, desc="training", unit="step", disable=rank > 0, mininterval=1)
    with bar, closing(log) if log is not None else nullcontext(), Interruption() as interruption:
        try:
            for clips in loader(data, steps, workers):
                arguments = task.arguments(model, clips, device)
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
        left = f"a checkpoint after {run.done} of {config.steps} steps is in {out}; the same command goes on from it"
        raise KeyboardInterrupt(left if run.done else "no step was done")
    return model, run.done


class Run:
    """How far a run has come, and its checkpoint, from which it starts if there is one.

    Args:
        config: What to do.
        model: The network.
        optimizer: Its optimizer.
        path: Of the checkpoint.
        rank: Of this process; 0 alone writes.
    """

    def __init__(
        self, config: RunConfig, model: nn.Module, optimizer: torch.optim.Optimizer, path: Path, rank: int
    ) -> None:
        self.config, self.model, self.optimizer, self.path, self.rank = config, model, optimizer, path, rank
        self.done = load_checkpoint(path, model, optimizer, config) if path.exists() else 0
        self.saved = self.done

    def save(self) -> None:
        """Writes the checkpoint unless it is there already."""
        if self.rank == 0 and self.done != self.saved:
            save_checkpoint(self.path, self.model, self.optimizer, self.done, self.config)
        self.saved = self.done


class Interruption:
    """In it Ctrl-C only sets `asked`, so that no step is cut in two; another one, seconds later, acts at once."""

    def __init__(self) -> None:
        self.asked, self.since = False, 0.0
        self.before: Any = None

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():  # no other may set a handler
            self.before = signal.signal(signal.SIGINT, self.note)
        return self

    def __exit__(self, *error: object) -> None:
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)

    def note(self, number: int, frame: object) -> None:
        """What Ctrl-C does."""
        if self.asked and time.monotonic() - self.since > 2:  # torchrun passes on the first one again
            raise KeyboardInterrupt("the last checkpoint stays as it is")
        if not self.asked:
            self.asked, self.since = True, time.monotonic()
            os.write(2, b"\nstopping after this step; Ctrl-C again stops at once\n")  # print may be in use here


def step(
    config: RunConfig,
    losses: nn.Module,
    optimizer: torch.optim.Optimizer,
    arguments: tuple,
    number: int,
    rank: int,
    device: torch.device,
) -> torch.Tensor:
    """One step of the optimizer; returns the losses (L,), detached."""
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
    """After an error in it, running statistics are as before, so that a checkpoint is that of the step before."""
    before = [buffer.clone() for buffer in module.buffers()]
    try:
        yield
    except Exception:
        for buffer, value in zip(module.buffers(), before, strict=True):
            buffer.copy_(value)
        raise


def learning_rate(config: RunConfig, number: int) -> float:
    """The learning rate of a step: a linear rise from a tenth, then a tenth after each drop."""
    rise = 0.1 + 0.9 * number / config.warm_up if number < config.warm_up else 1.0
    return config.learning_rate * rise * 0.1 ** sum(number >= drop for drop in config.drops)


def make_optimizer(config: RunConfig, model: nn.Module) -> torch.optim.Optimizer:
    """SGD, Adam or AdamW over all parameters; only weights of layers decay."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=0.9)
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, lr=config.learning_rate)


def join_processes(device: torch.device) -> tuple[int, int, torch.device]:
    """This process's rank and the number of processes, as torchrun has set them, or 0 and 1; and its device."""
    if not distributed.is_available() or not distributed.is_torchelastic_launched():
        return 0, 1, device
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return distributed.get_rank(), distributed.get_world_size(), device


def stop_together(stop: bool, world: int) -> bool:
    """Whether any process wants to stop; all get the same answer."""
    if world == 1:
        return stop
    wanted = torch.tensor(float(stop))
    if distributed.get_backend() == "nccl":
        wanted = wanted.cuda()
    distributed.all_reduce(wanted)
    return bool(wanted > 0)


def validate_and_log(model: Network, validate: Validate[Network] | None, log: Log | None, done: int) -> None:
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
        done: Steps that are done; what is logged of later ones goes.
        names: Of the losses.
    """

    def __init__(self, out: Path, done: int = 0, names: tuple[str, ...] = ()) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.path, self.names, self.board = out / "log.jsonl", names, None
        lines = self.path.read_text().splitlines(keepends=True) if self.path.exists() else []
        self.path.write_text("".join(line for line in lines if logged_step(line) <= done))  # later ones come again
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
        with self.path.open("a") as file:
            file.write(json.dumps({"step": done} | figures) + "\n")
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
