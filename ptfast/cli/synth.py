"""ptfast synth: videos of synthetic people."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ptfast.cli._shared import check_output, command, plural
from ptfast.cli.losses import Loss, report
from ptfast.io import write_poses

# What a body moves like, a machine's memory holds and a file has room for.
LIMITS = {
    "videos": (1, float("inf")), "seed": (0, 2**31 - 1), "frames": (1, 1_000_000), "people": (1, 1000), "pan": (0, 180),
    "shake": (0, 180), "blur": (1, 1000),
}  # fmt: skip
SIDES = (2, 8192)  # pixels

if TYPE_CHECKING:
    from tqdm import tqdm


def add_synth(commands: argparse._SubParsersAction) -> None:
    """Adds ptfast synth."""
    parser = command(commands, "synth", _synth, "Make videos of synthetic people, and PoseTrack 2018 JSON of each.")
    parser.add_argument("out", type=Path, help="folder to write into")
    parser.add_argument("--videos", type=int, default=1, metavar="N", help="number of videos")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first video; the next has the next seed")
    parser.add_argument("--frames", type=int, default=64, help="frames of each video")
    parser.add_argument("--people", type=int, default=6, help="people at a time")
    parser.add_argument(
        "--size", type=int, nargs=2, default=(256, 256), metavar=("W", "H"), help="width and height in pixels"
    )
    parser.add_argument("--pan", type=float, default=5.0, help="degrees that the camera swings to either side")
    parser.add_argument("--shake", type=float, default=0.2, help="degrees that the camera shakes by")
    parser.add_argument("--blur", type=int, default=2, help="moments that are averaged into a frame; 1 is sharp")


def _synth(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from ptfast import synthetic, viz
    from ptfast._check import check_number

    names = ("frames", "people", "pan", "shake", "blur")
    settings = {name: getattr(options, name) for name in names} | {"size": tuple(options.size)}
    for name, (low, high) in LIMITS.items():
        check_number(name, getattr(options, name), low, high)
    for side in options.size:
        check_number("size", side, *SIDES)
    check_output(options.out, folder=True)
    started = time.perf_counter()
    options.out.mkdir(parents=True, exist_ok=True)
    empty = 0
    with tqdm(total=options.videos * options.frames, desc="drawing", unit="frame", delay=1, leave=False) as bar:
        for seed in range(options.seed, options.seed + options.videos):
            film = synthetic.render(seed, **settings)
            place = options.out / film.poses.sequence
            viz.write_video(_counted(film, bar), place.with_suffix(".mp4"))
            write_poses(film.poses, place.with_suffix(".json"))
            empty += int((np.diff(film.poses.frame_offsets) == 0).sum())
    why = {"as people are out of the picture (a smaller --pan or more --people changes that)": empty}
    loss = Loss("frame", options.videos * options.frames, why, "without anybody")
    made = f"{plural(options.videos, 'video')} of {plural(options.frames, 'frame')} and PoseTrack 2018 JSON in "
    report("synth", [loss], f"{made}{time.perf_counter() - started:.2f} s; results are in {options.out}")


def _counted(film: Iterable[np.ndarray], bar: tqdm) -> Iterator[np.ndarray]:
    """Advances the bar by each image."""
    for image in film:
        yield image
        bar.update()
