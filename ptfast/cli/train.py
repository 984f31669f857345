"""ptfast train: from data to weights."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptfast._check import check_number
from ptfast.cli._shared import check_output, command, device, plural
from ptfast.cli.lock import only_run
from ptfast.cli.recipes.detect_and_track import DETECT_AND_TRACK
from ptfast.cli.recipes.flow import FLOW
from ptfast.cli.recipes.keytrack import KEYTRACK
from ptfast.cli.recipes.matcher import MATCHER
from ptfast.cli.recipes.pose import POSE

if TYPE_CHECKING:
    from ptfast.training.config import RunConfig

RECIPES = {
    "detect-and-track": DETECT_AND_TRACK,
    "pose": POSE,
    "matcher": MATCHER,
    "flow": FLOW,
    "keytrack": KEYTRACK,
}
GIVEN = ("config", "data", "images", "validation", "weights", "seed")  # options that weights depend on, for their card


def add_train(commands: argparse._SubParsersAction) -> None:
    """Adds ptfast train."""
    text = "Train a network. A run that was stopped goes on when the same command is given again. "
    text += "Several processes share each batch: torchrun --nproc-per-node N -m ptfast train ..."
    parser = command(commands, "train", _train, text)
    networks = "; ".join(f"{name}: {recipe.network}" for name, recipe in RECIPES.items())
    parser.add_argument("recipe", choices=[*RECIPES], help=networks)
    defaults = ", ".join(f"{recipe.config} for {name}" for name, recipe in RECIPES.items())
    parser.add_argument(
        "--config", help=f"a TOML file, or the name of one that comes along; if none is given {defaults}"
    )
    parser.add_argument(
        "--data", required=True, metavar="DATA",
        help="synthetic, a folder of PoseTrack annotations (or the dataset's), or a COCO keypoints file",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for checkpoint, log and weights")
    parser.add_argument("--images", type=Path, metavar="DIR", help="where the annotations' image names start from")
    parser.add_argument(
        "--validation", type=Path, metavar="DIR",
        help="PoseTrack annotations to score by each epoch; with synthetic data, synthetic videos are taken",
    )  # fmt: skip
    parser.add_argument(
        "--weights",
        metavar="WEIGHTS",
        help="weights to start from, unless DIR has a checkpoint: a .safetensors or checkpoint.pt or, for pose and "
        "flow, published ones by name or file",
    )
    parser.add_argument("--export", type=Path, metavar="FILE", help="weights, instead of DIR/weights.safetensors")
    parser.add_argument(
        "--device", type=device, default="cpu", help="cpu, cuda, cuda:1, ...; cuda takes one GPU a process"
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes that make examples")
    parser.add_argument("--threads", type=int, metavar="N", help="threads of the network on the CPU")
    parser.add_argument("--minutes", type=float, metavar="M", help="stop after that time, with a checkpoint")
    parser.add_argument("--seed", type=int, help="instead of the config's")


def _train(options: argparse.Namespace) -> None:
    import torch

    from ptfast.pipeline.weights import path_of
    from ptfast.training.checkpoints import CHECKPOINT
    from ptfast.training.loop import train
    from ptfast.training.recipe import Source
    from ptfast.training.starting_weights import starting_weights

    check_options(options)
    recipe = RECIPES[options.recipe].load()
    options.config = options.config or RECIPES[options.recipe].config
    config = recipe.read_config(options.config)
    if options.seed is not None:
        config = replace(config, seed=options.seed)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    source = Source(options.data, options.images, options.validation)
    task, data = recipe.task(config, source), recipe.data(config, source)
    validate = recipe.validation(config, source)
    start = None
    if not (options.out / CHECKPOINT).exists():
        path = None if options.weights is None else path_of(options.weights)
        start = starting_weights(task, path, recipe.read_weights)
    with alone(options.out):
        try:
            model, done = train(
                task, data, options.out, device=options.device, workers=options.workers, start=start,
                validate=validate, minutes=options.minutes,
            )  # fmt: skip
        except FloatingPointError as error:
            raise ValueError(f"{error}; {options.out} holds the checkpoint of the step before") from None
    if not leave_processes():
        return
    left = f"results are in {options.out}: checkpoint.pt to go on from, log.jsonl to look at"
    if done < config.steps:
        print(f"stopped after {done:,} of {plural(config.steps, 'step')}, the same command goes on; {left}")
        return
    path = options.export or options.out / "weights.safetensors"
    recipe.save(model, path, card(config, options, recipe.card(config, source)))
    print(f"{plural(done, 'step')} done; {left}, and weights to track with in {path}")


def check_options(options: argparse.Namespace) -> None:
    """Raises ValueError for options that could only fail later."""
    for name, low in (("workers", 0), ("threads", 1), ("minutes", 0), ("seed", 0)):
        if getattr(options, name) is not None:
            check_number(name, getattr(options, name), low)
    if options.export is not None and options.export.suffix != ".safetensors":
        raise ValueError(f"export must end in .safetensors, got {options.export.name!r}")
    check_output(options.out, folder=True)
    if options.export is not None:
        check_output(options.export)


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Locks a run's folder, in the first of its processes; a new folder that stays empty goes."""
    if int(os.environ.get("RANK", "0")) > 0:  # torchrun's
        yield
        return
    out.mkdir(parents=True, exist_ok=True)
    try:
        with only_run(out):
            yield
    finally:
        with suppress(OSError):  # it is not empty
            out.rmdir()


def leave_processes() -> bool:
    """Ends the group of processes that torchrun may have started. True in the first one, which has the results."""
    from torch import distributed

    if not distributed.is_initialized():
        return True
    first = distributed.get_rank() == 0
    distributed.destroy_process_group()
    return first


def card(config: RunConfig, options: argparse.Namespace, entries: dict[str, Any]) -> dict[str, Any]:
    """The card of the weights: the network's own entries, and the run's."""
    from ptfast.training.log import last_score

    given = [(f"--{name}", str(value)) for name in GIVEN if (value := getattr(options, name)) is not None]
    return {
        **entries,
        "data": options.data,
        "command": shlex.join(["ptfast", "train", options.recipe, *(part for pair in given for part in pair)]),
        "seed": config.seed,
        "score": last_score(options.out),
        "frames": config.frames,
        "training": config.to_dict(),
    }
