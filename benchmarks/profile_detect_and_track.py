"""Time of `ptfast track`, part by part.

`python benchmarks/profile_detect_and_track.py VIDEO` tracks a video with dense and with chunked windows and writes
benchmarks/results/profile_detect_and_track.json; `python benchmarks/make_tables.py` puts it into
docs/detect-and-track.md. Without a video it draws a synthetic one of 200 frames first. `--config paper_2d_r101_fpn`
times the network of a training config with random weights instead and only prints.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from conftest import machine
from stopwatch import Stopwatch
from tqdm import tqdm

from ptfast import viz
from ptfast.io import open_video
from ptfast.methods import DetectAndTrack
from ptfast.methods.detect_and_track import Config
from ptfast.models import Limits, MaskRcnn3d, detection
from ptfast.pipeline import mask_rcnn
from ptfast.pipeline.windows import segments
from ptfast.structures import Poses
from ptfast.synthetic import render
from ptfast.training.mask_rcnn import read_config

RESULT = Path(__file__).parent / "results" / "profile_detect_and_track.json"


def profiled(method: DetectAndTrack, video: Path) -> tuple[dict[str, float], int, float]:
    """Seconds of each part, frames and seconds in all, of tracking a video."""
    watch = Stopwatch(method.device)
    model = method.model
    places = [
        (model, "features", "backbone"),
        (model, "proposals", "proposals"),
        (detection, "propose", "proposals"),
        (model, "pool", "RoIAlign"),
        (model, "box_head", "box head"),
        (detection, "classify", "box head"),
        (model, "keypoint_head", "keypoint head"),
        (method.detector, "decode", "decoding of heatmaps"),
        (method, "link", "linking"),
        (method.detector, "frame_poses", "poses"),
        (mask_rcnn, "fit", "resizing and normalising"),
        (mask_rcnn, "normalise_clips", "resizing and normalising"),
    ]
    with watch.on(places):
        started = time.perf_counter()
        with open_video(video) as opened:
            source = watch.frames("decoding of video", opened)
            run = watch.timed("the rest", lambda: [*detect_frames(method, source)])
            frames = run()
        method.link(Poses.concatenate(frames))
        return dict(watch.seconds), len(frames), time.perf_counter() - started


def detect_frames(method: DetectAndTrack, frames: Iterable) -> Iterator[Poses]:
    """Stage 1 of frames that are read one by one."""
    for segment in segments(frames, method.config.frames, method.config.batch):
        yield from (poses for _, poses in method.detector.poses(segment))


def main() -> None:
    """Profiles both ways of windowing and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path, nargs="?")
    parser.add_argument("--weights", default="detect-and-track")
    parser.add_argument("--config", help="a training config, whose network is run with random weights")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        video = options.video or synthetic_video(Path(folder))
        rows = [profile_row(options, video, windowing) for windowing in ("dense", "chunked")]
    if options.config:
        return
    document = {**machine(), "threads": options.threads, "runs_on": options.device, "rows": rows}
    RESULT.write_text(json.dumps(document, indent=1) + "\n")
    print(f"figures are in {RESULT}")


def profile_row(options: argparse.Namespace, video: Path, windowing: str) -> dict[str, Any]:
    """The second of two runs, so that nothing is timed that happens once."""
    method = make_method(options, windowing)
    for _ in tqdm(range(2), desc=windowing):
        seconds, frames, total = profiled(method, video)
    shares = {part: round(100 * spent / total, 2) for part, spent in sorted(seconds.items(), key=lambda row: -row[1])}
    print(windowing, f"{frames / total:.1f} frames/s", shares)
    return {"windowing": windowing, "frames": frames, "frames_per_s": round(frames / total, 2), "percent": shares}


def make_method(options: argparse.Namespace, windowing: str) -> DetectAndTrack:
    """The method with trained weights, or with random ones that find 100 people in every frame."""
    if not options.config:
        return DetectAndTrack.load(options.weights, device=options.device, windowing=windowing)
    config = read_config(options.config)
    settings = Config(
        frames=config.frames,
        windowing=windowing,
        short_side=max(config.short_sides),
        long_side=config.long_side,
        limits=Limits(min_score=0.0),
        min_score=0.0,
        decode="quarter",
    )
    return DetectAndTrack(MaskRcnn3d(config.architecture), config=settings, device=options.device)


def synthetic_video(folder: Path) -> Path:
    """A video of 200 frames with six people at a time."""
    path = folder / "synthetic.mp4"
    viz.write_video(render(8_000_001, frames=200, people=6, pan=4.0, shake=0.2, blur=2), path)
    return path


if __name__ == "__main__":
    main()
