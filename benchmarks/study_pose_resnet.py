"""Simple Baselines' pose network on synthetic people: table 2 of the paper in kind.

    python benchmarks/study_pose_resnet.py --out run/table-2

Each row's network is trained from scratch by the config simple_baselines_synthetic, cut to --steps, with another size
of crops, number of transposed convolutions, kernel or depth. The folder --out keeps each row's checkpoint and weights;
given again, the command goes on where it stopped. Networks are scored on every fourth frame of validation videos, in
the true boxes, with the mirrored crops and the quarter offset of section 4.1. Figures go to
benchmarks/results/simple_baselines.json; `python benchmarks/make_tables.py` writes them into docs/simple-baselines.md.
With `--frames 8` or the like the videos are cut and figures are printed alone.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from conftest import machine
from studies import films_from, markdown, save
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

import ptfast
from ptfast._columns import dilate, frame_of_rows
from ptfast.evaluation.posetrack import evaluate
from ptfast.models import PoseNetwork, PoseResnetArchitecture
from ptfast.pipeline import TubePoses
from ptfast.pipeline.top_down import frames_of, mean_seen
from ptfast.structures import Poses, head_sizes, joint_boxes
from ptfast.synthetic import Film
from ptfast.synthetic.splits import VALIDATION_SEEDS
from ptfast.training.loop import train
from ptfast.training.pose import RECIPE, PoseConfig, pose_task, read_config
from ptfast.training.recipe import Source

FILE = "simple_baselines"
CONFIG = "simple_baselines_synthetic"
DATA = Source("synthetic")
EPOCH = 50  # steps between two checkpoints
EVERY = 4  # frames, of which one is looked at
BATCH, ROUNDS = 16, 7  # crops that a network is timed with, and how often


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        paper: Letter of the paper's row, and its AP on COCO.
        size: (height, width) of the crops.
        deconvolutions: Transposed convolutions.
        kernel: Width of their kernels.
        depth: Layers of the ResNet.
    """

    paper: tuple[str, float]
    size: tuple[int, int] = (192, 128)
    deconvolutions: int = 3
    kernel: int = 4
    depth: int = 50


ROWS = {
    "baseline": Row(("a", 70.4)),
    "2-deconvolutions": Row(("b", 67.9), deconvolutions=2),
    "kernel-2": Row(("c", 70.1), kernel=2),
    "kernel-3": Row(("d", 70.3), kernel=3),
    "96x64": Row(("g", 60.6), size=(96, 64)),
    "288x192": Row(("h", 72.2), size=(288, 192)),
    "depth-101": Row(("e", 71.4), depth=101),
}


