"""ptfast synth: videos of synthetic people."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ptfast.cli._shared import command, plural
from ptfast.io import write_poses

if TYPE_CHECKING:
    import numpy as np
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
    check_number("videos", options.videos, 1)
    check_number("frames", options.frames, 1)
    check_number("seed", options.seed, 0)
    started = time.perf_counter()
    options.out.mkdir(parents=True, exist_ok=True)
    with tqdm(total=options.videos * options.frames, desc="drawing", unit="frame", delay=1, leave=False) as bar:
        for seed in range(options.seed, options.seed + options.videos):
            film = synthetic.render(seed, **settings)
            place = options.out / film.poses.sequence
            viz.write_video(_counted(film, bar), place.with_suffix(".mp4"))
            write_poses(film.poses, place.with_suffix(".json"))
    print(f"{plural(options.videos, 'video')} of {plural(options.frames, 'frame')} and PoseTrack 2018 JSON in "
          f"{time.perf_counter() - started:.2f} s; results are in {options.out}")  # fmt: skip


def _counted(film: Iterable[np.ndarray], bar: tqdm) -> Iterator[np.ndarray]:
    """Advances the bar by each image."""
    for image in film:
        yield image
        bar.update()
