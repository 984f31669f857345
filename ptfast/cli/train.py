"""ptfast train: from clips to weights."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptfast._check import check_number
from ptfast.cli._shared import command, device, plural
from ptfast.skeletons import POSETRACK_15, Skeleton

if TYPE_CHECKING:
    from torch import Tensor

    from ptfast.training.config import RunConfig
    from ptfast.training.tasks import Task

GIVEN = ("config", "data", "images", "validation", "weights", "seed")  # what weights depend on, for their card


def add_train(commands: argparse._SubParsersAction) -> None:
    """Adds ptfast train."""
    text = "Train a network. A run that was stopped goes on when the same command is given again. "
    text += "Several processes share each batch: torchrun --nproc-per-node N -m ptfast train ..."
    parser = command(commands, "train", _train, text)
    parser.add_argument(
        "method", choices=["detect-and-track", "pose"], help="which system's detector, or a pose network"
    )
    parser.add_argument(
        "--config",
        help="a TOML file, or the name of one that comes along; if none is given synthetic_3d, for pose "
        "synthetic_pose_3d",
    )
    parser.add_argument(
        "--data", required=True, metavar="DATA",
        help="synthetic, a folder of PoseTrack annotations (or the dataset's), or a COCO keypoints file",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for checkpoint, log and weights")
    parser.add_argument("--images", type=Path, metavar="DIR", help="where the annotations' picture names start from")
    parser.add_argument(
        "--validation", type=Path, metavar="DIR",
        help="PoseTrack annotations to score by each epoch; with synthetic data, synthetic videos are taken",
    )  # fmt: skip
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="a .safetensors or checkpoint.pt, or a published .pth of pose networks, to start from, unless DIR has "
        "a checkpoint",
    )
    parser.add_argument("--export", type=Path, metavar="FILE", help="weights, instead of DIR/weights.safetensors")
    parser.add_argument(
        "--device", type=device, default="cpu", help="cpu, cuda, cuda:1, ...; cuda takes one GPU a process"
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes that make clips")
    parser.add_argument("--threads", type=int, metavar="N", help="threads of the network on the CPU")
    parser.add_argument("--minutes", type=float, metavar="M", help="stop after that time, with a checkpoint")
    parser.add_argument("--seed", type=int, help="instead of the config's")


def _train(options: argparse.Namespace) -> None:
    import torch
    from torch import distributed

    from ptfast.cli import _train_mask_rcnn, _train_pose
    from ptfast.training.loop import train

    check_options(options)
    method: Any = {"detect-and-track": _train_mask_rcnn, "pose": _train_pose}[options.method]
    options.config = options.config or method.CONFIG
    config = method.read(options.config)
    if options.seed is not None:
        config = replace(config, seed=options.seed)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    skeleton, task = skeleton_of(config.architecture.joints, options.data), method.make_task(config)
    data, validate = (make(config, options, skeleton) for make in (method.make_data, method.make_validation))
    start = None
    if not (options.out / "checkpoint.pt").exists():
        start = starting_weights(task, options.weights, method.read_weights)
    try:
        model, done = train(
            task, data, options.out, device=options.device, workers=options.workers, start=start, validate=validate,
            minutes=options.minutes,
        )  # fmt: skip
    except FloatingPointError as error:
        raise ValueError(f"{error}; {options.out} holds the checkpoint of the step before") from None
    if distributed.is_initialized():
        first = distributed.get_rank() == 0
        distributed.destroy_process_group()
        if not first:
            return
    left = f"results are in {options.out}: checkpoint.pt to go on from, log.jsonl to look at"
    if done < config.steps:
        print(f"stopped after {done:,} of {plural(config.steps, 'step')}, the same command goes on; {left}")
        return
    weights = export(model, config, options, {"skeleton": skeleton.name, **method.card_of(config)})
    print(f"{plural(done, 'step')} done; {left}, and weights to track with in {weights}")


def check_options(options: argparse.Namespace) -> None:
    """Raises ValueError for what could only fail later."""
    for name, low in (("workers", 0), ("threads", 1), ("minutes", 0), ("seed", 0)):
        if getattr(options, name) is not None:
            check_number(name, getattr(options, name), low)
    if options.export is not None and options.export.suffix != ".safetensors":
        raise ValueError(f"export must end in .safetensors, got {options.export.name!r}")


def skeleton_of(joints: int, data: str) -> Skeleton:
    """The joints that the network learns: PoseTrack's 15, or the data's own if there are as many."""
    from ptfast.training.annotated_clips import annotation_files, read_skeleton

    own = POSETRACK_15
    if data != "synthetic" and joints != len(own):
        own = read_skeleton(annotation_files(Path(data), "train")[0])
    if len(own) == joints:
        return own
    raise ValueError(f"architecture: joints must be 15 or those of the data, {len(own)}, got {joints}")


def starting_weights(
    task: Task, path: Path | None, read: Callable[[Path, Any], dict[str, Tensor]]
) -> dict[str, Tensor] | None:
    """The weights to start from, which `read` gets, inflated if the config says so; None for random ones."""
    import torch

    from ptfast.models import inflate

    how = task.config.initialise
    if path is None:
        if how != "none":
            raise ValueError(f"--weights must name 2D weights, as the config's initialise is {how!r}")
        return None
    with torch.device("meta"):
        target = task.network()
    weights = {name: value.float() for name, value in read(path, task.config).items()}
    try:
        if how != "none":
            weights = inflate(weights, how, target)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    for name, wanted in target.state_dict().items():
        found = weights.get(name)
        if found is None or found.shape != wanted.shape:
            got = "no such tensor" if found is None else f"shape {tuple(found.shape)}"
            raise ValueError(f"{path}: {name}: expected shape {tuple(wanted.shape)}, found {got}")
    return {name: weights[name] for name in target.state_dict()}


def export(model: Any, config: RunConfig, options: argparse.Namespace, entries: dict[str, Any]) -> Path:
    """Writes the weights with a card that says how they came about; gives their path."""
    from ptfast.models import save_weights

    rows = [json.loads(line) for line in (options.out / "log.jsonl").read_text().splitlines()]
    score = next((row for row in reversed(rows) if "learning_rate" not in row), None)
    given = [(f"--{name}", str(value)) for name in GIVEN if (value := getattr(options, name)) is not None]
    card = {
        **entries,
        "data": options.data,
        "command": shlex.join(["ptfast", "train", options.method, *(part for pair in given for part in pair)]),
        "seed": config.seed,
        "score": score,
        "frames": config.frames,
        "training": config.to_dict(),
    }
    path = options.export or options.out / "weights.safetensors"
    save_weights(model, path, card)
    return path
