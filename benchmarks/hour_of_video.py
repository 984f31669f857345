"""Memory of an hour of video at 25 frames/s, 90,000 frames, beside that of a minute of it.

`python benchmarks/hour_of_video.py` streams synthetic frames of five people, over and over, through Detect-and-Track
with a network small enough to finish within minutes; its memory is that of any network's stream but for the size of the
activations. Figures go to benchmarks/results/hour_of_video.json.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from conftest import machine
from tqdm import tqdm

from ptfast.methods import DetectAndTrack
from ptfast.methods.detect_and_track import Config
from ptfast.models import Architecture, Limits, MaskRcnn3d
from ptfast.skeletons import POSETRACK_15
from ptfast.synthetic import render

RESULT = Path(__file__).parent / "results" / "hour_of_video.json"
FRAMES, SIDE, PEOPLE = 90_000, 64, 5


def main() -> None:
    """Streams, and writes the resident memory at sixty places."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--windowing", choices=["dense", "chunked"], default="chunked")
    options = parser.parse_args()
    method = small_method(options.windowing)
    places, people, started = [], 0, time.perf_counter()
    stream = tqdm(method.stream(frames(options.frames)), "tracking", options.frames, unit="frame", mininterval=1)
    for index, poses in enumerate(stream, 1):
        people += len(poses.scores)
        if index % max(1, options.frames // 60) == 0:
            places.append({"frame": index, "MiB": round(resident_bytes() / 2**20, 1)})
    spent = time.perf_counter() - started
    early, late = places[0]["MiB"], places[-1]["MiB"]
    document = {
        "machine": machine(),
        "frames": options.frames,
        "people a frame": round(people / options.frames, 2),
        "frames/s": round(options.frames / spent, 1),
        "memory": places,
    }
    RESULT.write_text(json.dumps(document, indent=1) + "\n")
    print(f"{early} MiB after {places[0]['frame']:,} frames, {late} MiB after {places[-1]['frame']:,}")
    print(f"figures are in {RESULT}")


def small_method(windowing: str) -> DetectAndTrack:
    """A 3D network with random weights that finds five people in every frame."""
    torch.manual_seed(0)
    architecture = Architecture(
        width=0.125, normalisation="group", pyramid_channels=16, anchor_sizes=(8, 12, 16, 24, 32),
        anchor_ratios=(2.0,), box_channels=16, keypoint_convs=1, keypoint_channels=16,
    )  # fmt: skip
    limits = Limits(proposals_before=20, proposals_after=10, max_detections=PEOPLE, min_score=0.0)
    config = Config(
        windowing=windowing, short_side=SIDE, long_side=SIDE, limits=limits, min_score=0.0, min_area=0.0,  # type: ignore[arg-type]
        min_joint_score=-1e9, decode="quarter", lookback=4, batch=32,
    )  # fmt: skip
    return DetectAndTrack(MaskRcnn3d(architecture), POSETRACK_15, config)


def frames(count: int) -> Iterator[np.ndarray]:
    """So many images of a short film, over and over."""
    film = list(render(0, frames=64, people=PEOPLE, size=(SIDE, SIDE)))
    return islice(cycle(film), count)


def resident_bytes() -> int:
    """Memory of this process that is not swapped out (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


if __name__ == "__main__":
    main()
