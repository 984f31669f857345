"""ptfast train: from clips to weights."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptfast._check import check_number
from ptfast.cli._shared import command, device, plural
from ptfast.skeletons import POSETRACK_15, Skeleton

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ptfast.models import MaskRcnn3d
    from ptfast.training.config import Config

    Validate = Callable[[MaskRcnn3d], dict[str, float]]

GIVEN = ("config", "data", "images", "validation", "weights", "seed")  # what weights depend on, for their card


def add_train(commands: argparse._SubParsersAction) -> None:
    """Adds ptfast train."""
    text = "Train a network. A run that was stopped goes on when the same command is given again. "
    text += "Several processes share each batch: torchrun --nproc-per-node N -m ptfast train ..."
    parser = command(commands, "train", _train, text)
    parser.add_argument("method", choices=["detect-and-track"], help="which system's network")
    parser.add_argument("--config", default="synthetic_3d", help="a TOML file, or the name of one that comes along")
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
        help="a .safetensors or checkpoint.pt to start from, unless DIR has a checkpoint",
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

    from ptfast.training.config import read_config
    from ptfast.training.loop import train

    check_options(options)
    config = read_config(options.config)
    if options.seed is not None:
        config = replace(config, seed=options.seed)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    skeleton = skeleton_of(config, options.data)
    data, validate = make_data(config, options, skeleton), make_validation(config, options, skeleton)
    start = None if (options.out / "checkpoint.pt").exists() else starting_weights(config, options.weights)
    try:
        model, done = train(
            config, data, options.out, device=options.device, workers=options.workers, start=start, validate=validate,
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
    weights = export(model, config, options, skeleton)
    print(f"{plural(done, 'step')} done; {left}, and weights to track with in {weights}")


def check_options(options: argparse.Namespace) -> None:
    """Raises ValueError for what could only fail later."""
    for name, low in (("workers", 0), ("threads", 1), ("minutes", 0), ("seed", 0)):
        if getattr(options, name) is not None:
            check_number(name, getattr(options, name), low)
    if options.export is not None and options.export.suffix != ".safetensors":
        raise ValueError(f"export must end in .safetensors, got {options.export.name!r}")


def skeleton_of(config: Config, data: str) -> Skeleton:
    """The joints that the network learns: PoseTrack's 15, or the data's own if there are as many."""
    from ptfast.training.annotated_clips import annotation_files, read_skeleton

    joints = config.architecture.joints
    own = POSETRACK_15
    if data != "synthetic" and joints != len(own):
        own = read_skeleton(annotation_files(Path(data), "train")[0])
    if len(own) == joints:
        return own
    raise ValueError(f"architecture: joints must be 15 or those of the data, {len(own)}, got {joints}")


def make_data(config: Config, options: argparse.Namespace, skeleton: Skeleton) -> Any:
    """Clips to learn from."""
    from ptfast.training.annotated_clips import AnnotatedClips
    from ptfast.training.synthetic_clips import synthetic_data

    sizes: dict[str, Any] = {"short_sides": config.short_sides, "long_side": config.long_side}
    if options.data == "synthetic":
        return synthetic_data(config.frames, seed=config.seed, **sizes)
    return AnnotatedClips(
        options.data, config.frames, skeleton=skeleton, images=options.images, seed=config.seed, **sizes
    )


def make_validation(config: Config, options: argparse.Namespace, skeleton: Skeleton) -> Validate | None:
    """What scores the network each epoch."""
    from ptfast.methods.detect_and_track import Config as Tracking
    from ptfast.training.annotated_clips import read_sequences
    from ptfast.training.validation import validate, validate_annotated

    # Half-trained networks are not sure of much, and mAP wants the unsure ones too.
    tracking = Tracking(**settings_of(config), min_score=0.5, joint_score="logit")
    if options.validation is not None:
        sequences = list(read_sequences(options.validation, skeleton, options.images, "val"))
        return partial(validate_annotated, sequences=sequences, config=tracking, skeleton=skeleton)
    if options.data != "synthetic" or config.validation_videos == 0:
        return None
    return partial(validate, videos=config.validation_videos, config=tracking, skeleton=skeleton)


def starting_weights(config: Config, path: Path | None) -> dict[str, Tensor] | None:
    """The weights to start from, inflated if the config says so; None for random ones."""
    import torch

    from ptfast.models import MaskRcnn3d, inflate

    if path is None:
        if config.initialise != "none":
            raise ValueError(f"--weights must name 2D weights, as the config's initialise is {config.initialise!r}")
        return None
    with torch.device("meta"):
        target = MaskRcnn3d(config.architecture)
    weights = {name: value.float() for name, value in read_weights(path).items()}
    try:
        if config.initialise != "none":
            weights = inflate(weights, config.initialise, target)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    for name, wanted in target.state_dict().items():
        found = weights.get(name)
        if found is None or found.shape != wanted.shape:
            got = "no such tensor" if found is None else f"shape {tuple(found.shape)}"
            raise ValueError(f"{path}: {name}: expected shape {tuple(wanted.shape)}, found {got}")
    return {name: weights[name] for name in target.state_dict()}


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """A network's weights out of a .safetensors file or a checkpoint."""
    from ptfast.models import load_weights
    from ptfast.training.checkpoints import read_checkpoint

    if path.suffix == ".safetensors":
        return load_weights(path)[0].state_dict()
    return read_checkpoint(path)["model"]


def settings_of(config: Config) -> dict[str, Any]:
    """How the method runs a network of this config."""
    return {"frames": config.frames, "short_side": max(config.short_sides), "long_side": config.long_side}


def export(model: MaskRcnn3d, config: Config, options: argparse.Namespace, skeleton: Skeleton) -> Path:
    """Writes the weights with a card that says how they came about; gives their path."""
    from ptfast.models import save_weights

    rows = [json.loads(line) for line in (options.out / "log.jsonl").read_text().splitlines()]
    score = next((row for row in reversed(rows) if "mAP" in row), None)
    given = [(f"--{name}", str(value)) for name in GIVEN if (value := getattr(options, name)) is not None]
    card = {
        "skeleton": skeleton.name,
        "data": options.data,
        "command": shlex.join(["ptfast", "train", options.method, *(part for pair in given for part in pair)]),
        "seed": config.seed,
        "score": score,
        "frames": config.frames,
        "settings": settings_of(config),
        "training": config.to_dict(),
    }
    path = options.export or options.out / "weights.safetensors"
    save_weights(model, path, card)
    return path