def main() -> None:
    """Trains and scores the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the rows' checkpoints and weights")
    parser.add_argument("--rows", choices=ROWS, nargs="+", default=list(ROWS), help="of the table (all)")
    parser.add_argument("--steps", type=int, default=1000, help="of each training (1000)")
    parser.add_argument("--films", type=int, default=16, help="validation videos of 64 frames (16)")
    parser.add_argument("--frames", type=int, help="of each video, for a try whose figures are not kept")
    parser.add_argument("--workers", type=int, default=1, help="processes that make training's crops; 0: none (1)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    for set_threads in (torch.set_num_threads, ptfast.set_num_threads):
        set_threads(options.threads)
    try:
        study_table_2(options)
    except KeyboardInterrupt as stopped:
        raise SystemExit(f"stopped: {stopped}") from None


def study_table_2(options: argparse.Namespace) -> None:
    """Table 2."""
    films = films_from(VALIDATION_SEEDS + 200, options.films).values()
    shown = [Shown(film, options.frames) for film in tqdm(films, desc="drawing", unit="film")]
    rows = []
    for name in options.rows:
        print(f"{name}, {len(rows) + 1} of {len(options.rows)} rows", flush=True)
        config = config_of(ROWS[name], options.steps)
        model = trained(config, options.out / name, options.workers)
        figures = scores(model, config, shown) | complexity(model, config.size) | time_of(model, config.size)
        keep_weights(model, config, options.out / name, figures)
        rows.append(head(ROWS[name]) | {"steps": options.steps} | figures)
    if options.frames is None:
        people, left_out = sum(len(each.boxes) for each in shown), sum(each.left_out for each in shown)
        about = {"films": options.films, "people": people, "left_out": left_out, "threads": options.threads}
        save(FILE, "table-2", rows, machine=machine(), **about)
    else:
        print(f"table-2, not kept\n{markdown(rows)}")


def config_of(row: Row, steps: int) -> PoseConfig:
    """The run of a row.

    The learning rate's course is the config's, of as many steps. A target covers as much of a person in all rows:
    sigma is 1.5 pixels of heatmaps 48 high, and in proportion in others, as the paper's public code has 2 of 64 and 3
    of 96.
    """
    usual = read_config(CONFIG)
    assert isinstance(usual.architecture, PoseResnetArchitecture)
    share = steps / usual.steps
    before, after = (each.size[0] * 2**each.deconvolutions for each in (ROWS["baseline"], row))
    other = {"depth": row.depth, "deconvolutions": row.deconvolutions, "kernel": row.kernel}
    return replace(
        usual, steps=steps, warm_up=round(share * usual.warm_up), drops=tuple(round(share * at) for at in usual.drops),
        epoch=EPOCH, size=row.size, sigma=usual.sigma * after / before,
        architecture=replace(usual.architecture, **other),
    )  # fmt: skip


def trained(config: PoseConfig, out: Path, workers: int) -> PoseNetwork:
    """The network of a run, which goes on from the checkpoint in `out`, if there is one, unless that is its last."""
    return train(pose_task(config), RECIPE.data(config, DATA), out, workers=workers)[0].eval()


def keep_weights(model: PoseNetwork, config: PoseConfig, out: Path, figures: dict[str, Any]) -> None:
    """Writes the weights as `ptfast train pose` does, for `--weights`."""
    about = {"data": str(DATA.data), "command": "python benchmarks/study_pose_resnet.py", "config": config.to_dict()}
    about |= {"seed": config.seed, "frames": config.frames, "score": figures}
    RECIPE.save(model, out / "weights.safetensors", RECIPE.card(config, DATA) | about)


class Shown:
    """Frames of a film, and the true boxes of the people in them.

    Args:
        film: The film.
        frames: Number of its first frames, of which every fourth is shown; None for all.

    Attributes:
        images: (H, W, 3) uint8 of each frame.
        truth: The people whose labelled joints span a box.
        boxes: (N, 4) theirs, those of training.
        left_out: Number of the others.
    """

    def __init__(self, film: Film, frames: int | None) -> None:
        everyone = film.poses[:frames:EVERY]
        self.images = [film.image(EVERY * place) for place in range(len(everyone))]
        spans = joint_boxes(everyone.keypoints, everyone.joint_visibility)
        spanned = (spans[:, 2:] > spans[:, :2]).all(1)
        self.truth, self.boxes = everyone.select(spanned), dilate(spans[spanned])
        self.left_out = int((~spanned).sum())


def scores(model: PoseNetwork, config: PoseConfig, films: Sequence[Shown]) -> dict[str, float]:
    """Official mAP, and the share of labelled joints within half a head size (PCKh), of a network in true boxes."""
    network = TubePoses(model, config.size)
    near, truth, found = [], {}, {}
    for film in tqdm(films, desc="scoring", unit="film"):
        poses = in_true_boxes(network, film)
        truth[poses.sequence], found[poses.sequence] = film.truth, poses
        away = np.linalg.norm(poses.keypoints - film.truth.keypoints, axis=-1) / head_sizes(film.truth)[:, None]
        near.append(away[film.truth.joint_visibility > 0] <= 0.5)
    return {
        "mAP": round(float(evaluate(truth, found).ap[-1]), 2),
        "PCKh": round(100 * float(np.concatenate(near).mean()), 2),
    }


def in_true_boxes(network: TubePoses, film: Shown) -> Poses:
    """What the network finds of each of the film's people, in their rows."""
    rows = frame_of_rows(film.truth.frame_offsets)
    keypoints, joint_scores = (array[:, 0] for array in network(frames_of(film.images), film.boxes, rows[:, None]))
    return replace(
        film.truth,
        keypoints=keypoints,
        joint_scores=joint_scores,
        joint_visibility=np.full(joint_scores.shape, 2, np.uint8),
        boxes=film.boxes,
        scores=mean_seen(joint_scores).astype(np.float32),
    )


def head(row: Row) -> dict[str, Any]:
    """A row's first cells."""
    return {
        "row": row.paper[0],
        "AP of the paper": row.paper[1],
        "ResNet": row.depth,
        "input": f"{row.size[0]}x{row.size[1]}",
        "deconvolutions": row.deconvolutions,
        "kernel": row.kernel,
    }


def complexity(model: PoseNetwork, size: tuple[int, int]) -> dict[str, float]:
    """Million weights, and billion multiply-adds a crop."""
    weights = list(model.parameters())
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, 1, *size, device=weights[0].device))
    return {
        "weights, M": round(sum(weight.numel() for weight in weights) / 1e6, 2),
        "multiply-adds, G": round(counter.get_total_flops() / 2e9, 3),
    }


@torch.inference_mode()
def time_of(model: PoseNetwork, size: tuple[int, int]) -> dict[str, float]:
    """Median milliseconds a crop in float32, unmirrored, of 16 at a time."""
    crops, seconds = torch.zeros(BATCH, 3, 1, *size), []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        model(crops)
        seconds.append(time.perf_counter() - begun)
    return {"ms a crop": round(1000 * statistics.median(seconds) / BATCH, 2)}


if __name__ == "__main__":
    main()
