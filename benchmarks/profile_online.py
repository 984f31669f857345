"""Frames a second of `ptfast track --method online`, part by part, beside a naive loop and ultralytics' YOLO11n-pose.

`python benchmarks/profile_online.py VIDEO` runs all of them by turns, each in a process of its own, at one image size
over the first frames of a video, and writes benchmarks/results/profile_online.json; `python benchmarks/make_tables.py`
puts it into docs/methods.md. Without a video it draws a synthetic one first. The naive loop decodes a frame, resizes
it, runs the network layer after layer, decodes its maps and links, one frame after another. YOLO11n-pose has random
weights: its decoding, network, non-maximum suppression and ByteTrack do their work, but find nobody.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import torch
from conftest import machine
from peers import find_peer
from profile_detect_and_track import synthetic_video
from stopwatch import Stopwatch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

import ptfast
from ptfast.io import open_video, write_poses
from ptfast.methods import Online
from ptfast.methods.base import AHEAD
from ptfast.models.movenet_layers import InvertedResidual
from ptfast.pipeline import one_shot
from ptfast.pipeline.people import Found
from ptfast.pipeline.precision import Precision
from ptfast.structures import Poses
from ptfast.tracking import OnlineLinker

RESULT = Path(__file__).parent / "results" / "profile_online.json"
Run = Callable[[Path, int], None]


def plain_block(self: InvertedResidual, x: Tensor) -> Tensor:
    """A block of MoveNet's backbone layer after layer, as it is usually written."""
    y = x if self.expand is None else self.expand(x).clamp(0, 6)
    y = y if self.stride == 1 else F.pad(y, (0, 1, 0, 1))
    y = self.project(self.depthwise(y).clamp(0, 6))
    return x + y if self.adds_input else y


def whole(method: Online) -> Run:
    """ptfast as its command runs it: frames decoded in a thread, batches, records to a file."""

    def run(video: Path, frames: int) -> None:
        with open_video(video, limit=frames, ahead=AHEAD) as opened:
            write(list(method.stream(opened)))

    return run


def naive(method: Online) -> Run:
    """The same network frame by frame, each step after the other."""

    def run(video: Path, frames: int) -> None:
        capture, linker, found = cv2.VideoCapture(str(video)), OnlineLinker(**method.thresholds()), []
        with mock.patch.object(InvertedResidual, "forward", plain_block):
            for _ in range(frames):
                there, image = capture.read()
                if there:
                    found.append(linker.update(method.estimate([cv2.cvtColor(image, cv2.COLOR_BGR2RGB)])))
        capture.release()
        write(found)

    return run


def ultralytics(size: int) -> Run:
    """YOLO11n-pose and ByteTrack."""
    from ultralytics import YOLO

    model = YOLO("yolo11n-pose.yaml")

    def run(video: Path, frames: int) -> None:
        settings = {"imgsz": size, "tracker": "bytetrack.yaml", "verbose": False, "stream": True}
        for number, _ in enumerate(model.track(str(video), **settings), 1):
            if number == frames:
                return

    return run


def loaded(size: int, precision: Precision) -> Online:
    """The method at one size."""
    return Online.load(long_side=size, precision=precision)


NAIVE, YOLO = "naive loop", "ultralytics yolo11n-pose"
SUBJECTS: dict[str, Callable[[int], Run]] = {
    "ptfast, bfloat16": lambda size: whole(loaded(size, "bfloat16")),
    "ptfast, float32": lambda size: whole(loaded(size, "float32")),
    NAIVE: lambda size: naive(loaded(size, "float32")),
    YOLO: ultralytics,
}


def write(frames: list[Poses]) -> None:
    """Writes tracks to a file, which is deleted."""
    with tempfile.TemporaryDirectory() as folder:
        write_poses(Poses.concatenate(frames), Path(folder) / "tracks.json")


def by_turns(names: Sequence[str], video: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Frames a second of each subject, the median of rounds in which all take turns, and times as fast as naive.

    Each runs in a process of its own, as one library's settings and memory slow the others down.
    """
    seconds: dict[str, list[float]] = {name: [] for name in names}
    shared = ["--frames", options.frames, "--size", options.size, "--threads", options.threads]
    for _ in tqdm(range(options.rounds), desc="rounds"):
        for name in names:
            command = [sys.executable, __file__, video, *shared, "--only", name]
            done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
            seconds[name].append(float(done.stdout.splitlines()[-1]))
    rows = []
    for name, spent in seconds.items():
        ratio = statistics.median(n / own for n, own in zip(seconds[NAIVE], spent, strict=True))
        rows.append(
            {
                "": name,
                "frames/s": round(options.frames / statistics.median(spent), 2),
                "times the naive loop": round(ratio, 2),
                "seconds of each round": [round(each, 3) for each in spent],
            }
        )
    return rows


def seconds_of(run: Run, video: Path, frames: int) -> float:
    """Seconds of a run, after a short one in which happens what happens once."""
    run(video, min(4, frames))
    started = time.perf_counter()
    run(video, frames)
    return time.perf_counter() - started


def by_stages(method: Online, video: Path, frames: int) -> list[dict[str, Any]]:
    """Frames a second of each stage by itself, on one thread."""
    torch.set_num_threads(1)
    watch = Stopwatch(torch.device("cpu"))
    places = [
        (one_shot, "padded", "resizing"),
        (method.estimate.model, "forward", "network"),
        (one_shot, "decode_multipose", "decoding of maps"),
        (Found, "without_doubles", "doubles"),
    ]
    with watch.on(places), open_video(video, limit=frames) as opened:
        source = (frame.image for frame in watch.frames("decoding of video", opened))
        found = watch.timed("the rest", lambda: list(method.detect(source)))()
        watch.timed("linking", lambda: method.link(found))()
        watch.timed("writing", lambda: write(found))()
    total = sum(watch.seconds.values())
    ordered = sorted(watch.seconds.items(), key=lambda item: -item[1])
    return [
        {"stage": stage, "frames/s": round(frames / spent, 1), "share, %": round(100 * spent / total, 1)}
        for stage, spent in ordered
    ]


def main() -> None:
    """Runs all by turns and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path, nargs="?")
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--only", choices=SUBJECTS, help="time one of them here, and print its seconds")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    ptfast.set_num_threads(options.threads)
    if options.only is not None:
        print(seconds_of(SUBJECTS[options.only](options.size), options.video, options.frames))
        return
    names = [name for name in SUBJECTS if name != YOLO or find_peer("ultralytics")[0] is not None]
    with tempfile.TemporaryDirectory() as folder:
        video = options.video or synthetic_video(Path(folder))
        document = {
            "threads": options.threads,
            "size": options.size,
            "frames": options.frames,
            "video": video.name if options.video else "synthetic",
            "rows": by_turns(names, video, options),
            "stages": by_stages(loaded(options.size, "float32"), video, options.frames),
        }
    for row in (*document["rows"], *document["stages"]):
        print(row)
    RESULT.write_text(json.dumps(machine() | document, indent=1) + "\n")
    print(f"figures are in {RESULT}")


if __name__ == "__main__":
    main()
